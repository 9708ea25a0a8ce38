"""Rows that wait for an operator: held when no account may take them, let go as soon as one may again."""

from collections.abc import Iterable

from django.conf import settings
from django.db import transaction
from django.db.models import QuerySet

from notifications import account_states, accounts, doorbell, routing, tracking
from notifications.models import Delivery, Mode
from notifications.tracking import Change, Status
from project.foundation import clock

ACCOUNT = "account"


def let_go() -> int:
    """Return to the queue one batch of what was held for want of an account and has one now; return how many.

    The most urgent go first. What ran out of time while it was held ends here. One query while nothing is held.
    """
    for channel in _held_channels():
        if count := expire(channel) or (release(channel) if _has_account(channel) else 0):
            return count
    return 0


@transaction.atomic
def expire(channel: str, *, reason: str = ACCOUNT) -> int:
    """End up to CLAIM_SIZE held deliveries of a channel whose time is over; return how many."""
    now = clock.now()
    found = list(_held(channel, reason).filter(expires_at__lte=now).order_by("id")[: settings.CLAIM_SIZE])
    if found:
        tracking.lock_notifications(found)
    still = _held(channel, reason).select_for_update().filter(id__in=[delivery.id for delivery in found])
    changes = [_ended(delivery) for delivery in still.order_by("id")] if found else []
    tracking.record(changes, now=now)
    return len(changes)


def _ended(delivery: Delivery) -> Change:
    return Change(delivery, Status.EXPIRED, error="It was held until its time was over.")


@transaction.atomic
def release(channel: str, *, reason: str = ACCOUNT) -> int:
    """Return up to CLAIM_SIZE held deliveries of a channel to the queue; return how many. Repeat until it is 0."""
    found = list(_held(channel, reason).order_by("lane", "id")[: settings.CLAIM_SIZE])
    if not found:
        return 0
    tracking.lock_notifications(found)
    still = _held(channel, reason).select_for_update().filter(id__in=[delivery.id for delivery in found])
    now = clock.now()
    changes = [Change(delivery, Status.QUEUED, due_at=now) for delivery in still.order_by("id")]
    tracking.record(changes, now=now)
    doorbell.ring(channel)
    return len(changes)


def count(channels: Iterable[str]) -> int:
    """Return how many deliveries of these channels are held for want of an account."""
    return Delivery.objects.filter(channel__in=list(channels), status=Status.HELD, reason=ACCOUNT).count()


def _held(channel: str, reason: str) -> "QuerySet[Delivery]":
    return Delivery.objects.filter(channel=channel, mode=Mode.LIVE, status=Status.HELD, reason=reason)


def _held_channels() -> list[str]:
    held = Delivery.objects.filter(mode=Mode.LIVE, status=Status.HELD, reason=ACCOUNT).order_by()
    return sorted(held.values_list("channel", flat=True).distinct())


def _has_account(channel: str) -> bool:
    found = accounts.of_channel(channel)
    states = account_states.load([account.id for account in found if account.id is not None])
    return not routing.route(found, states, clock.now(), most=1).held
