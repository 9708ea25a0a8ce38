from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from notifications.retries import LONGEST, SHORTEST, GaveUp, wait_before

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
