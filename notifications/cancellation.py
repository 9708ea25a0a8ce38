"""Stopping what has not left: cancelled means that it never goes out."""

from uuid import UUID

from django.db import transaction

from notifications import digests, outcomes, tracking
from notifications.models import Delivery, Event, Notification
from notifications.tracking import Change, Status
from project.foundation import clock, ids
from project.foundation.problems import Conflict

_STOPPABLE = {Status.SCHEDULED, Status.QUEUED, Status.HELD}


class AlreadyLeft(Conflict):
    code, title = "already_left", "Nothing of this notification is left to cancel."


@transaction.atomic
def cancel(notification_id: UUID) -> Notification:
    """Cancel every part of a notification that has not left; return it as it now stands.

    A delivery under way is not stopped, nor one that waits for another try though it may have been taken: to call
    that cancelled could be untrue. Raises AlreadyLeft when nothing was stopped.
    """
    notification = Notification.objects.select_for_update().get(id=notification_id)
    now = clock.now()
    low, high = ids.time_bounds([notification_id])
    open_ones = Delivery.objects.select_for_update().filter(
        notification_id=notification_id, id__gte=low, id__lt=high, status__in=_STOPPABLE
    )
    surely_here = open_ones.exclude(reason=outcomes.UNKNOWN_OUTCOME).order_by("id")
    changes = [Change(delivery, Status.CANCELLED, reason="by_caller") for delivery in surely_here]
    waiting = digests.take_back(notification_id)
    if waiting:
        gathered = Delivery.objects.select_for_update().filter(id__in=waiting, status=Status.SKIPPED).order_by("id")
        changes += [Change(delivery, Status.CANCELLED, reason="by_caller") for delivery in gathered]
    unplanned = notification.due_at is not None
    if not changes and not unplanned:
        raise AlreadyLeft
    if unplanned:
        notification.status = Notification.Status.CANCELLED
        notification.due_at, notification.lease, notification.leased_until = None, None, None
        notification.save(update_fields=["status", "due_at", "lease", "leased_until"])
        Event.objects.create(notification=notification, kind="cancelled", at=now, detail="by_caller")
    tracking.record(changes, now=now)
    notification.refresh_from_db()
    return notification
