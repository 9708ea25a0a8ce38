"""What a person does with an item is what became of its delivery."""

from uuid import UUID

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from notifications import broadcasts, planning, progress
from notifications.inbox import marks
from notifications.models import Delivery, InboxItem, Notification
from preferences.models import Category, User
from templates_app.models import Type
from tests.flow import run_until_idle
from tests.notifications.given import accepted

pytestmark = pytest.mark.django_db


@pytest.fixture
def told(ada: User, shipping: Category) -> list[UUID]:
    """Two things that ada was told in her inbox, the older one first."""
    type_ = Type.objects.create(key="SHIPPED", name="Shipped", category=shipping)
    for _ in range(2):
        accepted(ada, type_, channels_preferred=["in_app"])
    planning.plan_due()
    return list(InboxItem.objects.order_by("id").values_list("id", flat=True))


def statuses() -> list[str]:
    return list(Delivery.objects.order_by("id").values_list("status", flat=True))


def test_an_item_that_is_read_was_opened_and_one_that_is_clicked_was_clicked(ada: User, told: list[UUID]) -> None:
    marks.mark(ada.pk, told[0], "read")
    assert statuses() == ["opened", "delivered"]

    marks.mark(ada.pk, told[0], "clicked")
    marks.mark(ada.pk, told[1], "clicked")

    assert statuses() == ["clicked", "clicked"]
    first = Delivery.objects.order_by("id")[0]
    assert first.opened_at is not None and first.clicked_at is not None and first.opened_at < first.clicked_at
    assert [event.kind for event in first.events.all()][-2:] == ["opened", "clicked"]
    assert set(Notification.objects.values_list("status", flat=True)) == {"completed"}


def test_an_item_that_is_seen_was_opened(ada: User, told: list[UUID]) -> None:
    marks.mark(ada.pk, told[0], "seen")

    assert statuses() == ["opened", "delivered"]
    first = Delivery.objects.order_by("id")[0]
    assert first.opened_at == InboxItem.objects.get(id=told[0]).seen_at
    assert [event.kind for event in first.events.all()][-1] == "opened"


@pytest.mark.parametrize("act", ["archive", "unarchive", "unread"])
def test_what_is_put_away_unread_was_not_opened(ada: User, told: list[UUID], act: str) -> None:
    marks.mark(ada.pk, told[0], act)

    assert statuses() == ["delivered", "delivered"]


def test_what_was_opened_before_is_no_news(ada: User, told: list[UUID]) -> None:
    marks.mark(ada.pk, told[0], "seen")
    marks.mark_all(ada.pk, "read")
    opened = list(Delivery.objects.order_by("id").values_list("opened_at", flat=True))
    marks.mark(ada.pk, told[0], "unread")
    marks.mark(ada.pk, told[0], "read")

    assert statuses() == ["opened", "opened"]
    assert list(Delivery.objects.order_by("id").values_list("opened_at", flat=True)) == opened
    assert Delivery.objects.order_by("id")[0].events.filter(kind="opened").count() == 1


@pytest.mark.parametrize("act", ["seen", "read"])
def test_marking_all_moves_every_delivery_in_as_many_statements_as_one(
    ada: User, told: list[UUID], act: str, shipping: Category
) -> None:
    with CaptureQueriesContext(connection) as for_two:
        marks.mark_all(ada.pk, act)
    for _ in range(20):
        accepted(ada, Type.objects.get(key="SHIPPED"), channels_preferred=["in_app"])
    planning.plan_due()
    with CaptureQueriesContext(connection) as for_twenty:
        marks.mark_all(ada.pk, act)

    assert set(statuses()) == {"opened"}
    if connection.vendor == "postgresql":  # SQLite writes row by row
        assert len(for_two) == len(for_twenty)


def test_a_broadcast_counts_who_saw_it_in_their_inbox(ada: User, bob: User, shipping: Category) -> None:
    type_ = Type.objects.create(key="NEWS", name="News", category=shipping)
    payload = {"title": "News", "body": "", "link": "", "template_variables": {}}
    request = broadcasts.Request(type=type_, payload=payload, audience={"user_ids": [ada.user_id, bob.user_id]})
    broadcast = broadcasts.accept(request, actor="test").broadcast
    run_until_idle()
    item = InboxItem.objects.get(user=ada)

    marks.mark(ada.pk, item.id, "seen")

    broadcast.refresh_from_db()
    found = progress.of(broadcast)
    assert (found.delivered, found.opened) == (2, 1)


def test_what_was_sent_in_test_mode_is_not_moved(ada: User, shipping: Category) -> None:
    type_ = Type.objects.create(key="TRIED", name="Tried", category=shipping)
    accepted(ada, type_, channels_preferred=["in_app"], mode="test")
    run_until_idle()

    marks.mark_all(ada.pk, "read")

    assert statuses() == ["sent"]
