"""What keeps the tables in shape: partitions ahead of time, and rows past their keeping."""

import logging
import threading
import time
from datetime import datetime, timedelta

from django.conf import settings
from django.db import DatabaseError

from notifications import digests
from notifications.attachments import keeping
from notifications.models import (
    Attempt,
    CallerNotificationId,
    Delivery,
    Event,
    IdempotencyRecord,
    Notification,
    OutboxMessage,
    ReceiptCall,
    ReceiptRecord,
)
from preferences import confirmations, frequency_caps
from preferences.imports.keeping import forget_before as forget_imports_before
from project.foundation import clock, ids, partitions

logger = logging.getLogger(__name__)

HISTORY_TABLES = [model._meta.db_table for model in (Notification, Delivery, Attempt, Event)]
EVERY_SECONDS = 600.0

_lock = threading.Lock()
_next_time = 0.0


def tidy_when_due() -> None:
    """Tidy, unless this process did so within EVERY_SECONDS. Two processes at once do no harm."""
    global _next_time
    with _lock:
        if time.monotonic() < _next_time:
            return
        _next_time = time.monotonic() + EVERY_SECONDS
    tidy()


def tidy() -> None:
    now = clock.now()
    _make_partitions(now)
    keeping.delete_old(now)
    OutboxMessage.objects.filter(id__lt=ids.first_id_at(now - timedelta(days=settings.OUTBOX_DAYS))).delete()
    ReceiptCall.objects.filter(id__lt=ids.first_id_at(now - timedelta(days=settings.RECEIPT_BODY_DAYS))).delete()
    ReceiptRecord.objects.filter(id__lt=ids.first_id_at(now - timedelta(days=settings.RECEIPT_DAYS))).delete()
    IdempotencyRecord.objects.filter(created_at__lt=now - settings.IDEMPOTENCY_TTL).delete()
    CallerNotificationId.objects.filter(created_at__lt=now - settings.NOTIFICATION_ID_TTL).delete()
    confirmations.forget_before(now)
    frequency_caps.forget_before(now)
    forget_imports_before(now)
    digests.forget_before(now)


def _make_partitions(now: datetime) -> None:
    for table in HISTORY_TABLES:
        try:
            for name in partitions.make_ahead(table, today=now):
                logger.info("partition.made", extra={"partition": name})
        except DatabaseError:  # rows go on into the default partition, and the rest of the tidying matters too
            logger.exception("partition.failed", extra={"table": table})
