"""What a mail costs in processor time: figures that other machines can be reckoned from."""

import os
from collections.abc import Callable, Iterable
from pathlib import Path

from django.db import connection

from tests.benchmarks.fleet import Worker
from tests.benchmarks.harness import Measured

_TICKS = os.sysconf("SC_CLK_TCK")  # a second


class Costs:
    """Adds up, run by run, what the worker and its database connections used."""

    def __init__(self, worker: Worker) -> None:
        self._worker = worker
        self.of_worker = Measured("processor time of the worker for a mail", "µs")
        self.of_database = Measured("processor time of PostgreSQL's connections for a mail", "µs")

    def of(self, act: Callable[[], float], *, mails: int) -> float:
        """Run `act`, note what it cost a mail, return what it returns."""
        worker, database = _seconds(self._tree()), _seconds(_connections())
        result = act()
        self.of_worker.per_round.append((_seconds(self._tree()) - worker) / mails * 1e6)
        self.of_database.per_round.append((_seconds(_connections()) - database) / mails * 1e6)
        return result

    def _tree(self) -> list[int]:
        return [self._worker.pid, *self._worker.children()]


def _connections() -> list[int]:
    """Return the server's processes of this database, but for our own; they stay as long as the workers do."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND pid != pg_backend_pid()"
        )
        return [int(pid) for (pid,) in cursor.fetchall()]


def _seconds(pids: Iterable[int]) -> float:
    """Return the processor time of these processes until now (Linux; PostgreSQL on this machine)."""
    total = 0
    for pid in pids:
        try:
            fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        except OSError:  # it has ended, or lives on another machine
            continue
        total += int(fields[11]) + int(fields[12])  # utime, stime
    return total / _TICKS
