import json
from collections.abc import Callable
from typing import Any
from uuid import uuid4

import pytest
from pytest_django import DjangoCaptureOnCommitCallbacks

from notifications.inbox import feed, hub, marks
from notifications.inbox.feed import NewItem
from notifications.models import InboxItem
from preferences.models import Category, User
from project.foundation.problems import InvalidRequest, NotFound

NewItemFor = Callable[..., NewItem]


@pytest.fixture
def told(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    """Return the list that receives every frame that is published."""
    frames: list[dict[str, Any]] = []
    monkeypatch.setattr(hub, "publish", lambda new: frames.extend(json.loads(text) for _, text in new))
    return frames


def test_reading_an_item_marks_it_seen_too_and_takes_a_number(ada: User, item_for: NewItemFor) -> None:
    item = item_for(ada)
    feed.add_items([item])

    read = marks.mark(ada.pk, item.id, "read")

    assert read["read_at"] is not None
    assert read["seen_at"] is not None
    assert read["seq"] == feed.standing(ada.pk).seq == 2


def test_a_mark_that_changes_nothing_takes_no_number(ada: User, item_for: NewItemFor) -> None:
    item = item_for(ada)
    feed.add_items([item])

    once = marks.mark(ada.pk, item.id, "read")
    twice = marks.mark(ada.pk, item.id, "read")

    assert twice == once


@pytest.mark.parametrize(
    ("act", "undo", "field"), [("read", "unread", "read_at"), ("archive", "unarchive", "archived_at")]
)
def test_marks_can_be_undone(ada: User, item_for: NewItemFor, act: str, undo: str, field: str) -> None:
    item = item_for(ada)
    feed.add_items([item])

    assert marks.mark(ada.pk, item.id, act)[field] is not None
    assert marks.mark(ada.pk, item.id, undo)[field] is None


def test_reading_keeps_the_moment_it_was_first_seen(ada: User, item_for: NewItemFor) -> None:
    item = item_for(ada)
    feed.add_items([item])

    seen = marks.mark(ada.pk, item.id, "seen")
    read = marks.mark(ada.pk, item.id, "read")

    assert read["seen_at"] == seen["seen_at"]


@pytest.mark.parametrize("act", marks.MARKS)
def test_nobody_can_mark_what_is_another_persons(ada: User, bob: User, item_for: NewItemFor, act: str) -> None:
    item = item_for(ada)
    feed.add_items([item])
    before = InboxItem.objects.values().get()

    with pytest.raises(NotFound):
        marks.mark(bob.pk, item.id, act)
    with pytest.raises(NotFound):
        marks.mark(ada.pk, uuid4(), act)

    assert InboxItem.objects.values().get() == before
    assert feed.standing(bob.pk).seq == 0


def test_marking_all_gives_each_item_its_own_number_in_one_statement(
    ada: User, bob: User, item_for: NewItemFor, django_assert_max_num_queries: Any
) -> None:
    items = [item_for(person) for person in (ada, ada, bob, ada)]
    feed.add_items(items)
    marks.mark(ada.pk, items[0].id, "archive")

    with django_assert_max_num_queries(9):  # transaction 2, clock, counter 2, items, deliveries, counts, frames
        marked = marks.mark_all(ada.pk, "read")

    assert (marked.changed, marked.standing.counts, marked.standing.seq) == (
        2,
        {"unread": 0, "unseen": 0, "total": 2},
        6,
    )
    assert list(InboxItem.objects.filter(user=ada).order_by("id").values_list("seq", flat=True)) == [4, 5, 6]
    assert feed.standing(bob.pk).counts["unread"] == 1


def test_marking_all_of_a_category_leaves_the_others(ada: User, item_for: NewItemFor) -> None:
    other = Category.objects.create(key="inbox-news", name="News")
    feed.add_items([item_for(ada), item_for(ada, category=other)])

    assert marks.mark_all(ada.pk, "archive", category="inbox-news").changed == 1
    assert [item.category.key for item in feed.listed(ada.pk)] == ["inbox-shipping"]


def test_every_open_socket_of_the_person_is_told_after_the_commit(
    ada: User,
    item_for: NewItemFor,
    told: list[dict[str, Any]],
    django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks,
) -> None:
    feed.add_items([item_for(ada), item_for(ada)])

    with django_capture_on_commit_callbacks(execute=True):
        marks.mark_all(ada.pk, "seen")
        assert told == []

    assert [(frame["type"], frame.get("item", frame)["seq"]) for frame in told] == [
        ("item.updated", 3),
        ("item.updated", 4),
        ("counts", 4),
    ]


def test_very_many_changes_are_told_in_one_frame(
    ada: User,
    item_for: NewItemFor,
    told: list[dict[str, Any]],
    django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks,
) -> None:
    feed.add_items([item_for(ada) for _ in range(marks.RESYNC_ABOVE + 1)])

    with django_capture_on_commit_callbacks(execute=True):
        marks.mark_all(ada.pk, "read")

    assert [frame["type"] for frame in told] == ["resync", "counts"]


def test_a_clicked_action_is_completed(ada: User, item_for: NewItemFor) -> None:
    item = item_for(ada, actions=[{"label": "Pay", "url": "/pay"}, {"label": "Later", "url": "/later"}])
    feed.add_items([item])

    clicked = marks.mark(ada.pk, item.id, "clicked", action=1)

    assert [action["completed"] for action in clicked["actions"]] == [False, True]
    assert clicked["read_at"] is not None
    assert clicked["seq"] == feed.standing(ada.pk).seq
    with pytest.raises(InvalidRequest):
        marks.mark(ada.pk, item.id, "clicked", action=2)


def test_the_kept_counts_are_what_there_is_whatever_was_done(ada: User, item_for: NewItemFor) -> None:
    items = [item_for(ada) for _ in range(6)]
    feed.add_items(items[:4])
    for act, number in (("seen", 0), ("read", 1), ("archive", 2), ("archive", 1), ("unarchive", 1), ("unread", 1)):
        marks.mark(ada.pk, items[number].id, act)
    feed.add_items(items)
    marks.mark_all(ada.pk, "seen")
    feed.add_items(items)

    kept = feed.standing(ada.pk)

    assert kept == feed.recount(ada.pk, seq=kept.seq)
    assert kept.counts == {"unread": 5, "unseen": 0, "total": 5}
