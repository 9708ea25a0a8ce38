"""What becomes of a notification when its one delivery has been sent by whoever planned it."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from notifications import accounts, delivery, tracking
from notifications.models import Delivery, Notification
from notifications.providers.base import Outcome
from tests.flow import run_until_idle
from tests.notifications.broadcasts.conftest import broadcast_to, crowd, taken_up
from tests.notifications.troubled import account

pytestmark = pytest.mark.django_db


def test_a_report_that_is_quicker_than_our_record_says_what_the_notification_is(by_mail, sent, monkeypatch):
    written = taken_up(by_mail, count=2)
    bounced = written.claim.rows[0].id
    record = tracking.record_alone

    def overtaken(*args, **how):
        Delivery.objects.filter(id=bounced).update(status="bounced", due_at=None, lease=None, leased_until=None)
        return record(*args, **how)

    monkeypatch.setattr(tracking, "record_alone", overtaken)
    for _ in delivery.deliver_written(written):
        continue

    assert sorted(Notification.objects.values_list("deliveries__status", "status")) == [
        ("bounced", "failed"),
        ("sent", "completed"),
    ]


@pytest.mark.parametrize("answer, status", [("recipient", "failed"), ("transient", "processing")])
def test_what_a_refusal_makes_of_a_notification(by_mail, monkeypatch, answer, status):
    account("mail")
    monkeypatch.setattr(accounts, "send", lambda account, messages: [Outcome(answer)] * len(messages))
    for _ in delivery.deliver_written(taken_up(by_mail, count=2)):
        continue

    assert list(Notification.objects.values_list("status", flat=True)) == [status] * 2


def test_a_notification_on_two_channels_is_what_both_come_to(weekly_offers, sent, outbox_accounts):
    weekly_offers.category.default_channels = {"in_app": True, "email": True}
    weekly_offers.category.save()
    crowd(3)
    broadcast_to({"all": True}, weekly_offers)
    run_until_idle()

    assert len(sent) == 3
    assert list(Notification.objects.values_list("status", flat=True)) == ["completed"] * 3


def test_notifications_are_locked_in_the_order_of_their_ids_where_no_plans_are_kept(by_mail, sent):
    """Behind a pooler, say: or two that end the same notifications wait for each other."""
    if connection.vendor != "postgresql":
        pytest.skip("SQLite has one writer at a time")
    written = taken_up(by_mail, count=3)
    with CaptureQueriesContext(connection) as asked:
        for _ in delivery.deliver_written(written):
            continue

    touching = [each["sql"] for each in asked if "notifications_notification" in each["sql"]]
    taking_locks = [sql for sql in touching if "FOR UPDATE" in sql or sql.startswith(("UPDATE", "WITH"))]
    assert "ORDER BY" in taking_locks[0] and "FOR UPDATE" in taking_locks[0]
