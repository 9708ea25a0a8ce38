"""What a person does with an item is what became of its delivery."""

from uuid import UUID

import pytest

from notifications import planning
from notifications.inbox import marks
from notifications.models import Delivery, InboxItem, Notification
from preferences.models import Category, User
from templates_app.models import Type
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


def test_what_is_read_again_or_seen_alone_is_no_news(ada: User, told: list[UUID]) -> None:
    marks.mark(ada.pk, told[0], "seen")
    assert statuses() == ["delivered", "delivered"]

    marks.mark_all(ada.pk, "read")
    opened = list(Delivery.objects.order_by("id").values_list("opened_at", flat=True))
    marks.mark(ada.pk, told[0], "unread")
    marks.mark(ada.pk, told[0], "read")

    assert statuses() == ["opened", "opened"]
    assert list(Delivery.objects.order_by("id").values_list("opened_at", flat=True)) == opened
