"""Carillon's worker as production starts it, and what it weighs."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.benchmarks.harness import VAR, wait_until

LOG = VAR / "worker.log"


@contextmanager
def worker(concurrency: int, environment: dict[str, str]) -> Iterator["Worker"]:
    """Start `manage.py worker` and wait for its processes; end it as a deploy would."""
    command = [sys.executable, "manage.py", "worker", "--concurrency", str(concurrency)]
    command += ["--log-level", "ERROR", "--name", f"bench{os.getpid()}@%h"]
    with LOG.open("w") as log:
        process = subprocess.Popen(command, env=os.environ | environment, stdout=log, stderr=log)
    running = Worker(process.pid)
    try:
        wait_until(
            lambda: len(running.children()) >= concurrency or process.poll() is not None, seconds=60, what="the worker"
        )
        if process.poll() is not None:
            raise RuntimeError(f"The worker ended: {(LOG.read_text().strip().splitlines() or ['?'])[-1]}")
        yield running
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(60)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


class Worker:
    def __init__(self, pid: int) -> None:
        self.pid = pid

    def children(self) -> list[int]:
        """Return the pool's processes (Linux)."""
        try:
            return [int(pid) for pid in Path(f"/proc/{self.pid}/task/{self.pid}/children").read_text().split()]
        except OSError:
            return []

    def megabytes(self) -> float:
        """Return the proportional memory (PSS) of the parent and its children together."""
        return sum(pss_kb(pid) for pid in [self.pid, *self.children()]) / 1024


def pss_kb(pid: int) -> float:
    """Return a process's share of memory in kB: what it has to itself, and its part of what it shares (Linux)."""
    try:
        rollup = Path(f"/proc/{pid}/smaps_rollup").read_text()
    except OSError:  # it has just ended
        return 0.0
    return float(rollup.partition("\nPss:")[2].split()[0])
