"""Webhooks have a schedule of their own, and end by themselves when nobody is there any more."""

from datetime import timedelta

import pytest
from django.db.models import F

from notifications import accounts, delivery, schedules
from notifications.models import AccountState, Delivery, Event, ProviderAccount, TroubledAddress
from notifications.providers.base import Outcome
from preferences import contact_points, webhook_secrets
from preferences.models import ContactPoint
from project.foundation import clock
from tests.flow import let_time_pass, run_until_idle
from tests.notifications.given import accepted

pytestmark = pytest.mark.django_db

FAILS = Outcome.transient("The webhook's server answered 500.")
DAY = timedelta(days=1)


@pytest.fixture
def endpoint(ada, providers):
    ProviderAccount.objects.create(name="hooks", provider="webhook", channel="webhook", options={})
    accounts.forget()
    return contact_points.add(ada, channel="webhook", address="https://hooks.example.com/in")[0]


def sent(ada, type_, **fields):
    notification = accepted(ada, type_, channels_preferred=["webhook"], **fields)
    run_until_idle()
    return Delivery.objects.get(notification=notification, channel="webhook")


def days_pass(days):
    let_time_pass(days * DAY)
    ContactPoint.objects.update(verified_at=F("verified_at") - days * DAY)
    for trouble in TroubledAddress.objects.all():
        trouble.failing_since -= days * DAY
        trouble.save()


def test_it_is_tried_ten_times_in_seventy_five_hours(ada, order_confirmation, endpoint, providers, settings):
    providers.answers["hooks"] = FAILS
    settings.WEBHOOK_DISABLE_AFTER = 30 * DAY
    delivery_ = sent(ada, order_confirmation)
    waits = []
    while delivery_.due_at:
        waits.append(delivery_.due_at - clock.now())
        let_time_pass(waits[-1] + timedelta(seconds=1))
        delivery.deliver_due("webhook")
        delivery_.refresh_from_db()

    hours = [round(wait.total_seconds() / 3600, 4) for wait in settings.WEBHOOK_RETRY_SCHEDULE[1:]]
    assert all(0.89 * hour <= wait.total_seconds() / 3600 <= hour for wait, hour in zip(waits, hours, strict=True))
    assert sum(hours) == pytest.approx(75.6, abs=0.1)
    assert (delivery_.status, delivery_.attempts, delivery_.dead) == ("failed", 10, True)


def test_it_does_not_expire_before_its_schedule_ends(ada, order_confirmation, endpoint, settings):
    planned = sent(ada, order_confirmation)

    assert planned.expires_at - planned.sent_at > timedelta(hours=75)
    assert schedules.life("email", None) == DAY
    assert schedules.life("webhook", timedelta(minutes=5)) == timedelta(minutes=5)


def test_one_that_fails_for_days_is_disabled_with_an_event(ada, order_confirmation, endpoint, providers):
    providers.answers["hooks"] = FAILS
    sent(ada, order_confirmation)
    days_pass(4)
    sent(ada, order_confirmation)
    endpoint.refresh_from_db()
    assert endpoint.disabled_at is None

    days_pass(1)
    last = sent(ada, order_confirmation)

    endpoint.refresh_from_db()
    assert (endpoint.disabled_reason, endpoint.disabled_at is not None) == ("failing", True)
    assert Event.objects.filter(kind="contact_point.disabled", delivery=last).get().detail == "failing"
    assert not TroubledAddress.objects.exists(), "enabled again, it begins anew"


def test_one_success_in_between_begins_the_days_anew(ada, order_confirmation, endpoint, providers):
    providers.answers["hooks"] = FAILS
    sent(ada, order_confirmation)
    days_pass(4)
    providers.answers["hooks"] = Outcome.accepted()
    sent(ada, order_confirmation)
    providers.answers["hooks"] = FAILS
    days_pass(2)

    sent(ada, order_confirmation)

    endpoint.refresh_from_db()
    assert endpoint.disabled_at is None


def test_another_address_begins_the_days_anew(ada, order_confirmation, endpoint, providers):
    providers.answers["hooks"] = FAILS
    sent(ada, order_confirmation)
    days_pass(6)
    contact_points.update(endpoint, address="https://other.example.com/in")

    sent(ada, order_confirmation)

    endpoint.refresh_from_db()
    assert endpoint.disabled_at is None
    assert clock.now() - TroubledAddress.objects.get().failing_since < timedelta(minutes=1)


def test_one_that_is_gone_is_disabled_at_once(ada, order_confirmation, endpoint, providers):
    providers.answers["hooks"] = Outcome.recipient("The webhook's server answered 410.", dead_address="gone")

    assert sent(ada, order_confirmation).status == "failed"

    endpoint.refresh_from_db()
    assert endpoint.disabled_reason == "gone"


def test_messages_of_test_mode_say_nothing_of_an_endpoint(ada, order_confirmation, endpoint, providers):
    providers.answers["test-outbox"] = FAILS

    sent(ada, order_confirmation, mode="test")

    assert not TroubledAddress.objects.exists()


def test_the_failures_of_endpoints_open_no_circuit(ada, order_confirmation, endpoint, providers):
    providers.answers["hooks"] = FAILS
    for _ in range(12):
        accepted(ada, order_confirmation, channels_preferred=["webhook"])
    run_until_idle()

    assert providers.sent("hooks") == 12
    assert not AccountState.objects.filter(opened_at__isnull=False).exists()


def test_after_a_rotation_both_secrets_sign_for_a_day(ada, order_confirmation, endpoint, providers, monkeypatch):
    before = endpoint.secret
    contact_points.rotate_secret(endpoint)
    given = []
    monkeypatch.setattr(
        accounts, "send", lambda account, messages: [given.append(m.secrets) or Outcome.accepted() for m in messages]
    )

    sent(ada, order_confirmation)

    assert given == [(webhook_secrets.current(endpoint.secret), before)]
