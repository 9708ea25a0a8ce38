import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from django.db import connection, transaction

from notifications.inbox import feed, marks
from notifications.inbox.feed import NewItem
from notifications.models import InboxCounter, InboxItem
from preferences.models import Category, User

NewItemFor = Callable[..., NewItem]


def read(frames: list[tuple[int, str]]) -> list[tuple[int, dict[str, Any]]]:
    return [(user_pk, json.loads(text)) for user_pk, text in frames]


def test_items_of_one_batch_take_consecutive_numbers_per_person(ada: User, bob: User, item_for: NewItemFor) -> None:
    feed.add_items([item_for(ada), item_for(bob), item_for(ada)])
    feed.add_items([item_for(ada)])

    assert list(InboxItem.objects.filter(user=ada).order_by("seq").values_list("seq", flat=True)) == [1, 2, 3]
    assert list(InboxItem.objects.filter(user=bob).values_list("seq", flat=True)) == [1]
    assert feed.standing(ada.pk).seq == 3


def test_the_frames_tell_each_person_of_their_items_and_their_counts(
    ada: User, bob: User, item_for: NewItemFor
) -> None:
    frames = read(feed.add_items([item_for(ada, title="One"), item_for(bob, title="Two")]))

    created = [(user_pk, frame["item"]["title"]) for user_pk, frame in frames if frame["type"] == "item.created"]
    assert created == [(ada.pk, "One"), (bob.pk, "Two")]
    counts = {user_pk: frame["counts"] for user_pk, frame in frames if frame["type"] == "counts"}
    assert counts == {pk: {"unread": 1, "unseen": 1, "total": 1} for pk in (ada.pk, bob.pk)}


def test_a_frame_holds_what_the_api_would_answer(ada: User, item_for: NewItemFor) -> None:
    frames = read(
        feed.add_items([item_for(ada, link="https://example.com", actions=[{"label": "Track", "url": "/t"}])])
    )

    assert frames[0][1]["item"] == feed.documents(list(feed.listed(ada.pk)))[0]
    assert frames[0][1]["item"]["actions"] == [{"label": "Track", "url": "/t", "primary": False, "completed": False}]


def test_adding_the_same_items_again_changes_nothing(ada: User, item_for: NewItemFor) -> None:
    first, second = item_for(ada), item_for(ada)
    feed.add_items([first])

    frames = read(feed.add_items([first, second, second]))

    assert [frame["item"]["id"] for _, frame in frames if frame["type"] == "item.created"] == [str(second.id)]
    assert feed.add_items([first, second]) == []
    assert feed.standing(ada.pk).seq == 2


def test_a_batch_costs_the_same_statements_whatever_its_size(
    item_for: NewItemFor, django_assert_max_num_queries: Any, db: None
) -> None:
    people = [User.objects.create_user(f"inbox-{number}") for number in range(50)]

    items = [item_for(person) for person in people for _ in range(4)]

    # SQLite takes a few INSERTs for as many rows, PostgreSQL one COPY.
    with django_assert_max_num_queries(3 if connection.vendor == "postgresql" else 8):
        feed.add_items(items)

    assert InboxItem.objects.filter(user__in=people).count() == 200


def test_lists_by_status_and_category(ada: User, item_for: NewItemFor) -> None:
    other = Category.objects.create(key="inbox-news", name="News")
    items = [item_for(ada), item_for(ada), item_for(ada, category=other)]
    feed.add_items(items)
    marks.mark(ada.pk, items[0].id, "read")
    marks.mark(ada.pk, items[1].id, "archive")

    def ids(**asked: str) -> list[Any]:
        return [item.pk for item in feed.listed(ada.pk, **asked)]

    assert ids() == [items[2].id, items[0].id]
    assert ids(status="unread") == [items[2].id]
    assert ids(status="read") == [items[0].id]
    assert ids(status="archived") == [items[1].id]
    assert ids(status="all", category="inbox-shipping") == [items[1].id, items[0].id]
    assert feed.standing(ada.pk).counts == {"unread": 1, "unseen": 1, "total": 2}
    assert feed.count_each(ada.pk, [("unread", ""), ("all", "inbox-shipping"), ("", "inbox-news")]) == [1, 2, 1]


def test_changes_come_oldest_first_and_say_when_there_is_more(ada: User, item_for: NewItemFor) -> None:
    feed.add_items([item_for(ada) for _ in range(5)])

    first = feed.changes(ada.pk, since=1, limit=3)
    rest = feed.changes(ada.pk, since=4, limit=3)

    assert ([item["seq"] for item in first.items], first.seq, first.more) == ([2, 3, 4], 5, True)
    assert ([item["seq"] for item in rest.items], rest.more) == ([5], False)
    assert feed.changes(ada.pk, since=5, limit=3).items == []


@pytest.mark.django_db(transaction=True)
def test_numbers_have_no_gaps_when_batches_race(item_for: NewItemFor) -> None:
    if connection.vendor != "postgresql":
        pytest.skip("PostgreSQL: needs writers side by side")
    people = [User.objects.create_user(f"inbox-race-{number}") for number in range(5)]
    batches = [[item_for(person) for person in people[::step] for _ in range(2)] for step in (1, -1) * 10]

    def add(batch: list[NewItem]) -> None:
        try:
            with transaction.atomic():
                feed.add_items(batch)
        finally:
            connection.close()

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(add, batches))

    for person in people:
        seqs = InboxItem.objects.filter(user=person).order_by("seq").values_list("seq", flat=True)
        assert list(seqs) == list(range(1, 41))
        assert InboxCounter.objects.get(user=person).seq == 40


@pytest.mark.django_db(transaction=True)
def test_two_planners_with_the_same_items_add_them_once(item_for: NewItemFor) -> None:
    if connection.vendor != "postgresql":
        pytest.skip("PostgreSQL: needs writers side by side")
    person = User.objects.create_user("inbox-twice")
    batch = [item_for(person) for _ in range(20)]

    def add(_: int) -> int:
        try:
            with transaction.atomic():
                return len(feed.add_items(batch))
        finally:
            connection.close()

    with ThreadPoolExecutor(4) as pool:
        told = list(pool.map(add, range(4)))

    assert sorted(told) == [0, 0, 0, 21]
    assert list(InboxItem.objects.order_by("seq").values_list("seq", flat=True)) == list(range(1, 21))
