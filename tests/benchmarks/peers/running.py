"""Running a peer from outside: its environment, its process, the clock. Imports no Django."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.benchmarks.harness import VAR, must_equal, stopwatch, tell, wait_until
from tests.benchmarks.scratch import REDIS
from tests.benchmarks.sink import Sink

ROOT = Path(__file__).resolve().parents[3]
LOCK = ROOT / "tests" / "benchmarks" / "peers.lock"
PYTHON = VAR / "venv" / "bin" / "python"
_INSTALLED = VAR / "venv" / "installed"


def install() -> None:
    """Make var/bench/venv hold exactly what peers.lock says; nothing to do when it does."""
    if _INSTALLED.exists() and _INSTALLED.read_text() == LOCK.read_text():
        return
    tell("installing the peers into var/bench/venv")
    if not PYTHON.exists():
        subprocess.run([sys.executable, "-m", "venv", str(PYTHON.parents[1])], check=True)
    uv = Path(sys.executable).with_name("uv")
    command = (
        [str(uv), "pip", "install", "--python", str(PYTHON)] if uv.exists() else [str(PYTHON), "-m", "pip", "install"]
    )
    subprocess.run([*command, "--quiet", "--require-hashes", "-r", str(LOCK)], check=True)
    _INSTALLED.write_text(LOCK.read_text())


def environment(database: str, port: int) -> dict[str, str]:
    # Not the root of ours: django-notifications-hq and Carillon both have a package named "notifications".
    return os.environ | {
        "PYTHONPATH": str(LOCK.parent),
        "DJANGO_SETTINGS_MODULE": "peers.settings",
        "PEERS_DATABASE_URL": database,
        "PEERS_MAIL_PORT": str(port),
        "PEERS_BROKER_URL": REDIS,
    }


def prepare(database: str) -> None:
    """Make the peers' tables."""
    command = [str(PYTHON), "-m", "peers.run", "tables"]
    subprocess.run(command, check=True, cwd=VAR, env=environment(database, 0))


def mails_per_second(name: str, *, database: str, sink: Sink, people: int, expected: list[int]) -> float:
    """Run a peer that mails, once; return its rate from the word to the last mail. Raises LedgerDiffers."""
    sink.reset()
    total = sum(expected)
    with _running(name, sink.port, people, environment(database, sink.port)) as process, stopwatch() as seconds:
        _go(process)
        wait_until(lambda: sink.messages >= total, seconds=300, what=f"{name}'s mails", every=0.005)
        _until_done(process)
        taken = seconds()
    must_equal(taken_by_sink=sink.messages, expected=total)
    must_equal(people_with_other_than_expected=sink.differing(expected), none=0)
    return total / taken


def rows_per_second(name: str, *, database: str, people: int) -> float:
    with _running(name, 0, people, environment(database, 0)) as process, stopwatch() as seconds:
        _go(process)
        _until_done(process)
        return people / seconds()


@contextmanager
def _running(name: str, port: int, people: int, environment: dict[str, str]) -> Iterator["subprocess.Popen[str]"]:
    module = ["peers.raw_smtp"] if name == "raw_smtp" else ["peers.run", name]
    command = [str(PYTHON), "-m", *module, str(port), str(people)]
    with (VAR / "peers.log").open("a") as log:
        process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log, text=True, cwd=VAR, env=environment
        )
    try:
        _until(process, "ready")
        yield process
        process.communicate(timeout=60)
    finally:
        if process.poll() is None:
            process.kill()
            process.communicate()


def _go(process: "subprocess.Popen[str]") -> None:
    assert process.stdin is not None
    process.stdin.write("go\n")
    process.stdin.flush()


def _until_done(process: "subprocess.Popen[str]") -> None:
    _until(process, "done")


def _until(process: "subprocess.Popen[str]", word: str) -> None:
    assert process.stdout is not None
    for line in process.stdout:
        if line.strip() == word:
            return
    raise RuntimeError(f"{process.args} ended before it said {word!r}.")
