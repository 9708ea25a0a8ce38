"""Deliveries given up on: finding them, and sending them again under the same id once the cause is mended."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.db.models import F, Q, QuerySet

from notifications import doorbell, schedules, tracking
from notifications.models import DeadLetter, Delivery
from notifications.rate_limits import Rate
from notifications.tracking import Change, Status
from project.foundation import audit, bulk, clock, ids


@dataclass(frozen=True, kw_only=True)
class Filter:
    """Which dead letters. What is empty does not narrow."""

    channel: str = ""
    type: str = ""  # its key
    provider: str = ""  # a provider, or the name of an account
    error: str = ""  # part of it, in any case
    created_after: datetime | None = None


def find(wanted: Filter, *, mode: str) -> "QuerySet[DeadLetter]":
    rows = DeadLetter.objects.filter(dead=True, mode=mode).select_related("type", "user", "provider_account")
    if wanted.channel:
        rows = rows.filter(channel=wanted.channel)
    if wanted.type:
        rows = rows.filter(type__key=wanted.type)
    if wanted.provider:
        by_name = Q(provider_account__provider=wanted.provider) | Q(provider_account__name=wanted.provider)
        rows = rows.filter(by_name)
    if wanted.error:
        rows = rows.filter(error__icontains=wanted.error)
    if wanted.created_after is not None:
        rows = rows.filter(id__gte=ids.first_id_at(wanted.created_after))
    return rows


def replay(
    rows: "QuerySet[DeadLetter]", *, actor: str, about: str = "", rate: Rate | None = None, extend: bool = False
) -> int:
    """Send dead letters again, oldest first, at most `rate`; return how many went back to the queue.

    The tries so far stay counted, and the schedule starts anew. Consent and expiry are asked again before each leaves:
    what has expired stays so unless `extend` gives it its type's time once more.
    """
    sendable = rows.order_by("id")
    begin = clock.now()
    total, last = 0, None
    while True:
        batch = sendable if last is None else sendable.filter(id__gt=last)
        wanted = list(batch.values_list("id", flat=True)[: settings.CLAIM_SIZE])
        if not wanted:
            break
        total += _replay(wanted, begin, total, rate, extend)
        last = wanted[-1]
    stated = f"{rate.per_second:g}/s" if rate else ""
    audit.record(actor, "dead_letters.replayed", about or "dead_letters", count=total, rate=stated, extend=extend)
    return total


@transaction.atomic
def _replay(wanted: Sequence[UUID], begin: datetime, before: int, rate: Rate | None, extend: bool) -> int:
    tracking.lock_notifications(Delivery.objects.filter(id__in=wanted).only("notification_id"))
    found = _still_dead(wanted)
    now = clock.now()
    changes = []
    for number, delivery in enumerate(found, before):
        due_at = begin + timedelta(seconds=number / rate.per_second) if rate else now
        if extend:
            delivery.expires_at = max(due_at, now) + schedules.life(delivery.channel, delivery.type.expires_after)
        changes.append(Change(delivery, Status.QUEUED, due_at=due_at))
    if extend:
        bulk.update(found, ["expires_at"])
    start_anew(delivery.id for delivery in found)
    tracking.record(changes, now=now)
    for channel in {delivery.channel for delivery in found}:
        doorbell.ring(channel)
    return len(found)


def start_anew(delivery_ids: Iterable[UUID]) -> None:
    """Let the retry schedule of these deliveries begin again, their tries so far still counted."""
    Delivery.objects.filter(id__in=list(delivery_ids)).update(attempts_before=F("attempts"))


def _still_dead(wanted: Sequence[UUID]) -> list[Delivery]:
    locked = Delivery.objects.select_for_update(of=("self",)).select_related("type")
    return list(locked.filter(id__in=wanted, dead=True).order_by("id"))
