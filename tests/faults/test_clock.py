"""Clocks that jump."""

import shutil
import subprocess
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.faults import ledger
from tests.faults.ledger import Book
from tests.faults.load import send
from tests.faults.sinks import Step
from tests.faults.stack import Stack

HOUR = 3600


@pytest.fixture(scope="session")
def clock_shift(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a library that shifts the clock of whoever loads it."""
    compiler = shutil.which("cc")
    if compiler is None:
        pytest.skip("needs a C compiler")
    library = tmp_path_factory.mktemp("clock") / "clock_shift.so"
    source = Path(__file__).with_name("clock_shift.c")
    subprocess.run([compiler, "-shared", "-fPIC", "-o", library, source, "-ldl"], check=True)
    return library


@pytest.mark.faults_all
@pytest.mark.parametrize("hours", [1, -1])
def test_a_worker_whose_clock_is_an_hour_off_sends_nothing_early_twice_or_never(
    stack: Stack, book: Book, clock_shift: Path, tmp_path: Path, hours: int
) -> None:
    clock = tmp_path / "clock"
    clock.write_text("0")
    shifted = {"LD_PRELOAD": str(clock_shift), "CLOCK_SHIFT_FILE": str(clock)}
    web = stack.web(**shifted)
    stack.worker(**shifted)
    with stack.client(web) as client:
        send(client, book, "before")
        stack.until(lambda: stack.mail.taken, "the worker is up")
        due = datetime.now(tz=UTC) + timedelta(seconds=10)
        due_at = time.monotonic() + 10
        for number in range(5):
            send(client, book, f"later-{number}", number, send_at=due.isoformat())
        stack.mail.for_recipient("p7@example.com", Step.refuse("451 4.3.0 Later"), Step())

        clock.write_text(str(hours * HOUR))
        for number in range(5, 10):
            send(client, book, f"now-{number}", number)
        stack.until(lambda: len(stack.mail.taken) == 6, "what is due arrives whatever the clock says", seconds=30)
        clock.write_text("0")
        send(client, book, "after", 10)

    stack.until(lambda: len(stack.mail.taken) == 12, "what was scheduled arrives")
    early = [call for call in stack.mail.taken if call.subject.startswith("later") and call.at < due_at]
    assert early == []
    stack.until_idle()
    ledger.assert_equal(book, stack, repeats=0)
