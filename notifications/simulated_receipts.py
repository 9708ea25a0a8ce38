"""The receipts of simulator addresses: "bounced", "complained" and, late, "delivered", as a provider would report them.

They move their delivery and nothing else: no address is suppressed, and no account is blamed.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings
from django.db import InterfaceError, OperationalError, transaction
from django.db.models import Q, QuerySet

from notifications import simulators, tracking
from notifications.models import Delivery, Mode
from notifications.simulators import Fate
from notifications.tracking import Change, Status
from project.foundation import clock


@dataclass(frozen=True)
class _Report:
    after: timedelta
    status: str
    detail: str = ""


_REPORTS = {
    Fate.BOUNCE: _Report(timedelta(seconds=1), Status.BOUNCED, "Simulated: 550 no such mailbox."),
    Fate.COMPLAINT: _Report(timedelta(seconds=1), Status.COMPLAINED, "Simulated: marked as spam."),
    Fate.DELAY: _Report(timedelta(seconds=30), Status.DELIVERED),
}


def report_due() -> int:
    """Report what is due by now, up to CLAIM_SIZE deliveries of each fate; return how many. Repeating it is harmless.

    One query a fate while there is none. A database that is away is met again next time.
    """
    try:
        return sum(_report(fate, report) for fate, report in _REPORTS.items())
    except (OperationalError, InterfaceError):
        return 0


@transaction.atomic
def _report(fate: Fate, report: _Report) -> int:
    now = clock.now()
    waiting = _waiting(fate, now - report.after)
    found = list(waiting.order_by("id")[: settings.CLAIM_SIZE])
    if not found:
        return 0
    tracking.lock_notifications(found)
    held = Delivery.objects.select_for_update().filter(id__in=[each.id for each in found], status=Status.SENT)
    changes = [
        Change(delivery, report.status, error=report.detail, provider_message_id=f"outbox-{delivery.id}")
        for delivery in held.order_by("id")
    ]
    tracking.record(changes, now=now)
    return len(changes)


def _waiting(fate: Fate, sent_before: datetime) -> "QuerySet[Delivery]":
    # A range and not LIKE, which PostgreSQL's index of these ids serves under no collation but C.
    prefix = f"{simulators.TOKEN}{fate}-"
    of_outbox = Q(mode=Mode.TEST) | Q(provider_account__provider="outbox")
    return Delivery.objects.filter(
        of_outbox,
        provider_message_id__gte=f"{prefix}0",
        provider_message_id__lt=f"{prefix}g",
        status=Status.SENT,
        sent_at__lte=sent_before,
    )
