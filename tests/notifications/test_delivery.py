from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from notifications import accounts, clearance, delivery, leases, planning
from notifications.models import Attempt, Delivery, InboxCounter, Notification, OutboxMessage, ProviderAccount
from notifications.providers.base import Outcome
from notifications.routing import Allotment
from preferences.models import ContactPoint, Preference
from project.foundation.encryption import blind_index
from tests.flow import let_time_pass, run_until_idle
from tests.notifications.given import accepted

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("outbox_accounts")]


@pytest.fixture
def provider(monkeypatch):
    """Answers of a provider, one per message, in the order of `answers` (the last one goes on)."""

    class Provider:
        answers = [Outcome.accepted("id-1")]
        calls = []

    def send(account, messages):
        Provider.calls.append([message.to for message in messages])
        assert not any(attempt.outcome != "open" for attempt in Attempt.objects.filter(finished_at=None))
        return [Provider.answers.pop(0) if len(Provider.answers) > 1 else Provider.answers[0] for _ in messages]

    Provider.calls = []
    monkeypatch.setattr(accounts, "send", send)
    return Provider


def email_of(notification):
    return Delivery.objects.get(notification_id=notification.id, channel="email")


def planned(user, type_, **fields):
    notification = accepted(user, type_, channels_preferred=["email"], **fields)
    planning.plan_due()
    return notification


def test_an_accepted_message_is_sent_and_stands_in_the_outbox(ada, order_confirmation):
    notification = accepted(ada, order_confirmation)

    run_until_idle()

    notification.refresh_from_db()
    assert notification.status == "completed"
    assert email_of(notification).status == "sent"
    message = OutboxMessage.objects.get(channel="email")
    assert (message.user, message.to, message.mode) == (ada, "ada@example.com", "live")
    assert "Hello" in message.parts["subject"]


def test_test_mode_goes_to_the_outbox_on_every_channel(ada, order_confirmation):
    ProviderAccount.objects.all().delete()
    accounts.forget()
    accepted(ada, order_confirmation, mode="test", channels_preferred=["email", "sms", "in_app"])

    run_until_idle()

    assert {message.channel for message in OutboxMessage.objects.filter(mode="test")} == {"email", "sms", "in_app"}


def test_the_try_is_on_record_with_the_hash_of_what_was_said(ada, order_confirmation, provider):
    notification = planned(ada, order_confirmation)

    delivery.deliver_due("email")

    attempt = Attempt.objects.get()
    assert (attempt.number, attempt.outcome, len(attempt.message_hash)) == (1, "accepted", 32)
    assert attempt.snapshot["email"] == "ada@example.com"
    assert email_of(notification).provider_message_id == "id-1"


def test_a_transient_failure_is_tried_again_later_and_then_given_up_on(ada, order_confirmation, provider, settings):
    settings.RETRY_SCHEDULE = [timedelta(), timedelta(seconds=5), timedelta(seconds=30)]
    provider.answers = [Outcome.transient("451 try later")]
    notification = planned(ada, order_confirmation)

    for _ in range(3):
        delivery.deliver_due("email")
        let_time_pass(timedelta(minutes=1))

    stored = email_of(notification)
    assert (stored.status, stored.dead, stored.attempts, stored.due_at) == ("failed", True, 3, None)
    assert [event.kind for event in stored.events.all()] == ["queued", "queued", "failed"]
    notification.refresh_from_db()
    assert notification.status == "failed"


def test_a_retry_waits_in_the_database(ada, order_confirmation, provider):
    provider.answers = [Outcome.transient("451", retry_after=120)]
    notification = planned(ada, order_confirmation)

    delivery.deliver_due("email")

    stored = email_of(notification)
    assert stored.status == "queued"
    assert stored.due_at > datetime.now(tz=UTC) + timedelta(seconds=100)
    assert delivery.deliver_due("email") == 0


def test_a_refused_recipient_fails_at_once(ada, order_confirmation, provider):
    provider.answers = [Outcome.recipient("550 5.1.1 no such user")]
    notification = planned(ada, order_confirmation)

    delivery.deliver_due("email")

    stored = email_of(notification)
    assert (stored.status, stored.dead, stored.error) == ("failed", False, "550 5.1.1 no such user")


def test_a_refused_account_holds_the_row(ada, order_confirmation, provider):
    provider.answers = [Outcome.account("535 authentication failed")]
    notification = planned(ada, order_confirmation)

    delivery.deliver_due("email")

    assert (email_of(notification).status, email_of(notification).reason) == ("held", "account")
    notification.refresh_from_db()
    assert notification.status == "processing"


def test_without_an_account_the_row_is_held(ada, order_confirmation):
    ProviderAccount.objects.filter(channel="email").delete()
    accounts.forget()
    notification = planned(ada, order_confirmation)

    delivery.deliver_due("email")

    assert (email_of(notification).status, email_of(notification).reason) == ("held", "account")


@pytest.mark.parametrize(("policy", "expected"), [("resend", "queued"), ("hold", "unknown")])
def test_an_unknown_outcome_follows_the_category(ada, weekly_offers, provider, policy, expected):
    weekly_offers.category.unknown_outcome = policy
    weekly_offers.category.save()
    provider.answers = [Outcome.unknown("The connection broke after the message.")]
    notification = planned(ada, weekly_offers)

    delivery.deliver_due("email")

    assert email_of(notification).status == expected


