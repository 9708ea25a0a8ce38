"""History past its time: whole months at once where it is partitioned, else some notifications at a time.

What is not over stays, and on PostgreSQL the month that it lies in: nothing is dropped that somebody waits for.
"""

import logging
from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import UUID

from django.db import OperationalError, transaction
from django.db.models import QuerySet

from notifications import tracking
from notifications.models import Attempt, Delivery, Event, Notification, SharedDecisions
from project.foundation import batches, ids, partitions

logger = logging.getLogger(__name__)

_SIZE = 200  # notifications in one transaction, with all that came of them
_APART = timedelta(hours=1)  # more than the clocks of who accepts and of who plans differ by
# Those that refer to others go first.
TABLES = [model._meta.db_table for model in (Event, Attempt, Delivery, Notification)]


def drop_some(bound: datetime) -> int:
    """Drop the oldest month that lies before `bound`, or delete some rows; return how much was done."""
    for month in partitions.months_before(TABLES[-1], bound):
        if _is_over(month) and _drop(month):
            return 1
    done = _delete_some(bound)
    return done or batches.delete_some(_shared(bound))


def _is_over(month: datetime) -> bool:
    """Tell whether nothing of a month is pending. What is over does not begin again: its contents went before it."""
    low, high = ids.first_id_at(month), ids.first_id_at(partitions.next_month(month))
    waiting = (
        Notification.objects.filter(id__gte=low, id__lt=high, status__in=Notification.OPEN).exists()
        or Delivery.objects.filter(id__gte=low, id__lt=high, status__in=tracking.OPEN).exists()
    )
    if waiting:
        logger.info("retention.waits", extra={"month": f"{month:%Y-%m}"})
    return not waiting


def _drop(month: datetime) -> bool:
    """Drop a month of all tables. Who reads or writes history for long makes us come again later, not wait."""
    try:
        partitions.drop(TABLES, month)
    except OperationalError:
        logger.info("retention.busy", extra={"month": f"{month:%Y-%m}"})
        return False
    logger.info("partition.dropped", extra={"month": f"{month:%Y-%m}"})
    return True


@transaction.atomic
def _delete_some(bound: datetime) -> int:
    """Delete some rows that lie in no month's partition: all of them elsewhere than on PostgreSQL."""
    before = partitions.oldest_month(TABLES[-1])
    high = ids.first_id_at(min(bound, before) if before else bound)
    rows = Notification.objects.filter(id__lt=high).exclude(status__in=Notification.OPEN)
    found = list(rows.order_by("id").select_for_update(skip_locked=True).values_list("id", flat=True)[:_SIZE])
    if found:
        _delete(found)
    return len(found)


def _delete(notifications: Sequence[UUID]) -> None:
    low, high = ids.time_bounds(list(notifications))
    theirs = Delivery.objects.filter(notification_id__in=notifications, id__gte=low, id__lt=high)
    deliveries = list(theirs.values_list("id", flat=True))
    Event.objects.filter(notification_id__in=notifications).delete()
    Attempt.objects.filter(delivery_id__in=deliveries).delete()
    Delivery.objects.filter(id__in=deliveries).delete()
    Notification.objects.filter(id__in=notifications).delete()


def _shared(bound: datetime) -> "QuerySet[SharedDecisions]":
    """Return the decisions that no notification refers to any more: they are younger than those that do."""
    oldest = Notification.objects.order_by("id").values_list("id", flat=True).first()
    before = min(bound, ids.created_at(oldest)) if oldest else bound
    return SharedDecisions.objects.filter(id__lt=ids.first_id_at(before - _APART))
