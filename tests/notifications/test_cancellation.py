import pytest

from notifications import accounts, cancellation, clearance, delivery, leases, planning
from notifications.models import Delivery, Notification
from notifications.providers.base import Outcome
from notifications.routing import Allotment
from tests.flow import run_until_idle
from tests.notifications.given import accepted, given_delivery

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("outbox_accounts")]


def test_what_is_not_planned_yet_is_cancelled_whole(ada, order_confirmation):
    notification = accepted(ada, order_confirmation)

    cancelled = cancellation.cancel(notification.id)
    run_until_idle()

    assert (cancelled.status, cancelled.due_at) == ("cancelled", None)
    assert not Delivery.objects.exists()
    assert [event.kind for event in cancelled.events.all()] == ["cancelled"]


def test_queued_deliveries_are_cancelled_with_their_reason(ada, order_confirmation):
    notification = accepted(ada, order_confirmation, channels_preferred=["email", "sms"])
    planning.plan_due()

    assert cancellation.cancel(notification.id).status == "cancelled"

    run_until_idle()
    assert set(Delivery.objects.values_list("status", "reason")) == {("cancelled", "by_caller")}


def test_what_has_left_cannot_be_cancelled(ada, order_confirmation):
    notification = accepted(ada, order_confirmation)
    run_until_idle()

    with pytest.raises(cancellation.AlreadyLeft):
        cancellation.cancel(notification.id)

    assert Notification.objects.get().status == "completed"


def test_what_is_being_sent_is_not_stopped(ada, order_confirmation):
    given_delivery(ada, order_confirmation, status="sending")

    with pytest.raises(cancellation.AlreadyLeft):
        cancellation.cancel(Notification.objects.get().id)


def test_a_cancellation_after_the_claim_still_stops_the_call(ada, order_confirmation, monkeypatch):
    notification = accepted(ada, order_confirmation, channels_preferred=["email"])
    planning.plan_due()
    calls = []
    monkeypatch.setattr(accounts, "send", lambda account, messages: calls.append(messages) or [Outcome.accepted()])
    claim = leases.claim(Delivery, limit=10, channel="email")
    going = clearance.sort(claim.rows, Allotment(delivery._route("email")), claim.now)

    cancellation.cancel(notification.id)

    assert delivery._begin(going, claim) == []
    assert Delivery.objects.get().status == "cancelled"
