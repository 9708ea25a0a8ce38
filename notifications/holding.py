"""Rows that wait for an operator: held when no account may take them, let go as soon as one may again."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.db.models import Count, Q, QuerySet

from notifications import account_states, accounts, doorbell, outcomes, routing, tracking
from notifications.models import Attempt, Delivery, Mode
from notifications.providers import phones
from notifications.routing import Destination, Route
from notifications.tracking import Change, Status
from project.foundation import clock

ACCOUNT = "account"
_PAGES = 10  # of CLAIM_SIZE rows, looked at in one call
_START = (-1, UUID(int=0))

_stopped_at: dict[str, tuple[int, UUID]] = {}  # (lane, id) by channel: the next look goes on behind it


def let_go() -> int:
    """Return to the queue one batch of what was held for want of an account and has one now; return how many.

    The most urgent go first. What ran out of time while it was held ends here. One query while nothing is held.
    """
    for channel in _held_channels():
        if count := expire(channel) or release(channel, _route(channel)):
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
    rows = list(still.order_by("id")) if found else []
    doubtful = in_doubt(rows)
    tracking.record([_ended(delivery, in_doubt=delivery.id in doubtful) for delivery in rows], now=now)
    return len(rows)


def _ended(delivery: Delivery, *, in_doubt: bool) -> Change:
    """Return the end of what was held too long. What may have been sent is not said to have come too late."""
    if in_doubt:
        error = "A provider's answer was lost, and then it was held until its time was over."
        return Change(delivery, Status.UNKNOWN, error=error)
    return Change(delivery, Status.EXPIRED, error="It was held until its time was over.")


@transaction.atomic
def release(channel: str, route: Route) -> int:
    """Return to the queue up to CLAIM_SIZE held deliveries of a channel that an account may take; return how many."""
    found = _served(channel, route)
    if not found:
        return 0
    tracking.lock_notifications(found)
    still = _held(channel, ACCOUNT).select_for_update().filter(id__in=[delivery.id for delivery in found])
    rows = list(still.order_by("id"))
    now, doubtful = clock.now(), in_doubt(rows)
    changes = [
        Change(row, Status.QUEUED, due_at=now, reason=outcomes.UNKNOWN_OUTCOME if row.id in doubtful else "")
        for row in rows
    ]
    tracking.record(changes, now=now)
    doorbell.ring(channel)
    return len(changes)


def in_doubt(rows: Sequence[Delivery]) -> set[UUID]:
    """Return those with a try whose answer was lost: they may have been sent. No query without rows."""
    tries = Attempt.objects.filter(delivery_id__in=[row.id for row in rows], outcome=Attempt.Outcome.UNKNOWN)
    return set(tries.values_list("delivery_id", flat=True)) if rows else set()


def counts(channels: Iterable[str]) -> dict[str, Counter[int | None]]:
    """Return how many live deliveries of these channels are held for want of an account, by channel.

    Then by the account that refused them last; None: they were held without asking one. One query.
    """
    held = Delivery.objects.filter(channel__in=list(channels), mode=Mode.LIVE, status=Status.HELD, reason=ACCOUNT)
    rows = held.order_by().values_list("channel", "provider_account_id").annotate(total=Count("id"))
    found: dict[str, Counter[int | None]] = defaultdict(Counter)
    for channel, account_id, total in rows:
        found[channel][account_id] += total
    return found


def _held(channel: str, reason: str) -> "QuerySet[Delivery]":
    return Delivery.objects.filter(channel=channel, mode=Mode.LIVE, status=Status.HELD, reason=reason)


def _held_channels() -> list[str]:
    held = Delivery.objects.filter(mode=Mode.LIVE, status=Status.HELD, reason=ACCOUNT).order_by()
    return sorted(held.values_list("channel", flat=True).distinct())


def _route(channel: str) -> Route:
    found = accounts.of_channel(channel)
    states = account_states.load([account.id for account in found if account.id is not None])
    return routing.route(found, states, clock.now(), most=1)


def _served(channel: str, route: Route) -> list[Delivery]:
    """Return held deliveries that some account of the route serves.

    Where every account has its own countries or categories, one call looks at the next few thousand held rows and
    remembers where it stopped: what nobody serves must not stand before what somebody does.
    """
    if route.held:
        return []
    held = _held(channel, ACCOUNT).order_by("lane", "id")
    if any(not (place.account.countries or place.account.categories) for place in route.places):
        return list(held[: settings.CLAIM_SIZE])
    held = held.select_related("type__category", *(["contact_point"] if route.by_country else []))
    for _ in range(_PAGES):
        lane, id = _stopped_at.get(channel, _START)
        page = list(held.filter(Q(lane=lane, id__gt=id) | Q(lane__gt=lane))[: settings.CLAIM_SIZE])
        if not page:
            _stopped_at.pop(channel, None)
            break
        _stopped_at[channel] = page[-1].lane, page[-1].id
        if found := [each for each in page if _is_served(each, route)]:
            return found
    return []


def _is_served(delivery: Delivery, route: Route) -> bool:
    point = delivery.contact_point if route.by_country else None
    country = phones.country(point.address) if point else ""
    destination = Destination(delivery.id, delivery.type.category.key, country)
    return any(routing.serves(place.account, destination) for place in route.places)
