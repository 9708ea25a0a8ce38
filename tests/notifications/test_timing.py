"""Quiet hours, from the rule to the message that leaves when they are over."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4
from zoneinfo import ZoneInfo

import pytest

from notifications import cancellation, leases, planning, timing
from notifications.models import Delivery, Notification, OutboxMessage
from preferences.decisions import CategoryFacts, Person
from tests.flow import let_time_pass, run_until_idle
from tests.notifications.given import accepted

NIGHT = {"timezone": None, "weekly": [{"days": ["mon", "tue", "wed", "thu", "fri", "sat", "sun"]}]}
OFFERS = CategoryFacts("offers", "Offers")
TEN = timedelta(minutes=10)


def quiet(start: str, end: str, zone: str | None = None) -> dict:
    return {"timezone": zone, "weekly": [NIGHT["weekly"][0] | {"from": start, "until": end}]}


def ada_with(quiet_hours: dict) -> Person:
    return Person(pk=1, user_id="ada", timezone="Europe/Berlin", quiet_hours=quiet_hours)


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def around_now(user, *, hours: int) -> str:
    """Give a person quiet hours that began an hour ago and last for `hours` more; return when they end, local."""
    local = datetime.now(tz=ZoneInfo(user.timezone))
    end = (local + timedelta(hours=hours)).replace(second=0, microsecond=0)
    user.quiet_hours = quiet(f"{local - timedelta(hours=1):%H:%M}", f"{end:%H:%M}")
    user.save()
    return end.astimezone(UTC)


@pytest.fixture
def at(monkeypatch):
    """Let planning and clearance believe that it is a given moment."""

    def pretend(moment: datetime) -> None:
        claim = leases.claim
        monkeypatch.setattr(planning.leases, "claim", lambda *a, **k: replace(claim(*a, **k), now=moment))

    return pretend


# --- The rule --------------------------------------------------------------------------------------------------------


def test_quiet_hours_hold_back_every_channel_but_the_inbox():
    ada = ada_with(quiet("22:00", "07:00"))
    at_night = utc("2026-01-10T23:30")

    assert timing.quiet_until(ada, OFFERS, "email", at_night) == utc("2026-01-11T06:00")
    assert timing.quiet_until(ada, OFFERS, "push", at_night) == utc("2026-01-11T06:00")
    assert timing.quiet_until(ada, OFFERS, "in_app", at_night) is None
    assert timing.quiet_until(ada, OFFERS, "email", utc("2026-01-10T12:00")) is None


def test_an_urgent_category_breaks_through():
    urgent = CategoryFacts("account", "Account", required=frozenset({"email"}), urgent=True)
    required = CategoryFacts("orders", "Orders", required=frozenset({"email"}))
    ada = ada_with(quiet("22:00", "07:00"))

    assert timing.quiet_until(ada, urgent, "email", utc("2026-01-10T23:30")) is None
    assert timing.quiet_until(ada, required, "email", utc("2026-01-10T23:30")) == utc("2026-01-11T06:00")


@pytest.mark.parametrize(
    ("now", "end"),
    [
        ("2026-03-28T22:30", "2026-03-29T05:00"),  # the night of the spring change: 07:00 is 05:00 UTC from now on
        ("2026-10-24T21:30", "2026-10-25T06:00"),  # and of the autumn one
    ],
)
def test_seven_in_the_morning_is_seven_local_through_both_clock_changes(now, end):
    assert timing.quiet_until(ada_with(quiet("22:00", "07:00")), OFFERS, "email", utc(now)) == utc(end)


def test_what_waited_is_spread_and_each_delivery_keeps_its_place():
    ada, end = ada_with(quiet("22:00", "07:00")), utc("2026-01-11T06:00")
    ids = [uuid4() for _ in range(200)]

    moments = [timing.release_at(ada, end, id, TEN) for id in ids]

    assert moments == [timing.release_at(ada, end, id, TEN) for id in ids]
    assert min(moments) >= end and max(moments) < end + TEN
    assert len(set(moments)) > 100


def test_the_spread_does_not_reach_into_the_next_quiet_hours():
    ada = ada_with(
        {"timezone": "UTC", "weekly": [*quiet("22:00", "07:00")["weekly"], *quiet("07:01", "12:00")["weekly"]]}
    )
    last = UUID(int=2**128 - 1)

    assert timing.release_at(ada, utc("2026-01-11T07:00"), last, TEN) == utc("2026-01-11T07:00")


# --- The pipeline ----------------------------------------------------------------------------------------------------


@pytest.mark.django_db
def test_a_message_waits_for_the_end_of_quiet_hours_and_then_goes(ada, order_confirmation, outbox_accounts):
    end = around_now(ada, hours=2)
    notification = accepted(ada, order_confirmation, channels_preferred=["email", "in_app"])

    run_until_idle()

    email = Delivery.objects.get(channel="email")
    assert (email.status, email.reason) == ("scheduled", "quiet_hours")
    assert end <= email.due_at < end + TEN
    assert email.expires_at - email.due_at == timedelta(hours=24)  # counted from when it first comes due
    assert Delivery.objects.get(channel="in_app").status == "delivered"
    notification.refresh_from_db()
    assert notification.status == "scheduled"
    held = {decision["channel"]: decision for decision in notification.decided}
    assert datetime.fromisoformat(held["email"]["held_until"]) == end
    assert held["email"]["when"] == held["email"]["held_until"]
    assert (held["email"]["allowed"], held["email"]["rule"]) == (True, "required")
    assert held["email"]["text"].endswith(
        f"last until {end.astimezone(ZoneInfo(ada.timezone)):%A, %H:%M}, so it waits until then."
    )
    assert held["in_app"]["held_until"] is None
    assert not OutboxMessage.objects.exists()

    ada.quiet_hours = quiet(f"{end:%H:%M}", f"{end + timedelta(hours=1):%H:%M}", "UTC")  # as if two hours had gone by
    ada.save()
    let_time_pass(timedelta(hours=2, minutes=11))
    run_until_idle()

    assert Delivery.objects.get(channel="email").status == "sent"
    notification.refresh_from_db()
    assert notification.status == "completed"


@pytest.mark.django_db
def test_high_priority_alone_does_not_break_through_and_an_urgent_category_does(
    ada, order_confirmation, outbox_accounts
):
    around_now(ada, hours=2)
    accepted(ada, order_confirmation, channels_preferred=["email"], priority="HIGH")
    run_until_idle()
    assert Delivery.objects.get().status == "scheduled"

    order_confirmation.category.urgent = True
    order_confirmation.category.save()
    urgent = accepted(ada, order_confirmation, channels_preferred=["email"])
    run_until_idle()

    assert Delivery.objects.get(notification=urgent).status == "sent"


@pytest.mark.django_db
def test_quiet_hours_that_were_made_longer_hold_it_back_again(ada, order_confirmation, outbox_accounts):
    around_now(ada, hours=1)
    accepted(ada, order_confirmation, channels_preferred=["email"])
    run_until_idle()
    expires_at = Delivery.objects.get().expires_at

    end = around_now(ada, hours=5)
    let_time_pass(timedelta(hours=1, minutes=11))
    run_until_idle()

    email = Delivery.objects.get()
    assert email.status == "scheduled" and end <= email.due_at < end + TEN
    assert email.expires_at == expires_at
    assert [event.kind for event in email.events.all()] == ["scheduled", "scheduled"]


@pytest.mark.django_db
def test_quiet_hours_that_began_after_planning_hold_it_back(ada, order_confirmation, outbox_accounts):
    accepted(ada, order_confirmation, channels_preferred=["email"])
    planning.plan_due()
    assert Delivery.objects.get().status == "queued"

    around_now(ada, hours=2)
    run_until_idle()

    assert Delivery.objects.get().status == "scheduled"
    assert not OutboxMessage.objects.exists()


@pytest.mark.django_db
def test_what_waits_for_quiet_hours_can_be_cancelled(ada, order_confirmation, outbox_accounts):
    around_now(ada, hours=2)
    notification = accepted(ada, order_confirmation, channels_preferred=["email"])
    run_until_idle()

    assert cancellation.cancel(notification.id).status == "cancelled"

    let_time_pass(timedelta(days=1))
    run_until_idle()
    assert Delivery.objects.get().status == "cancelled"
    assert not OutboxMessage.objects.exists()


@pytest.mark.django_db
def test_what_waits_expires_when_its_caller_says_so(ada, order_confirmation, outbox_accounts):
    around_now(ada, hours=2)
    soon = datetime.now(tz=UTC) + timedelta(minutes=30)
    accepted(ada, order_confirmation, channels_preferred=["email"], expires_at=soon)
    run_until_idle()

    let_time_pass(timedelta(hours=3))
    Delivery.objects.update(expires_at=datetime.now(tz=UTC))
    run_until_idle()

    assert Delivery.objects.get().status == "expired"


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("now", "end"), [("2026-03-28T22:30", "2026-03-29T05:00"), ("2026-10-24T21:30", "2026-10-25T06:00")]
)
def test_a_message_planned_on_the_night_of_a_clock_change_goes_at_seven_local(
    bob, order_confirmation, outbox_accounts, at, settings, now, end
):
    settings.QUIET_HOURS_JITTER = timedelta()
    bob.quiet_hours = quiet("22:00", "07:00")
    bob.save()
    notification = accepted(bob, order_confirmation, channels_preferred=["email"])

    at(utc(now))
    planning.plan_due()

    assert Delivery.objects.get().due_at == utc(end)
    assert Notification.objects.get(id=notification.id).status == "scheduled"
    at(utc(end))
    run_until_idle()
    assert Delivery.objects.get().status == "sent"
