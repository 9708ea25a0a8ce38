"""When things go, where people live: quiet hours and digests in five zones, at both clock changes and on a lost day."""

import itertools
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from notifications import leases, planning, timing
from notifications.models import Delivery
from preferences import quiet_hours
from preferences.channels import CHANNELS
from preferences.decisions import CategoryFacts, Facts, Person
from preferences.quiet_hours import DAYS
from tests.flow import run_until_idle
from tests.notifications.given import accepted

ZONES = ["America/New_York", "Australia/Lord_Howe", "Asia/Kathmandu", "Europe/Berlin", "Pacific/Apia"]
OFFERS = CategoryFacts("offers", "Offers")
TEN = timedelta(minutes=10)
# The evening before, and how many hours lie between 22:00 and 07:00 that night. Kathmandu never changes its clocks;
# Apia did until 2021, and left out a whole Friday in 2011.
NIGHTS = [
    ("America/New_York", "2026-03-07", 8),
    ("America/New_York", "2026-10-31", 10),
    ("Australia/Lord_Howe", "2026-10-03", 8.5),  # by half an hour
    ("Australia/Lord_Howe", "2026-04-04", 9.5),
    ("Europe/Berlin", "2026-03-28", 8),
    ("Europe/Berlin", "2026-10-24", 10),
    ("Asia/Kathmandu", "2026-03-28", 9),
    ("Pacific/Apia", "2020-09-26", 8),
    ("Pacific/Apia", "2021-04-03", 10),
    ("Pacific/Apia", "2026-03-28", 9),
]


def sleeper(zone: str, *, start: str = "22:00", end: str = "07:00", **wishes) -> Person:
    weekly = [{"days": list(DAYS), "from": start, "until": end}]
    return Person(pk=1, user_id="ada", timezone=zone, quiet_hours={"timezone": None, "weekly": weekly}, **wishes)


def local(day: str, clock: str, zone: str) -> datetime:
    return datetime.fromisoformat(f"{day}T{clock}").replace(tzinfo=ZoneInfo(zone)).astimezone(UTC)


# --- Quiet hours -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("zone", "evening", "hours"), NIGHTS)
def test_a_message_of_the_evening_goes_at_seven_local_however_long_the_night_is(zone, evening, hours):
    asleep = local(evening, "22:00", zone)

    end = timing.quiet_until(sleeper(zone), OFFERS, "email", asleep)

    assert f"{end.astimezone(ZoneInfo(zone)):%H:%M}" == "07:00"
    assert end - asleep == timedelta(hours=hours)
    assert timing.quiet_until(sleeper(zone), OFFERS, "email", end) is None
    assert timing.quiet_until(sleeper(zone), OFFERS, "email", end - timedelta(seconds=1)) == end


@pytest.mark.parametrize(("zone", "evening", "hours"), NIGHTS)
def test_every_moment_of_that_night_waits_for_the_same_morning(zone, evening, hours):
    asleep = local(evening, "22:00", zone)
    moments = [asleep + timedelta(minutes=5) * n for n in range(int(hours * 12))]

    assert len({timing.quiet_until(sleeper(zone), OFFERS, "email", moment) for moment in moments}) == 1


def test_a_night_that_ends_in_the_gap_ends_where_the_clocks_go_on():
    # Lord Howe skips 02:00 to 02:30, Berlin 02:00 to 03:00.
    island = timing.quiet_until(
        sleeper("Australia/Lord_Howe", end="02:15"), OFFERS, "sms", local("2026-10-03", "23:00", "Australia/Lord_Howe")
    )
    berlin = timing.quiet_until(
        sleeper("Europe/Berlin", end="02:30"), OFFERS, "sms", local("2026-03-28", "23:00", "Europe/Berlin")
    )

    assert island == datetime(2026, 10, 3, 15, 30, tzinfo=UTC)
    assert berlin == datetime(2026, 3, 29, 1, tzinfo=UTC)


def test_a_night_that_ends_at_a_time_that_comes_twice_ends_at_the_first():
    end = timing.quiet_until(
        sleeper("America/New_York", end="01:30"), OFFERS, "push", local("2026-10-31", "23:00", "America/New_York")
    )

    assert end == datetime(2026, 11, 1, 5, 30, tzinfo=UTC)


def test_a_night_before_a_day_that_was_left_out_ends_in_the_morning_after():
    end = timing.quiet_until(sleeper("Pacific/Apia"), OFFERS, "email", local("2011-12-29", "23:00", "Pacific/Apia"))

    assert end == local("2011-12-31", "07:00", "Pacific/Apia")
    assert timing.quiet_until(sleeper("Pacific/Apia"), OFFERS, "email", end) is None


@pytest.mark.parametrize(("zone", "evening", "_hours"), NIGHTS)
def test_what_waited_is_spread_over_the_first_minutes_of_the_day(zone, evening, _hours):
    person = sleeper(zone)
    end = timing.quiet_until(person, OFFERS, "email", local(evening, "23:00", zone))

    moments = [timing.release_at(person, end, UUID(int=n << 24), TEN) for n in range(0, 256, 16)]

    assert min(moments) == end and max(moments) < end + TEN and len(set(moments)) == 16
    assert all(timing.quiet_until(person, OFFERS, "email", moment) is None for moment in moments)


