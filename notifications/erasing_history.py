"""What an erasure does to a person's history: what waits stops, what was said goes, what became of it stays."""

from collections.abc import Iterator, Sequence
from uuid import UUID

from django.conf import settings
from django.db.models import Q

from notifications import outcomes, tracking
from notifications.models import AttachmentContent, Attempt, Delivery, DigestItem, Event, Notification
from notifications.tracking import Change, Status
from preferences.erasure import Leaving
from project.foundation import bulk, ids

REASON = "erased"
# What a worker has handed to a provider at this moment ends as it ends: "sending" is left to that worker.
_STOPPED = (Status.SCHEDULED, Status.QUEUED, Status.HELD, Status.UNKNOWN)
# Reasons are single words; anything else is what a provider said, and may name whom it was said of.
_IN_WORDS = r"[^a-z_]"


def erase(leaving: Leaving) -> Iterator[list[UUID]]:
    """Go through a person's notifications a claim at a time, oldest first; yield the ids of each part's deliveries."""
    for part in _parts(leaving.pk):
        bulk.lock(Notification, part)
        _stop(part, leaving)
        low, high = ids.time_bounds(part)
        deliveries = Delivery.objects.filter(notification_id__in=part, id__gte=low, id__lt=high)
        found = list(deliveries.order_by("id").values_list("id", flat=True))
        _empty(part, found)
        yield found


def _parts(user_pk: int) -> Iterator[list[UUID]]:
    mine = Notification.objects.filter(user_id=user_pk).order_by("id").values_list("id", flat=True)
    part = list(mine[: settings.CLAIM_SIZE])
    while part:
        yield part
        part = list(mine.filter(id__gt=part[-1])[: settings.CLAIM_SIZE])


def _stop(part: Sequence[UUID], leaving: Leaving) -> None:
    """Take out of the queue what has not left, in the order in which everybody locks rows. The part's are locked."""
    unplanned = Notification.objects.filter(id__in=part, due_at__isnull=False)
    found = list(unplanned.order_by("id").values_list("id", flat=True))
    unplanned.update(status=Notification.Status.CANCELLED, due_at=None, lease=None, leased_until=None)
    bulk.insert([Event(notification_id=id, kind="cancelled", at=leaving.now, detail=REASON) for id in found])
    low, high = ids.time_bounds(list(part))
    waiting = DigestItem.objects.filter(notification_id__in=part, digest__closed_at=None).values("id")
    open_ones = Q(status__in=_STOPPED) | Q(status=Status.SKIPPED, id__in=waiting)
    deliveries = Delivery.objects.select_for_update().filter(
        open_ones, notification_id__in=part, id__gte=low, id__lt=high
    )
    tracking.record([_end(delivery) for delivery in deliveries.order_by("id")], now=leaving.now)


def _end(delivery: Delivery) -> Change:
    """Call cancelled only what has surely not left."""
    perhaps_sent = delivery.status == Status.UNKNOWN or delivery.reason == outcomes.UNKNOWN_OUTCOME
    return Change(delivery, Status.FAILED if perhaps_sent else Status.CANCELLED, reason=REASON)


def _empty(part: Sequence[UUID], deliveries: Sequence[UUID]) -> None:
    """Empty what was said and what was read of the person for it. Rows that are empty already are not written."""
    told = Notification.objects.filter(id__in=part)
    told.filter(Q(payload__isnull=False) | Q(metadata__isnull=False) | ~Q(locale="")).update(
        payload=None, metadata=None, locale=""
    )
    AttachmentContent.objects.filter(notification_id__in=part).delete()
    Event.objects.filter(notification_id__in=part, detail__regex=_IN_WORDS).update(detail="")
    # A dead letter that nobody may send is none.
    Delivery.objects.filter(Q(dead=True) | ~Q(error=""), id__in=deliveries).update(dead=False, error="")
    tries = Attempt.objects.filter(delivery_id__in=deliveries)
    tries.filter(Q(snapshot__isnull=False) | Q(message_hash__isnull=False) | ~Q(error="")).update(
        snapshot=None, message_hash=None, error=""
    )
