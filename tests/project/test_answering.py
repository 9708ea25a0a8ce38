import threading
from collections.abc import Callable, Iterator

import pytest

from notifications import rounds, stopping
from project.embedded import _Answering

SECONDS = 5


@pytest.fixture
def start(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[Callable[[], None]], _Answering]]:
    """Start a thread whose pass is the given function; it ends with the test."""
    threads: list[_Answering] = []

    def begin(sweep: Callable[[], None]) -> _Answering:
        monkeypatch.setattr(rounds, "sweep", sweep)
        threads.append(_Answering())
        threads[0].start()
        return threads[0]

    yield begin
    stopping.ask()
    threads[0]._rung.set()
    threads[0].join(SECONDS)
    stopping.withdraw()
    assert not threads[0].is_alive()


def test_a_ring_is_answered_at_once_and_while_it_is_at_work_it_takes_no_other(
    start: Callable[[Callable[[], None]], _Answering],
) -> None:
    begun, go_on = threading.Semaphore(0), threading.Semaphore(0)

    def sweep() -> None:
        begun.release()
        go_on.acquire(timeout=SECONDS)

    answering = start(sweep)
    assert answering.answer()
    assert begun.acquire(timeout=SECONDS)

    assert not answering.answer()

    go_on.release()
    while not answering.answer():
        pass
    assert begun.acquire(timeout=SECONDS)
    go_on.release()


def test_a_pass_that_fails_is_not_the_last(
    start: Callable[[Callable[[], None]], _Answering], caplog: pytest.LogCaptureFixture
) -> None:
    passes = threading.Semaphore(0)

    def sweep() -> None:
        passes.release()
        raise ZeroDivisionError

    answering = start(sweep)
    for _ in range(2):
        while not answering.answer():
            pass
        assert passes.acquire(timeout=SECONDS)

    assert "answering.failed" in caplog.text


def test_what_it_rings_for_itself_needs_nobody_else(start: Callable[[Callable[[], None]], _Answering]) -> None:
    answers: list[bool] = []
    passes = threading.Semaphore(0)

    def sweep() -> None:
        if not answers:
            answers.append(answering.answer())
        passes.release()

    answering = start(sweep)
    assert answering.answer()

    assert passes.acquire(timeout=SECONDS) and passes.acquire(timeout=SECONDS)
    assert answers == [True]
