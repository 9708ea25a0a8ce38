"""What receipts left to do: finding the deliveries of parked ones, and answering who wrote stop, start or help."""

import logging
from itertools import groupby

from django.db import InterfaceError, OperationalError, transaction

from notifications.models import ReceiptRecord
from notifications.receipts import answering, inbound, settling
from project.foundation import clock

logger = logging.getLogger(__name__)

_AT_ONCE = 500


def catch_up() -> int:
    """Do what is due; return how much was. Two processes at once do different parts of it.

    A database that is away is met again next time.
    """
    try:
        # Most rounds end here: one look into an index, no transaction.
        due = ReceiptRecord.objects.filter(due_at__lte=clock.now()).exists()
        count, to_answer = _settled() if due else (0, [])
    except (OperationalError, InterfaceError):
        logger.warning("receipts.no_database")
        return 0
    for row in to_answer:
        answering.answer(row)
    return count


def _settled() -> tuple[int, list[ReceiptRecord]]:
    """Settle what was parked; return how much was due, and what is to be answered, which is due no more."""
    with transaction.atomic():
        now = clock.now()
        due = ReceiptRecord.objects.select_for_update(of=("self",), skip_locked=True).filter(due_at__lte=now)
        rows = list(due.select_related("account").order_by("account_id", "id")[:_AT_ONCE])
        from_people = [row for row in rows if row.kind in inbound.KINDS]
        # Before the call and not after it: at most one answer, and nobody who asked to stop is told so twice.
        ReceiptRecord.objects.filter(id__in=[row.id for row in from_people]).update(due_at=None, address="")
        to_answer = [row for row in from_people if answering.is_due(row, now)]
        parked = [row for row in rows if row.kind not in inbound.KINDS]
        for _, group in groupby(parked, key=lambda row: row.account_id):
            of_one = list(group)
            settling.settle(of_one[0].account, of_one, now)
    return len(rows), to_answer
