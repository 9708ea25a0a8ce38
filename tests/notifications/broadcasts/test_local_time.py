"""Broadcasts at one time of everybody's own day."""

from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from django.db.models import F
from hypothesis import given, settings
from hypothesis import strategies as st

from notifications import broadcasts, local_time, progress
from notifications.models import AudienceMember, Broadcast, Notification, OutboxMessage
from preferences import quiet_hours
from preferences.models import User
from tests.flow import run_until_idle
from tests.notifications.broadcasts.conftest import broadcast_to, crowd, step

ZONES = ["Pacific/Apia", "Asia/Kathmandu", "America/New_York", "Europe/Berlin", "Australia/Lord_Howe", "UTC"]


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


# --- When, pure ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("zone", "at", "start", "moment"),
    [
        ("Europe/Berlin", "09:00", "2026-11-21T18:05", "2026-11-22T08:00"),
        ("Europe/Berlin", "09:00", "2026-11-22T08:00", "2026-11-22T08:00"),  # it starts at that very moment
        ("Europe/Berlin", "09:00", "2026-11-22T08:01", "2026-11-23T08:00"),  # their hour has passed: the next day
        ("Asia/Kathmandu", "09:00", "2026-11-21T18:05", "2026-11-22T03:15"),  # 5:45 ahead
        ("Pacific/Apia", "09:00", "2026-11-21T18:05", "2026-11-21T20:00"),  # it is tomorrow there already
        ("America/New_York", "09:00", "2026-11-21T18:05", "2026-11-22T14:00"),
        # The spring changes: nine o'clock is an hour earlier from that day on.
        ("Europe/Berlin", "09:00", "2026-03-28T12:00", "2026-03-29T07:00"),
        ("America/New_York", "09:00", "2026-03-07T18:00", "2026-03-08T13:00"),
        ("Europe/Berlin", "02:30", "2026-03-28T12:00", "2026-03-29T01:00"),  # does not exist: after the gap
        ("America/New_York", "02:30", "2026-03-07T18:00", "2026-03-08T07:00"),
        # The autumn changes: an hour later, and what comes twice counts once.
        ("Europe/Berlin", "09:00", "2026-10-24T12:00", "2026-10-25T08:00"),
        ("America/New_York", "09:00", "2026-10-31T18:00", "2026-11-01T14:00"),
        ("Europe/Berlin", "02:30", "2026-10-24T12:00", "2026-10-25T00:30"),
        ("Europe/Berlin", "02:30", "2026-10-25T00:45", "2026-10-26T01:30"),
        ("America/New_York", "01:30", "2026-10-31T18:00", "2026-11-01T05:30"),
        ("Pacific/Apia", "09:00", "2011-12-29T19:01", "2011-12-30T19:00"),  # the 30th was left out: the 31st
    ],
)
def test_it_is_the_next_time_that_clocks_there_show_it(zone, at, start, moment):
    assert local_time.moment(zone, time.fromisoformat(at), utc(start)) == utc(moment)


@settings(max_examples=300, deadline=None)
@given(
    st.sampled_from(ZONES),
    st.times().map(lambda each: each.replace(second=0, microsecond=0, tzinfo=None)),
    st.datetimes(datetime(2026, 1, 1), datetime(2027, 12, 31), timezones=st.just(UTC)),
)
def test_everybody_is_told_within_a_day_of_the_start_and_nobody_before(zone, at, start):
    moment = local_time.moment(zone, at, start)
    shown = moment.astimezone(ZoneInfo(zone))

    assert start <= moment <= start + timedelta(hours=25)
    if shown.time() != at:
        assert quiet_hours.local_moment(shown.date(), at, ZoneInfo(zone)) == moment, "clocks never showed it that day"


# --- In turns --------------------------------------------------------------------------------------------------------

pipeline = [pytest.mark.django_db, pytest.mark.usefixtures("outbox_accounts", "small_claims")]


def marked(test):
    for mark in pipeline:
        test = mark(test)
    return test


@pytest.fixture
def world(settings):
    """Six people each where it is now, where it is an hour later than here, and without a zone of their own."""
    settings.TIME_ZONE = "Etc/GMT-2"
    people = crowd(18)
    for zone, some in (("Etc/GMT", people[:6]), ("Etc/GMT+1", people[6:12]), ("", people[12:])):
        User.objects.filter(pk__in=[user.pk for user in some]).update(timezone=zone)
    return people


