from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from notifications import leases, planning
from notifications.models import Delivery, InboxItem, Notification
from preferences.models import Preference
from tests.flow import let_time_pass
from tests.notifications.conftest import person
from tests.notifications.given import accepted

pytestmark = pytest.mark.django_db


def statuses():
    return {delivery.channel: (delivery.status, delivery.reason) for delivery in Delivery.objects.all()}


def test_every_channel_is_put_to_the_rules(ada, order_confirmation):
    notification = accepted(ada, order_confirmation)

    planning.plan_due()

    notification.refresh_from_db()
    rules = {decision["channel"]: (decision["allowed"], decision["rule"]) for decision in notification.decided}
    assert rules["email"] == (True, "required")
    assert rules["sms"] == (False, "channel_default")
    assert rules["in_app"] == (True, "channel_default")
    assert rules["push"] == (False, "no_contact_point")
    assert statuses() == {"email": ("queued", ""), "in_app": ("delivered", "")}
    assert (notification.status, notification.due_at) == ("processing", None)


def test_an_in_app_message_is_in_the_inbox_when_the_plan_is_committed(ada, order_confirmation):
    notification = accepted(ada, order_confirmation, channels_preferred=["in_app"])

    planning.plan_due()

    item = InboxItem.objects.get()
    assert (item.user, item.notification_id, item.seq) == (ada, notification.id, 1)
    assert item.content["title"] == "Hello" and item.content["body"] == "It works."
    notification.refresh_from_db()
    assert notification.status == "completed"


def test_channels_preferred_are_the_only_ones_and_outrank_defaults(ada, weekly_offers):
    accepted(ada, weekly_offers, channels_preferred=["sms"])

    planning.plan_due()

    assert statuses() == {"sms": ("queued", "")}


def test_an_opted_out_channel_is_skipped_with_its_reason(ada, weekly_offers):
    Preference.objects.create(user=ada, category=weekly_offers.category, channel="email", enabled=False)
    notification = accepted(ada, weekly_offers, channels_preferred=["email"])

    planning.plan_due()

    assert statuses() == {"email": ("skipped", "opted_out_channel")}
    notification.refresh_from_db()
    assert notification.status == "completed"


def test_a_channel_that_was_asked_for_and_has_no_address_is_skipped_with_its_reason(ada, weekly_offers):
    accepted(ada, weekly_offers, channels_preferred=["push"])

    planning.plan_due()

    assert statuses() == {"push": ("skipped", "no_contact_point")}


def test_test_mode_touches_no_inbox(ada, order_confirmation):
    accepted(ada, order_confirmation, mode="test")

    planning.plan_due()

    assert not InboxItem.objects.exists()
    assert statuses()["in_app"] == ("queued", "")


def test_what_is_past_its_expiry_is_not_planned(ada, order_confirmation):
    notification = accepted(ada, order_confirmation, expires_at=datetime.now(tz=UTC) + timedelta(minutes=1))
    Notification.objects.update(expires_at=datetime.now(tz=UTC) - timedelta(seconds=1))

    planning.plan_due()

    notification.refresh_from_db()
    assert (notification.status, notification.due_at) == ("expired", None)
    assert [event.kind for event in notification.events.all()] == ["expired"]
    assert not Delivery.objects.exists()


def test_one_notification_that_cannot_be_planned_does_not_hold_up_the_others(ada, order_confirmation, weekly_offers):
    bad = accepted(ada, weekly_offers)
    Notification.objects.update(type_id=0)
    good = accepted(ada, order_confirmation)

    planning.plan_due()

    bad.refresh_from_db()
    good.refresh_from_db()
    assert (bad.status, good.status) == ("failed", "processing")
    assert bad.events.get().detail.startswith("Planning failed")


def test_a_notification_that_ends_its_worker_again_without_its_text_is_given_up_on(ada, order_confirmation, settings):
    notification = accepted(ada, order_confirmation)
    for _ in range(4):  # after the third its in-app text is left out: see test_poison
        leases.claim(Notification, limit=10)
        let_time_pass(timedelta(seconds=settings.LEASE_SECONDS + 1))

    planning.plan_due()

    notification.refresh_from_db()
    assert notification.status == "failed"


def test_a_plan_whose_lease_was_lost_is_not_written(ada, order_confirmation, monkeypatch):
    accepted(ada, order_confirmation)
    store = planning._store

    def taken_over(plans, claim):
        Notification.objects.update(status="cancelled", due_at=None, lease=None)
        store(plans, claim)

    monkeypatch.setattr(planning, "_store", taken_over)
    planning.plan_due()

    assert Notification.objects.get().status == "cancelled"
    assert not Delivery.objects.exists() and not InboxItem.objects.exists()


def statements(count, prefix, type_):
    for n in range(count):
        accepted(person(f"{prefix}{n:03}"), type_)
    with CaptureQueriesContext(connection) as queries:
        planning.plan_due()
    return len(queries)


def test_a_batch_costs_the_same_statements_whatever_its_size(order_confirmation):
    planning.plan_due()
    few, many = statements(2, "a", order_confirmation), statements(40, "b", order_confirmation)

    if connection.vendor == "postgresql":
        assert many == few
    else:  # SQLite updates row by row, and inserts a few dozen at a time
        assert many <= few + 38 + 5
