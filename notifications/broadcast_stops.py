"""What a broadcast's pause has put aside, and what its cancellation stops, a claim at a time.

A pause and a cancellation change the broadcast's row alone; clearance looks at that before each sub-batch.
"""

from collections.abc import Sequence
from datetime import datetime

from django.conf import settings
from django.db.models import QuerySet

from notifications import doorbell, holding, outcomes, tracking
from notifications.models import Broadcast, Delivery, Event, Notification
from notifications.tracking import Change
from project.foundation import bulk

PAUSED = "broadcast_paused"
_STOPPABLE = [Delivery.Status.SCHEDULED, Delivery.Status.QUEUED, Delivery.Status.HELD]


def wake(broadcast: Broadcast, now: datetime) -> int:
    """Put back into the queue what a pause took out of it."""
    parked = Notification.objects.filter(broadcast=broadcast, due_at__gt=now).update(due_at=now)
    held = Delivery.objects.filter(broadcast=broadcast, status=Delivery.Status.HELD, reason=PAUSED)
    found = _locked(held)
    doubtful = holding.in_doubt(found)
    tracking.record([_back(delivery, now, in_doubt=delivery.id in doubtful) for delivery in found], now=now)
    for channel in {delivery.channel for delivery in found}:
        doorbell.ring(channel)
    if parked:
        doorbell.ring(doorbell.PLAN)
    return parked + len(found)


def cancel(broadcast: Broadcast, now: datetime) -> int:
    """Cancel what waits, a claim at a time. What a worker holds is cancelled by its own look at the broadcast."""
    count = _cancel_unplanned(broadcast, now) + _cancel_deliveries(broadcast, now)
    if not count:
        broadcast.due_at = None
        broadcast.save(update_fields=["due_at"])
    return count


def _cancel_unplanned(broadcast: Broadcast, now: datetime) -> int:
    unplanned = Notification.objects.select_for_update().filter(broadcast=broadcast, due_at__isnull=False)
    found = list(unplanned.order_by("id").values_list("id", flat=True)[: settings.CLAIM_SIZE])
    Notification.objects.filter(id__in=found).update(
        status=Notification.Status.CANCELLED, due_at=None, lease=None, leased_until=None
    )
    bulk.insert([Event(notification_id=id, kind="cancelled", at=now, detail="by_caller") for id in found])
    return len(found)


def _cancel_deliveries(broadcast: Broadcast, now: datetime) -> int:
    stoppable = Delivery.objects.filter(broadcast=broadcast, status__in=_STOPPABLE)
    found = _locked(stoppable.exclude(reason=outcomes.UNKNOWN_OUTCOME))  # those may have left: clearance ends them
    doubtful = holding.in_doubt([delivery for delivery in found if delivery.status == Delivery.Status.HELD])
    changes = [
        _back(delivery, now, in_doubt=True)
        if delivery.id in doubtful
        else Change(delivery, Delivery.Status.CANCELLED, reason="by_caller")
        for delivery in found
    ]
    tracking.record(changes, now=now)
    for channel in {delivery.channel for delivery in found if delivery.id in doubtful}:
        doorbell.ring(channel)
    return len(found)


def _back(delivery: Delivery, now: datetime, *, in_doubt: bool) -> Change:
    """Return it to the queue. What may have been sent says so, and stays with its account."""
    reason = outcomes.UNKNOWN_OUTCOME if in_doubt else ""
    return Change(delivery, Delivery.Status.QUEUED, due_at=now, reason=reason)


def _locked(wanted: "QuerySet[Delivery]") -> Sequence[Delivery]:
    """Return up to a claim of these deliveries, their notifications locked before them."""
    found = list(wanted.order_by("id")[: settings.CLAIM_SIZE])
    if not found:
        return []
    tracking.lock_notifications(found)
    return list(wanted.select_for_update().filter(id__in=[delivery.id for delivery in found]).order_by("id"))
