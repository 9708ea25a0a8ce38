from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from notifications import rate_limits
from notifications.rate_limits import Bucket, Rate

NOW = datetime(2026, 11, 21, 18, 0, tzinfo=UTC)


@pytest.mark.parametrize(("text", "per_second"), [("100/s", 100), ("1200/m", 20), ("7200/h", 2), ("86400/d", 1)])
def test_a_rate_is_read(text, per_second):
    assert rate_limits.parse(text) == Rate(per_second)


def test_no_text_is_no_limit():
    assert rate_limits.parse("") is None


@pytest.mark.parametrize("text", ["0/s", "100", "100/w", "-1/s", "1.5/s", "100/s ", "1٠/s"])
def test_anything_else_is_refused(text):
    with pytest.raises(ValueError):
        rate_limits.parse(text)


def test_a_fresh_bucket_holds_a_quarter_of_a_second():
    assert rate_limits.take(Bucket(), Rate(100), 100, NOW)[0] == 25


def test_a_slow_rate_still_lets_one_go():
    taken, bucket = rate_limits.take(Bucket(), Rate(1 / 60), 10, NOW)

    assert taken == 1
    assert rate_limits.wait(bucket, Rate(1 / 60), 10, NOW) == timedelta(seconds=60)


def test_what_is_short_is_there_after_the_wait():
    rate = Rate(100)
    _, bucket = rate_limits.take(Bucket(), rate, 25, NOW)

    wait = rate_limits.wait(bucket, rate, 10, NOW)

    assert wait == timedelta(seconds=0.1)
    assert rate_limits.take(bucket, rate, 10, NOW + wait)[0] == 10


def test_a_clock_that_goes_back_gives_nothing():
    rate = Rate(100)
    _, bucket = rate_limits.take(Bucket(), rate, 25, NOW)

    taken, after = rate_limits.take(bucket, rate, 25, NOW - timedelta(hours=1))

    assert (taken, after.at) == (0, NOW)


@given(st.integers(1, 2000), st.lists(st.tuples(st.floats(0, 0.5), st.integers(1, 100)), max_size=60))
def test_no_second_sees_more_than_the_rate_and_one_burst(limit, calls):
    rate, bucket, now, sent = Rate(limit), Bucket(), NOW, []
    for passed, wanted in calls:
        now += timedelta(seconds=passed)
        taken, bucket = rate_limits.take(bucket, rate, wanted, now)
        sent.append((now, taken))

    for begin, _ in sent:
        within = sum(taken for at, taken in sent if begin <= at < begin + timedelta(seconds=1))
        assert within <= limit + rate.burst
