"""Weekly windows in a person's time zone, through midnight and both clock changes."""

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from preferences import quiet_hours
from preferences.quiet_hours import DAYS, QuietHours, Window

ZONES = ["America/New_York", "Australia/Lord_Howe", "Asia/Kathmandu", "Europe/Berlin", "Pacific/Apia"]
NIGHTS = {"weekly": [{"days": list(DAYS), "from": "22:00", "until": "07:00"}]}


def at(text, zone):
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone)).astimezone(UTC)


def nights(zone):
    return quiet_hours.read(NIGHTS, zone=zone)


@pytest.mark.parametrize("zone", ZONES)
def test_a_night_ends_in_the_morning_where_the_person_lives(zone):
    quiet = nights(zone)

    assert quiet_hours.ends(quiet, at("2026-07-01T23:30", zone)) == at("2026-07-02T07:00", zone)
    assert quiet_hours.ends(quiet, at("2026-07-02T06:59", zone)) == at("2026-07-02T07:00", zone)
    assert quiet_hours.ends(quiet, at("2026-07-02T07:00", zone)) is None
    assert quiet_hours.ends(quiet, at("2026-07-02T21:59", zone)) is None


@pytest.mark.parametrize(
    ("zone", "day"),
    [
        ("Europe/Berlin", "2026-03-28"),
        ("Europe/Berlin", "2026-10-24"),
        ("America/New_York", "2026-03-07"),
        ("America/New_York", "2026-10-31"),
        ("Australia/Lord_Howe", "2026-04-04"),
        ("Australia/Lord_Howe", "2026-10-03"),
    ],
)
def test_a_night_in_which_the_clocks_change_still_ends_at_seven(zone, day):
    start, morning = at(f"{day}T22:00", zone), at(f"{day}T07:00", zone) + timedelta(days=1)
    local = quiet_hours.ends(nights(zone), start).astimezone(ZoneInfo(zone))

    assert (local.hour, local.minute) == (7, 0)
    assert local.astimezone(UTC) != morning, "the night is not nine hours long"


def test_a_time_that_does_not_exist_is_the_first_moment_after_the_gap():
    quiet = QuietHours((Window(6, time(1), time(2, 30)),), "Europe/Berlin")

    assert quiet_hours.ends(quiet, at("2026-03-29T01:10", "Europe/Berlin")) == datetime(2026, 3, 29, 1, tzinfo=UTC)


def test_a_time_that_exists_twice_is_the_first_of_the_two():
    quiet = QuietHours((Window(6, time(1), time(2, 30)),), "Europe/Berlin")

    assert quiet_hours.ends(quiet, datetime(2026, 10, 24, 23, 10, tzinfo=UTC)) == datetime(
        2026, 10, 25, 0, 30, tzinfo=UTC
    )
    assert quiet_hours.ends(quiet, datetime(2026, 10, 25, 1, 10, tzinfo=UTC)) is None, "02:10 the second time is open"


def test_a_day_that_a_country_left_out_is_over_when_the_next_one_begins():
    moment = quiet_hours.local_moment(date(2011, 12, 30), time(12), ZoneInfo("Pacific/Apia"))

    assert moment == datetime(2011, 12, 30, 10, tzinfo=UTC)


def test_windows_that_meet_are_one():
    quiet = quiet_hours.read(
        {
            "timezone": "Asia/Kathmandu",
            "weekly": [
                {"days": ["mon"], "from": "22:00", "until": "07:00"},
                {"days": ["tue"], "from": "07:00", "until": "08:30"},
            ],
        },
        zone="Europe/Berlin",
    )

    assert quiet_hours.ends(quiet, at("2026-11-23T23:00", "Asia/Kathmandu")) == at("2026-11-24T08:30", "Asia/Kathmandu")


def test_a_window_that_ends_when_it_starts_lasts_a_day():
    quiet = QuietHours((Window(5, time(9), time(9)),), "UTC")

    assert quiet_hours.ends(quiet, datetime(2026, 11, 22, 8, 59, tzinfo=UTC)) == datetime(2026, 11, 22, 9, tzinfo=UTC)


def test_a_week_without_an_open_minute_is_known():
    whole = QuietHours(tuple(Window(day, time(5), time(5)) for day in range(7)), "UTC")
    but_one = QuietHours((*whole.windows[:6], Window(6, time(5), time(4, 59))), "UTC")

    assert quiet_hours.leaves_no_minute(whole)
    assert not quiet_hours.leaves_no_minute(but_one)


def test_nothing_stored_is_no_quiet():
    assert quiet_hours.read(None, zone="UTC") is None
    assert quiet_hours.read({"weekly": []}, zone="UTC") is None


_times = st.builds(time, st.integers(0, 23), st.sampled_from([0, 15, 30, 59]))
_windows = st.lists(st.builds(Window, st.integers(0, 6), _times, _times), min_size=1, max_size=4)
_moments = st.datetimes(datetime(2026, 1, 1), datetime(2027, 12, 31), timezones=st.just(UTC))


@given(_windows, _moments, st.sampled_from(ZONES))
def test_quiet_ends_at_an_open_moment_and_not_before(windows, moment, zone):
    quiet = QuietHours(tuple(windows), zone)
    if quiet_hours.leaves_no_minute(quiet):
        return
    end = quiet_hours.ends(quiet, moment)
    if end is None:
        return

    assert moment < end <= moment + timedelta(days=9)
    assert quiet_hours.ends(quiet, end) is None
    assert quiet_hours.ends(quiet, end - timedelta(seconds=1)) == end


@given(_windows, _moments)
def test_where_clocks_never_change_quiet_is_what_the_wall_clock_says(windows, moment):
    quiet = QuietHours(tuple(windows), "Asia/Kathmandu")
    local = moment.astimezone(ZoneInfo("Asia/Kathmandu"))
    minute = local.weekday() * 1440 + local.hour * 60 + local.minute

    def covers(window):
        start = window.weekday * 1440 + window.start.hour * 60 + window.start.minute
        until = window.end.hour * 60 + window.end.minute - window.start.hour * 60 - window.start.minute
        return (minute - start) % 10080 < (until % 1440 or 1440)

    assert (quiet_hours.ends(quiet, moment) is not None) == any(covers(window) for window in windows)
