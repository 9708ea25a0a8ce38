"""Deliveries whose provider never answered, where the category says to hold: an operator says what became of them."""

from collections.abc import Sequence
from uuid import UUID

from django.db import transaction

from notifications import dead_letters, doorbell, tracking
from notifications.models import Delivery
from notifications.tracking import Change, Status
from project.foundation import audit, clock


def resolve_as_sent(delivery_ids: Sequence[UUID], *, actor: str) -> int:
    """Take the operator's word that the provider has them; return how many were still unknown."""
    return _resolve(delivery_ids, actor=actor, sent=True)


def send_again(delivery_ids: Sequence[UUID], *, actor: str) -> int:
    """Send them once more, at the risk that somebody gets the same message twice; return how many."""
    return _resolve(delivery_ids, actor=actor, sent=False)


@transaction.atomic
def _resolve(delivery_ids: Sequence[UUID], *, actor: str, sent: bool) -> int:
    tracking.lock_notifications(Delivery.objects.filter(id__in=delivery_ids).only("notification_id"))
    unknown = Delivery.objects.select_for_update().filter(id__in=delivery_ids, status=Status.UNKNOWN, due_at=None)
    found = list(unknown.order_by("id"))
    now = clock.now()
    if sent:
        changes = [Change(delivery, Status.SENT) for delivery in found]
    else:
        dead_letters.start_anew(delivery.id for delivery in found)
        changes = [Change(delivery, Status.QUEUED, due_at=now) for delivery in found]
    tracking.record(changes, now=now)
    act = "delivery.resolved_as_sent" if sent else "delivery.sent_again"
    for delivery in found:
        audit.record(actor, act, f"delivery:{delivery.id}")
        doorbell.ring(delivery.channel)
    return len(found)