def at_this_minute(by_mail, **fields) -> Broadcast:
    """Begin a broadcast for the time of day that it is in UTC this minute."""
    now = datetime.now(tz=UTC).replace(second=0, microsecond=0)
    return broadcast_to({"all": True}, by_mail, local_time=f"{now:%H:%M}", send_at=now, **fields)


def hours_pass(hours: int) -> None:
    earlier = timedelta(hours=hours)
    AudienceMember.objects.update(tell_at=F("tell_at") - earlier)
    Broadcast.objects.filter(due_at__isnull=False).update(due_at=F("due_at") - earlier)
    Broadcast.objects.filter(turn__isnull=False).update(turn=F("turn") - earlier)


def told() -> list[str]:
    return sorted(OutboxMessage.objects.values_list("user__user_id", flat=True))


def names(people) -> list[str]:
    return sorted(user.user_id for user in people)


@marked
def test_each_is_told_when_it_is_that_time_for_them(world, by_mail):
    broadcast = at_this_minute(by_mail)

    run_until_idle()
    assert told() == names(world[:6])
    assert Notification.objects.count() == 6, "nothing is made ahead of its hour"
    found = Broadcast.objects.get()
    assert (found.status, found.total) == ("running", 18)
    assert found.due_at <= datetime.now(tz=UTC) + timedelta(minutes=1), "it looks for what a pause left behind"

    hours_pass(1)
    run_until_idle()
    assert told() == names(world[:12])

    hours_pass(20)  # where the installation is, it was that time two hours before it began
    run_until_idle()
    assert told() == names(world[:12])
    hours_pass(1)
    run_until_idle()
    assert told() == names(world)
    broadcast.refresh_from_db()
    assert (broadcast.status, progress.of(broadcast).sent) == ("completed", 18)


@marked
def test_a_pause_holds_and_resuming_tells_those_whose_hour_has_passed_and_nobody_early(world, by_mail):
    broadcast = at_this_minute(by_mail)
    step()  # finds the audience
    step()  # a first chunk
    broadcasts.pause(broadcast, actor="test")
    hours_pass(1)
    run_until_idle()
    assert told() == []

    broadcasts.resume(broadcast, actor="test")
    run_until_idle()

    assert told() == names(world[:12])
    hours_pass(21)
    run_until_idle()
    assert told() == names(world)
    assert Broadcast.objects.get().status == "completed"


@marked
def test_what_is_cancelled_reaches_nobody_any_more(world, by_mail):
    broadcast = at_this_minute(by_mail)
    run_until_idle()

    broadcasts.cancel(broadcast, actor="test")
    hours_pass(30)
    run_until_idle()

    assert told() == names(world[:6])
    found = progress.of(Broadcast.objects.get())
    assert (found.sent, found.cancelled, found.total) == (6, 12, 18)


@marked
def test_named_people_are_told_in_their_turns_too(world, by_mail):
    now = datetime.now(tz=UTC).replace(second=0, microsecond=0)
    ids = [world[0].user_id, world[6].user_id]
    broadcast_to({"user_ids": ids}, by_mail, local_time=f"{now:%H:%M}", send_at=now)

    run_until_idle()
    assert told() == ids[:1]
    hours_pass(1)
    run_until_idle()
    assert told() == ids


@marked
def test_who_moves_to_another_zone_meanwhile_is_told_once(world, by_mail):
    at_this_minute(by_mail)
    run_until_idle()
    User.objects.filter(pk__in=[user.pk for user in world[:12]]).update(timezone="Pacific/Apia")

    for _ in range(3):
        hours_pass(10)
        run_until_idle()

    assert told() == names(world)


@marked
def test_nobody_is_told_before_the_broadcast_begins(world, by_mail):
    later = datetime.now(tz=UTC).replace(second=0, microsecond=0) + timedelta(hours=5)
    broadcast_to({"all": True}, by_mail, local_time=f"{later:%H:%M}", send_at=later)

    run_until_idle()

    assert told() == [] and Broadcast.objects.get().status == "scheduled"
