from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from notifications.retries import LONGEST, SHORTEST, GaveUp, read_retry_after, wait_before

SCHEDULE = [timedelta(seconds=seconds) for seconds in (0, 5, 30)]


def wait(attempt, *, jitter=1.0, retry_after=None):
    return wait_before(attempt, schedule=SCHEDULE, jitter=lambda: jitter, retry_after=retry_after)


def test_waits_follow_the_schedule():
    assert [wait(2), wait(3)] == SCHEDULE[1:]


def test_the_schedule_ends():
    with pytest.raises(GaveUp):
        wait(4)


@given(st.floats(0, 1), st.sampled_from([2, 3]))
def test_jitter_shortens_and_never_lengthens(jitter, attempt):
    assert timedelta() <= wait(attempt, jitter=jitter) <= SCHEDULE[attempt - 1]


@given(st.floats(0, 1), st.floats(0, 10**9))
def test_a_provider_is_never_asked_again_before_it_said(jitter, retry_after):
    found = wait(2, jitter=jitter, retry_after=retry_after)

    assert SHORTEST <= found <= LONGEST
    assert found >= min(timedelta(seconds=retry_after), LONGEST)


NOW = datetime(2026, 11, 21, 18, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("120", 120),
        (" 7 ", 7),
        ("0", 1),
        ("1.5", 1.5),
        ("999999999", 24 * 3600),
        ("Sat, 21 Nov 2026 18:02:00 GMT", 120),
        ("Sat, 21 Nov 2026 19:02:00 +0100", 120),
        ("Saturday, 21-Nov-26 18:02:00 GMT", 120),
        ("Sat, 21 Nov 2026 17:00:00 GMT", 1),
        ("Sat, 21 Nov 2099 18:00:00 GMT", 24 * 3600),
    ],
)
def test_retry_after_is_read_in_both_forms(value, seconds):
    assert read_retry_after(value, NOW) == seconds


@pytest.mark.parametrize("value", ["", "soon", "-5", "١٢", "nan", "inf", "1e", "Sat, 99 Nov 2026 18:00:00 GMT"])
def test_a_retry_after_that_says_nothing_is_none(value):
    assert read_retry_after(value, NOW) is None


@given(st.text())
def test_any_retry_after_is_survived(value):
    found = read_retry_after(value, NOW)

    assert found is None or 1 <= found <= 24 * 3600
