"""A timer in every worker process that does what is due without any broker: a lost wake-up costs one round of it."""

import logging
import random
import threading

from django.conf import settings
from django.db import close_old_connections, connection

from notifications import housekeeping, rounds

logger = logging.getLogger(__name__)


class _Sweeper(threading.Thread):
    def __init__(self) -> None:
        super().__init__(name="sweeper", daemon=True)
        self.ending = threading.Event()

    def run(self) -> None:
        while not self.ending.wait(settings.SWEEP_SECONDS * random.uniform(0.8, 1.2)):
            try:
                close_old_connections()
                rounds.sweep()
                housekeeping.tidy_when_due()
            except Exception:  # a bug in one round must not end all rounds
                logger.exception("sweep.failed")
        connection.close()


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
        _running.join(timeout)
