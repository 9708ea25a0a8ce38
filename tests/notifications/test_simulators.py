"""Simulator addresses act out their fates, on every channel and in test mode."""

import json
from datetime import UTC, datetime, timedelta

import pytest

from notifications import accounts, rounds, simulated_receipts, simulators
from notifications.models import AccountState, Attempt, Delivery, Event, OutboxMessage, ProviderAccount, ReceiptRecord
from notifications.simulators import NUMBERS, Fate
from preferences import addresses
from preferences.models import ContactPoint, Suppression
from project.foundation.encryption import blind_index
from tests.flow import let_time_pass, run_until_idle
from tests.notifications.given import accepted

pytestmark = pytest.mark.django_db

CHANNELS = ["email", "sms", "voice", "push", "web_push", "webhook", "chat"]


def address(channel, fate):
    match channel:
        case "email":
            return f"{fate}@simulator.carillon.test"
        case "sms" | "voice":
            return next(number for number, each in NUMBERS.items() if each == fate)
        case "push":
            return f"simulator-{fate}"
        case "web_push":
            keys = {"p256dh": "BM" + "A" * 85, "auth": "A" * 22}
            return json.dumps({"endpoint": f"https://simulator.carillon.test/{fate}", "keys": keys})
        case "webhook":
            return f"https://simulator.carillon.test/{fate}"
        case "chat":
            return f"jsons://simulator.carillon.test/{fate}"


@pytest.fixture
def meets(ada, order_confirmation):
    """Send ada one notification on one channel, to the address of a fate."""

    def meet(channel, fate, *, mode="test", type_=order_confirmation):
        ContactPoint.objects.filter(user=ada, channel=channel).delete()
        form = addresses.reachable(channel, address(channel, fate))
        index = blind_index(channel, form)
        ContactPoint.objects.create(
            user=ada, channel=channel, address=form, address_index=index, verified_at=datetime.now(tz=UTC)
        )
        type_.category.default_channels = {channel: True}
        type_.category.save()
        accepted(ada, type_, channels_preferred=[channel], mode=mode)
        run_until_idle()
        return Delivery.objects.filter(channel=channel).latest("id")

    return meet


def reported(delivery, after):
    """Let time pass, and what was to be reported be reported."""
    Delivery.objects.filter(id=delivery.id).update(sent_at=delivery.sent_at - after)
    simulated_receipts.report_due()
    delivery.refresh_from_db()
    return delivery


@pytest.mark.parametrize("channel", CHANNELS)
@pytest.mark.parametrize(
    ("fate", "at_first", "after", "in_the_end"),
    [
        ("bounce", "sent", timedelta(seconds=2), "bounced"),
        ("complaint", "sent", timedelta(seconds=2), "complained"),
        ("delay", "sent", timedelta(seconds=31), "delivered"),
    ],
)
def test_what_is_told_later_comes_as_an_event_and_moves_the_delivery_alone(
    meets, channel, fate, at_first, after, in_the_end
):
    delivery = meets(channel, fate)
    assert (delivery.status, delivery.mode) == (at_first, "test")
    simulated_receipts.report_due()
    delivery.refresh_from_db()
    assert delivery.status == at_first

    delivery = reported(delivery, after)

    assert delivery.status == in_the_end
    assert Event.objects.filter(delivery=delivery, kind=in_the_end).count() == 1
    assert simulated_receipts.report_due() == 0
    assert not Suppression.objects.exists()
    assert not ReceiptRecord.objects.exists()
    assert ContactPoint.objects.get(channel=channel).disabled_at is None


@pytest.mark.parametrize("channel", CHANNELS)
def test_an_invalid_address_fails_at_once_and_leaves_nothing_in_the_outbox(meets, channel):
    delivery = meets(channel, "invalid")

    assert (delivery.status, delivery.dead) == ("failed", False)
    assert delivery.error == "Simulated: there is no such address."
    assert not OutboxMessage.objects.exists()
    assert ContactPoint.objects.get(channel=channel).disabled_at is None


@pytest.mark.parametrize("channel", CHANNELS)
def test_a_throttled_message_waits_as_asked_and_holds_up_no_other(meets, bob, order_confirmation, channel, monkeypatch):
    delivery = meets(channel, "throttle")
    assert (delivery.status, delivery.attempts) == ("queued", 0)
    assert delivery.due_at > datetime.now(tz=UTC) + timedelta(seconds=5)
    assert Attempt.objects.get().outcome == "throttled"
    assert not AccountState.objects.exists()
    accepted(bob, order_confirmation, channels_preferred=["email"], mode="test")
    run_until_idle()
    assert Delivery.objects.get(user=bob, channel="email").status == "sent"

    monkeypatch.setattr(simulators, "THROTTLED_FOR", timedelta())
    let_time_pass(timedelta(seconds=11))
    rounds.sweep()

    delivery.refresh_from_db()
    assert (delivery.status, delivery.attempts) == ("sent", 1)


@pytest.mark.parametrize("channel", CHANNELS)
def test_a_lost_answer_is_held_where_the_category_says_so(meets, weekly_offers, channel):
    delivery = meets(channel, "unknown", type_=weekly_offers)

    assert (delivery.status, delivery.due_at) == ("unknown", None)


def test_a_lost_answer_is_tried_again_where_the_category_says_so(meets):
    delivery = meets("email", "unknown")

    assert (delivery.status, delivery.reason) == ("queued", "unknown_outcome")


def test_the_outbox_as_a_provider_acts_them_out_too_and_is_never_in_trouble(meets, outbox_accounts):
    for fate in ("throttle", "unknown", "invalid"):
        meets("email", fate, mode="live")
    assert not AccountState.objects.exists()

    delivery = reported(meets("email", "bounce", mode="live"), timedelta(seconds=2))

    assert delivery.status == "bounced"
    assert not Suppression.objects.exists()


def test_an_account_that_was_failing_and_is_the_outbox_now_takes_everything_again(ada, order_confirmation):
    row = ProviderAccount.objects.create(name="main", provider="outbox", channel="email")
    long_ago = datetime.now(tz=UTC) - timedelta(hours=1)
    AccountState.objects.create(account=row, opened_at=long_ago, failures=5, recent="-----")
    accounts.forget()
    for _ in range(3):
        accepted(ada, order_confirmation, channels_preferred=["email"])

    run_until_idle()
    let_time_pass(timedelta(seconds=2))
    run_until_idle()

    assert set(Delivery.objects.values_list("status", flat=True)) == {"sent"}
    assert AccountState.objects.get().opened_at is None
    accounts.forget()


def test_other_addresses_have_no_fate():
    assert simulators.fate("email", "bounce@example.com") is None
    assert simulators.fate("email", "ada@simulator.carillon.test") is None
    assert simulators.fate("sms", "+15005550007") is None
    assert simulators.fate("push", "bounce") is None
    assert simulators.fate("webhook", "https://example.com/?simulator.carillon.test/bounce") is None
    assert simulators.fate("in_app", "") is None


def test_each_fate_has_an_address_on_each_channel_and_the_docs_list_them(settings):
    text = (settings.BASE_DIR / "docs" / "testing.md").read_text()

    for fate in Fate:
        for channel in CHANNELS:
            form = addresses.normalise(channel, address(channel, fate))
            assert simulators.fate(channel, form) is fate
        for channel in ("email", "sms", "push", "webhook", "chat"):
            assert f"`{address(channel, fate)}`" in text
