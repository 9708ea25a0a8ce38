from datetime import UTC, datetime, timedelta

from notifications import breaker
from notifications.breaker import Breaker, Phase

NOW = datetime(2026, 11, 21, 18, 0, tzinfo=UTC)
LATER = NOW + breaker.OPEN_FOR


def test_five_failures_in_a_row_open_it():
    four = breaker.after(Breaker(), [False] * 4, NOW)

    assert breaker.phase(four, NOW) is Phase.CLOSED
    assert breaker.phase(breaker.after(four, [False], NOW), NOW) is Phase.OPEN


def test_a_success_between_starts_the_count_anew():
    broken = breaker.after(Breaker(), [False, False, False, False, True, False, False, False, False], NOW)

    assert breaker.phase(broken, NOW) is Phase.CLOSED
    assert broken.failures == 4


def test_half_of_the_last_twenty_open_it():
    nine_of_nineteen = breaker.after(Breaker(), [True] + [False, True] * 9, NOW)

    assert breaker.phase(nine_of_nineteen, NOW) is Phase.CLOSED
    assert breaker.phase(breaker.after(nine_of_nineteen, [False], NOW), NOW) is Phase.OPEN


def test_less_than_half_leave_it_closed():
    steady = breaker.after(Breaker(), [False, False, True, True, True] * 20, NOW)

    assert breaker.phase(steady, NOW) is Phase.CLOSED
    assert len(steady.recent) == breaker.WINDOW


def test_thirty_seconds_later_one_may_try():
    opened = breaker.after(Breaker(), [False] * 5, NOW)

    assert breaker.phase(opened, LATER - timedelta(milliseconds=1)) is Phase.OPEN
    assert breaker.phase(opened, LATER) is Phase.HALF_OPEN


def test_while_one_tries_the_others_wait_but_not_for_ever():
    probing = Breaker(5, "-----", NOW, probe_until=LATER + timedelta(seconds=60))

    assert breaker.phase(probing, LATER) is Phase.PROBING
    assert breaker.phase(probing, LATER + timedelta(seconds=60)) is Phase.HALF_OPEN


def test_a_probe_that_works_closes_it_with_a_clean_slate():
    opened = breaker.after(Breaker(), [False] * 5, NOW)

    assert breaker.after(opened, [True], LATER, probe=True) == Breaker()


def test_a_probe_that_fails_opens_it_again():
    opened = breaker.after(Breaker(), [False] * 5, NOW)

    again = breaker.after(opened, [False], LATER, probe=True)

    assert breaker.phase(again, LATER + timedelta(seconds=29)) is Phase.OPEN
    assert breaker.phase(again, LATER + timedelta(seconds=30)) is Phase.HALF_OPEN


def test_a_probe_without_an_answer_lets_another_try():
    probing = Breaker(5, "-----", NOW, probe_until=LATER + timedelta(seconds=60))

    assert breaker.phase(breaker.after(probing, [], LATER, probe=True), LATER) is Phase.HALF_OPEN


def test_what_was_under_way_when_it_opened_changes_nothing():
    opened = breaker.after(Breaker(), [False] * 5, NOW)

    assert breaker.after(opened, [True, False], LATER) == opened


def test_a_clean_breaker_need_not_be_written():
    assert Breaker().clean and breaker.after(Breaker(), [True] * 3, NOW).clean
    assert not breaker.after(Breaker(), [False], NOW).clean