@pytest.fixture
def at(monkeypatch):
    """Let planning and clearance believe that it is a given moment."""
    claim = leases.claim

    def pretend(moment: datetime) -> None:
        monkeypatch.setattr(planning.leases, "claim", lambda *a, **k: replace(claim(*a, **k), now=moment))

    return pretend


def come_due() -> None:
    """Make what waits for a night of next year due, as the database's clock has it."""
    Delivery.objects.update(due_at=datetime.now(tz=UTC) - timedelta(minutes=1))


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("zone", "evening"),
    [
        ("America/New_York", "2027-03-13"),
        ("America/New_York", "2027-11-06"),
        ("Australia/Lord_Howe", "2027-10-02"),
        ("Asia/Kathmandu", "2027-03-13"),
        ("Pacific/Apia", "2027-03-13"),
    ],
)
def test_the_pipeline_keeps_it_until_then_and_asks_again(
    ada, order_confirmation, outbox_accounts, at, settings, zone, evening
):
    settings.QUIET_HOURS_JITTER = timedelta()
    ada.timezone, ada.quiet_hours = zone, dict(sleeper(zone).quiet_hours)
    ada.save()
    accepted(ada, order_confirmation, channels_preferred=["email"])
    at(local(evening, "23:00", zone))
    planning.plan_due()
    email = Delivery.objects.get()
    morning = email.due_at
    assert (email.status, f"{morning.astimezone(ZoneInfo(zone)):%H:%M}") == ("scheduled", "07:00")

    ada.quiet_hours = dict(sleeper(zone, end="08:00").quiet_hours)  # they sleep longer now
    ada.save()
    come_due()
    at(morning)
    run_until_idle()
    email = Delivery.objects.get()
    assert (email.status, email.due_at) == ("scheduled", morning + timedelta(hours=1))

    come_due()
    at(morning + timedelta(hours=1))
    run_until_idle()
    assert Delivery.objects.get().status == "sent"


# --- All that bears on when, at once ---------------------------------------------------------------------------------


def test_every_combination_of_what_bears_on_when_is_as_the_documentation_says():
    """in_app at once · the digest, unless required · quiet hours, unless urgent. The digest goes before quiet hours."""
    asleep, awake = datetime(2026, 7, 1, 23, tzinfo=UTC), datetime(2026, 7, 1, 12, tzinfo=UTC)
    cases = itertools.product(
        CHANNELS, (False, True), (False, True), (False, True), (False, True), ("WEEKLY_OFFERS", timing.DAILY_DIGEST)
    )
    for channel, required, urgent, daily, quiet, type_key in cases:
        now = asleep if quiet else awake
        category = CategoryFacts("offers", "Offers", required=frozenset({channel} if required else ()), urgent=urgent)
        person = sleeper("UTC", digests={"offers": "daily"} if daily else {})
        facts = Facts(person, category, now, type_key)

        gathered = timing.gathered(facts, channel) is not None
        waits = timing.quiet_until(person, category, channel, now) is not None

        rings = channel != "in_app"
        assert gathered is (rings and daily and not required and type_key != timing.DAILY_DIGEST)
        assert waits is (rings and quiet and not urgent)


# --- Digests ---------------------------------------------------------------------------------------------------------


@settings(deadline=None)
@given(
    st.sampled_from(ZONES),
    st.sampled_from(["2026-03-06", "2026-03-27", "2026-04-03", "2026-10-02", "2026-10-23", "2026-10-30", "2011-12-28"]),
    st.times().map(lambda each: f"{each:%H:%M}"),
)
def test_a_digest_comes_once_on_each_local_date_at_its_hour(zone, day, clock):
    """A worker that looks every quarter of an hour for five days around a clock change, or a lost day."""
    person = Person(pk=1, user_id="ada", timezone=zone, digest_at=clock)
    begin = datetime.fromisoformat(day).replace(tzinfo=UTC)
    looks = [begin + timedelta(minutes=15) * n for n in range(5 * 24 * 4)]

    days = list(dict.fromkeys(timing.digest_day(person, now, "09:00") for now in looks))
    moments = [timing.digest_moment(person, each, "09:00") for each in days]

    assert moments == sorted(set(moments))
    assert [moment.astimezone(ZoneInfo(zone)).date() for moment in moments] == days
    for each, moment in zip(days, moments, strict=True):
        shown = moment.astimezone(ZoneInfo(zone))
        wanted = datetime.fromisoformat(f"{each}T{clock}")
        if shown.replace(tzinfo=None) != wanted:  # clocks never showed it: the first moment after
            assert wanted < shown.replace(tzinfo=None) <= wanted + timedelta(hours=1)
            assert quiet_hours.local_moment(each, wanted.time(), ZoneInfo(zone)) == moment


def test_a_date_that_was_left_out_has_no_digest_and_the_next_one_has_one():
    samoan = Person(pk=1, user_id="ada", timezone="Pacific/Apia")
    after_thursdays = local("2011-12-29", "10:00", "Pacific/Apia")

    following = timing.digest_day(samoan, after_thursdays, "09:00")

    assert f"{following}" == "2011-12-31"
    assert timing.digest_moment(samoan, following, "09:00") == local("2011-12-31", "09:00", "Pacific/Apia")
