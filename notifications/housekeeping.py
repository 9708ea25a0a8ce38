"""What keeps the tables in shape: partitions ahead of time, and rows past their keeping."""

import logging
import threading
import time
from datetime import datetime

from django.db import DatabaseError

from notifications import digests, retention
from notifications.models import Attempt, Delivery, Event, Notification
from notifications.receipts import answering
from preferences import confirmations, erasure, frequency_caps
from preferences.imports.keeping import forget_before as forget_imports_before
from project.foundation import clock, partitions

logger = logging.getLogger(__name__)

HISTORY_TABLES = [model._meta.db_table for model in (Notification, Delivery, Attempt, Event)]
EVERY_SECONDS = 600.0
GO_ON_AFTER_SECONDS = 2.0  # where a round did not come to its end

_lock = threading.Lock()
_next_time = 0.0


def tidy_when_due() -> None:
    """Tidy, unless this process did so within EVERY_SECONDS and was done with it. Two processes at once do no harm."""
    global _next_time
    with _lock:
        if time.monotonic() < _next_time:
            return
        _next_time = time.monotonic() + EVERY_SECONDS
    if tidy():
        _next_time = time.monotonic() + GO_ON_AFTER_SECONDS


def tidy() -> bool:
    """Do a round of everything; return whether it did not come to an end."""
    now = clock.now()
    _make_partitions(now)
    more = retention.apply(now)
    more = erasure.look_again(now) > 0 or more
    confirmations.forget_before(now)
    frequency_caps.forget_before(now)
    forget_imports_before(now)
    digests.forget_before(now)
    answering.forget_before(now)
    return more


def _make_partitions(now: datetime) -> None:
    for table in HISTORY_TABLES:
        try:
            for name in partitions.make_ahead(table, today=now):
                logger.info("partition.made", extra={"partition": name})
        except DatabaseError:  # rows go on into the default partition, and the rest of the tidying matters too
            logger.exception("partition.failed", extra={"table": table})
