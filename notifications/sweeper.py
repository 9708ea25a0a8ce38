"""A timer in every worker process that does what is due without any broker: a lost wake-up costs one round of it.

`doorbell.alarm` calls it earlier for what is due within the round: a short wait for a retry, or for a rate limit.
"""

import logging
import random
import threading

from django.conf import settings
from django.db import close_old_connections, connection

from notifications import doorbell, housekeeping, lanes, rounds, simulated_receipts, stopping
from notifications.receipts import catching_up
from preferences.imports import working

logger = logging.getLogger(__name__)


class _Sweeper(threading.Thread):
    def __init__(self) -> None:
        super().__init__(name="sweeper", daemon=True)
        self.ending = threading.Event()

    def run(self) -> None:
        while not self._over():
            doorbell.alarm.wait(settings.SWEEP_SECONDS * random.uniform(0.8, 1.2))
            if self._over():
                break
            try:
                close_old_connections()
                rounds.sweep(self._over)
                catching_up.catch_up()
                simulated_receipts.report_due()
                self._import()
                housekeeping.tidy_when_due()
            except Exception:  # a bug in one round must not end all rounds
                logger.exception("sweep.failed")
        connection.close()

    def _import(self) -> None:
        """Bring in people from files, for a moment; then look at messages again, and go on."""
        with lanes.bulk() as permitted:
            if permitted and working.advance_due(self._over):
                doorbell.alarm.set(0)

    def _over(self) -> bool:
        return self.ending.is_set() or stopping.asked()


_running: _Sweeper | None = None


def start() -> None:
    """Start this process's timer. Call it after a fork, once."""
    global _running
    _running = _Sweeper()
    _running.start()


def stop(timeout: float = 10.0) -> None:
    """Let the round under way end, and start no other. `timeout` in seconds."""
    if _running is not None:
        _running.ending.set()
        doorbell.alarm.set(0)
        _running.join(timeout)
