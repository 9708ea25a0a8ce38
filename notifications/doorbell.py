"""Wake-ups sent through Celery. They carry no work: a lost one costs one sweep, many at once are one.

Ringing never costs the caller: a thread of this process publishes, at most every COALESCE_SECONDS, and after a
failure keeps quiet for PAUSE_SECONDS.
"""

import logging
import os
import threading
import time
from collections.abc import Callable

from celery import current_app
from django.conf import settings
from django.db import transaction

logger = logging.getLogger(__name__)

PLAN = "plan"
COALESCE_SECONDS = 0.05
PAUSE_SECONDS = 5.0


class Alarm:
    """Wakes this process's own sweep before its time: something is due, or has room, in a moment."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._at = float("inf")  # time.monotonic()

    def set(self, seconds: float) -> None:
        """Let the sweep look in `seconds`, unless it does so earlier anyway."""
        at = time.monotonic() + seconds
        with self._changed:
            if at < self._at:
                self._at = at
                self._changed.notify_all()

    def wait(self, longest: float) -> None:
        """Wait until the alarm goes off, at most `longest` seconds."""
        end = time.monotonic() + longest
        with self._changed:
            while (remaining := min(end, self._at) - time.monotonic()) > 0:
                self._changed.wait(remaining)
            self._at = float("inf")


alarm = Alarm()


_answer: Callable[[], bool] | None = None


def answer_with(answer: Callable[[], bool] | None) -> None:
    """Let this process answer its own rings. `answer` returns at once: False when the ring has to go on to Celery."""
    global _answer
    _answer = answer


def ring(stage: str) -> None:
    """Wake a worker when the transaction commits. `stage` is PLAN, or the channel that has deliveries due."""
    if settings.DOORBELLS:
        transaction.on_commit(lambda: _ring(stage))


def _ring(stage: str) -> None:
    if _answer is None or not _answer():
        _bell().ring(stage)


class _Bell:
    """Gathers rings and publishes each stage once per round."""

    def __init__(self) -> None:
        self.process = os.getpid()
        self._stages: set[str] = set()
        self._lock = threading.Lock()
        self._wanted = threading.Event()
        threading.Thread(target=self._publish_for_ever, name="doorbell", daemon=True).start()

    def ring(self, stage: str) -> None:
        with self._lock:
            self._stages.add(stage)
        self._wanted.set()

    def _publish_for_ever(self) -> None:
        while True:
            self._wanted.wait()
            self._wanted.clear()
            with self._lock:
                stages, self._stages = self._stages, set()
            time.sleep(COALESCE_SECONDS if self._publish(stages) else PAUSE_SECONDS)

    def _publish(self, stages: set[str]) -> bool:
        try:
            for stage in sorted(stages):
                current_app.send_task("notifications.wake", args=(stage,), retry=False, ignore_result=True)
        except Exception:  # the broker's client raises whatever its transport does; the sweep will do the work
            logger.warning("doorbell.silent", extra={"stages": sorted(stages)})
            return False
        return True


_current: _Bell | None = None
_making = threading.Lock()


def _bell() -> _Bell:
    """Return this process's bell; a forked child has its own, since threads do not survive a fork."""
    global _current
    with _making:
        if _current is None or _current.process != os.getpid():
            _current = _Bell()
        return _current