@pytest.mark.parametrize(("policy", "calls", "expected"), [("resend", 1, "sent"), ("hold", 0, "unknown")])
def test_a_worker_lost_during_the_call_leaves_the_outcome_unknown(
    ada, weekly_offers, provider, settings, monkeypatch, policy, calls, expected
):
    monkeypatch.setattr("notifications.providers.outbox.Outbox.keeps_messages", False)
    weekly_offers.category.unknown_outcome = policy
    weekly_offers.category.save()
    notification = planned(ada, weekly_offers)
    claim = leases.claim(Delivery, limit=10)
    going = clearance.sort(claim.rows, Allotment(delivery._route("email")), claim.now)
    delivery._begin(going, claim)  # … and the worker dies here
    let_time_pass(timedelta(seconds=settings.LEASE_SECONDS + 1))

    delivery.deliver_due("email")

    assert len(provider.calls) == calls
    assert email_of(notification).status == expected
    assert Attempt.objects.order_by("number").first().outcome == "unknown"


def test_an_opt_out_after_planning_stops_the_message(ada, weekly_offers, provider):
    notification = planned(ada, weekly_offers)
    Preference.objects.create(user=ada, category=weekly_offers.category, channel="email", enabled=False)

    delivery.deliver_due("email")

    assert provider.calls == []
    assert (email_of(notification).status, email_of(notification).reason) == ("cancelled", "opted_out")
    notification.refresh_from_db()
    assert notification.status == "cancelled"


def test_an_address_removed_after_planning_stops_the_message(ada, weekly_offers, provider):
    notification = planned(ada, weekly_offers)
    ContactPoint.objects.filter(user=ada, channel="email").delete()

    delivery.deliver_due("email")

    assert provider.calls == []
    assert email_of(notification).status == "cancelled"


def test_an_expired_delivery_is_not_sent(ada, order_confirmation, provider):
    notification = planned(ada, order_confirmation)
    Delivery.objects.update(expires_at=datetime.now(tz=UTC) - timedelta(seconds=1))

    delivery.deliver_due("email")

    assert provider.calls == []
    notification.refresh_from_db()
    assert (email_of(notification).status, notification.status) == ("expired", "expired")


def test_outcomes_are_committed_sub_batch_by_sub_batch(ada, weekly_offers, provider, settings):
    settings.FLUSH_SIZE = 3
    for _ in range(7):
        accepted(ada, weekly_offers, channels_preferred=["email"])
    planning.plan_due()

    while delivery.deliver_due("email"):
        continue

    assert [len(call) for call in provider.calls] == [3, 3, 1]
    assert set(Delivery.objects.values_list("status", flat=True)) == {"sent"}


def test_outcomes_of_rows_taken_over_meanwhile_leave_their_status_alone(ada, order_confirmation, monkeypatch):
    notification = planned(ada, order_confirmation)

    def send(account, messages):
        Delivery.objects.update(lease=None)  # another worker's lease in real life
        return [Outcome.accepted("late")]

    monkeypatch.setattr(accounts, "send", send)
    delivery.deliver_due("email")

    assert email_of(notification).status == "sending"
    assert Attempt.objects.get().outcome == "accepted"


def test_the_last_two_deliveries_of_a_notification_complete_it(ada, order_confirmation):
    notification = accepted(ada, order_confirmation, channels_preferred=["email", "sms"])

    run_until_idle()

    assert Notification.objects.get(id=notification.id).status == "completed"
    assert set(Delivery.objects.values_list("status", flat=True)) == {"sent"}


@pytest.mark.parametrize("stopped_by", ["opt-out", "expiry"])
def test_what_may_have_been_sent_is_called_neither_cancelled_nor_expired(ada, weekly_offers, provider, stopped_by):
    weekly_offers.category.unknown_outcome = "resend"
    weekly_offers.category.save()
    provider.answers = [Outcome.unknown("The connection broke after the message.")]
    notification = planned(ada, weekly_offers)
    delivery.deliver_due("email")
    if stopped_by == "opt-out":
        Preference.objects.create(user=ada, category=weekly_offers.category, channel="email", enabled=False)
    else:
        Delivery.objects.update(expires_at=datetime.now(tz=UTC) - timedelta(seconds=1))
    let_time_pass(timedelta(hours=2))

    delivery.deliver_due("email")

    assert len(provider.calls) == 1
    assert email_of(notification).status == "failed"


@pytest.mark.parametrize(("channel", "badge"), [("push", 3), ("web_push", None)])
def test_a_push_says_how_much_is_unread_in_one_query(ada, bob, order_confirmation, monkeypatch, channel, badge):
    told = {}
    monkeypatch.setattr(
        accounts,
        "send",
        lambda account, messages: [
            told.update({message.about.user_id: message.about.badge}) or Outcome.accepted() for message in messages
        ],
    )
    for user, unread in ((ada, 3), (bob, None)):
        address = f"device-of-{user.user_id}"
        index = blind_index(channel, address)
        ContactPoint.objects.create(user=user, channel=channel, address=address, address_index=index)
        if unread is not None:
            InboxCounter.objects.create(user=user, unread=unread, total=5)
        accepted(user, order_confirmation, channels_preferred=[channel])
    planning.plan_due()

    with CaptureQueriesContext(connection) as asked:
        delivery.deliver_due(channel)

    assert told == {"ada": badge, "bob": None}
    counters = [query for query in asked if "inboxcounter" in query["sql"]]
    assert len(counters) == (1 if channel == "push" else 0)
