"""The third act: due deliveries of one channel go to their provider, FLUSH_SIZE at a time.

Before each sub-batch consent, expiry and cancellation are looked at again and the try is put on record; its outcomes
are committed before the next one begins. So whatever dies, at most one sub-batch a worker is in doubt.

What this process has just planned it takes up without a claim (`deliver_written`), and makes one sub-batch ready while
the provider has the one before.
"""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from django.conf import settings
from django.db import transaction

from notifications import (
    account_states,
    accounts,
    address_health,
    cases,
    clearance,
    doorbell,
    leases,
    outbox,
    outcomes,
    routing,
    stopping,
    tracking,
)
from notifications.address_health import Tried
from notifications.attachments import loading
from notifications.clearance import Later, Ready, Sorted
from notifications.models import Attempt, Delivery, Mode
from notifications.plans import Written
from notifications.providers.base import Outcome
from notifications.routing import Allotment, Route
from notifications.tracking import Status
from project.foundation import bulk, clock

_LONG_AGO = timedelta(seconds=1)  # what was made ready before that is made ready anew: accounts fare otherwise by now


def deliver_due(channel: str, *, lane: int | None = None) -> int:
    """Deliver one sub-batch of a channel's due deliveries; return how many were taken up.

    No more are taken than the channel's accounts have room for, so that the rest waits where it lies.
    """
    route = _route(channel)
    room = _room(route)
    live = bool(room) and channel != "in_app"  # what is live there goes through no provider: see inbox.late
    claim = leases.claim(
        Delivery, limit=room or settings.FLUSH_SIZE, channel=channel, lane=lane, mode=None if live else Mode.TEST
    )
    if not room and route.wait is not None:
        doorbell.alarm.set(route.wait.total_seconds())
    if claim.rows and stopping.asked():
        leases.release(Delivery, claim.token)
        return 0
    if claim.rows:
        _deliver(claim, route)
    return len(claim.rows)


def _route(channel: str) -> Route:
    found = accounts.of_channel(channel)
    states = account_states.load([account.id for account in found if account.id is not None])
    now = clock.now() if states else datetime.now(tz=UTC)  # nothing has a time of its own where no account has a state
    return routing.route(found, states, now, most=settings.FLUSH_SIZE)


def _room(route: Route) -> int:
    """Return how many may be taken up: what no account may take at all is put aside as fast as anything is sent."""
    return settings.FLUSH_SIZE if route.held else min(route.room, settings.FLUSH_SIZE)


def deliver_written(written: Written) -> Iterator[int]:
    """Deliver what this process has planned, sub-batch by sub-batch; yield how many were taken up.

    It ends early where an account has no room, or the lease is half over: what is left in the claim is for others.
    """
    rows = written.claim.rows
    ahead: _MadeReady | None = None
    with ThreadPoolExecutor(1, "provider-call") as calls:
        while rows and written.claim.age < _half_a_lease():
            made_ready = ahead if ahead is not None and ahead.is_recent else _make_ready(written)
            if made_ready is None:
                return
            claim, route, found = made_ready.claim, made_ready.route, _cleared(made_ready, written)
            del rows[: len(claim.rows)]
            ahead = None
            groups = _by_account(_begin(found, claim))
            for items in groups:
                call = calls.submit(accounts.send, items[0].account, [item.message for item in items])
                try:
                    ahead = _make_ready(written) if rows and items is groups[-1] else None
                finally:
                    if not _finish(items, call.result(), claim, route, alone=written.alone):
                        ahead = None
            yield len(claim.rows)


@dataclass(frozen=True)
class _MadeReady:
    """A sub-batch that was rendered by what it was planned by, and not begun."""

    claim: leases.Claim[Delivery]
    route: Route
    found: Sorted

    @property
    def is_recent(self) -> bool:
        return self.claim.age < _LONG_AGO


def _make_ready(written: Written) -> _MadeReady | None:
    """Make the next sub-batch ready; None when no account has room."""
    route = _route(written.channel)
    room = _room(route)
    if not room:
        return None
    claim = written.claim.part(written.claim.rows[:room])
    return _MadeReady(claim, route, clearance.sort_as_planned(claim.rows, Allotment(route), claim.now, written))


def _cleared(made_ready: _MadeReady, written: Written) -> Sorted:
    """Return what of a sub-batch may go out now: as it was made ready, or sorted anew where that no longer holds."""
    claim, found = made_ready.claim, made_ready.found
    if not cases.holds(claim.rows, written):
        found = clearance.sort(claim.rows, Allotment(made_ready.route), claim.by_now())
    loading.load(found, claim.now)
    return found


def _half_a_lease() -> timedelta:
    return timedelta(seconds=settings.LEASE_SECONDS / 2)


def _deliver(claim: leases.Claim[Delivery], route: Route) -> None:
    found = clearance.sort(claim.rows, Allotment(route), claim.now)
    loading.load(found, claim.now)
    for items in _by_account(_begin(found, claim)):
        results = accounts.send(items[0].account, [item.message for item in items])
        _finish(items, results, claim, route)


@transaction.atomic
def _begin(found: Sorted, claim: leases.Claim[Delivery]) -> list[Ready]:
    """Put on record what will be tried, and what will not; return what is still ours to send."""
    interrupted = [row.id for row in found.deliveries if row.status == Status.SENDING]
    held = {item.delivery.id for item in found.ready}
    if found.changes or found.tries or interrupted:
        tracking.lock_notifications([change.delivery for change in found.changes])
        held = leases.still_held(Delivery, [delivery.id for delivery in found.deliveries], claim.token)
    if interrupted := [id for id in interrupted if id in held]:
        Attempt.objects.filter(delivery_id__in=interrupted, outcome=Attempt.Outcome.OPEN).update(
            outcome=Attempt.Outcome.UNKNOWN, finished_at=claim.now
        )
    tracking.record([change for change in found.changes if change.delivery.id in held], now=claim.now)
    bulk.insert([attempt for attempt in found.tries if attempt.delivery_id in held])
    going, later = _reserve([item for item in found.ready if item.delivery.id in held], claim.now)
    _put_back([*found.later, *later], claim)
    mine = tracking.begin([item.delivery for item in going], lease=claim.token, until=claim.extended())
    begun = {row.id for row in mine}
    going = [item for item in going if item.delivery.id in begun]
    bulk.insert([item.attempt for item in going])
    return going


def _reserve(ready: Sequence[Ready], now: datetime) -> tuple[list[Ready], list[Later]]:
    """Ask each account for the right to send its part; return what may go now and what may not yet."""
    going: list[Ready] = []
    later: list[Later] = []
    for items in _by_account(ready):
        share = items[0].share
        granted, wait = account_states.reserve(share.account, len(items), now, probe=share.probe)
        going += items[:granted]
        later += [Later(item.delivery, wait) for item in items[granted:]]
    return going, later


def _by_account(ready: Sequence[Ready]) -> list[list[Ready]]:
    """Group by account, in one order everywhere, so that two workers never wait for each other."""
    found: dict[int, list[Ready]] = defaultdict(list)
    for item in ready:
        found[item.account.id or 0].append(item)
    return [items for _, items in sorted(found.items())]


def _put_back(later: Sequence[Later], claim: leases.Claim[Delivery]) -> None:
    by_wait: dict[timedelta, list[Delivery]] = defaultdict(list)
    for item in later:
        by_wait[item.wait].append(item.delivery)
    for wait, rows in by_wait.items():
        leases.put_back(rows, claim.token, due_at=claim.now + wait)
        doorbell.alarm.set(wait.total_seconds())


@transaction.atomic
def _finish(
    items: Sequence[Ready],
    results: Sequence[Outcome],
    claim: leases.Claim[Delivery],
    route: Route,
    *,
    alone: bool = False,
) -> bool:
    """Commit the outcomes of one call; return whether all were accepted.

    What was taken over meanwhile keeps its attempt, not its status. `alone`: see tracking.record_alone.
    """
    now = claim.by_now()
    share = items[0].share
    others = bool(route.working - {share.account.id})
    if not alone:
        tracking.lock_notifications([item.delivery for item in items])
    changes = []
    for item, outcome in zip(items, results, strict=True):
        item.attempt.finished_at, item.attempt.outcome = now, outcome.kind
        item.attempt.error = outcome.error[:500]
        resend = item.resend_when_unknown
        changes.append(outcomes.change(item.delivery, outcome, share.account.id, now, resend=resend, others=others))
    record = tracking.record_alone if alone else tracking.record
    ours = record(changes, now=now, lease=claim.token)
    bulk.update([item.attempt for item in items], ["finished_at", "outcome", "error"])
    kept = [
        item
        for item, outcome in zip(items, results, strict=True)
        if item.delivery.id in ours and outcome.kind in outbox.KEPT
    ]
    address_health.record(
        [
            Tried(each.delivery, each.message.to, told)
            for each, told in zip(items, results, strict=True)
            if told.dead_address or each.message.channel == "webhook"
        ],
        now,
    )
    outbox.keep([_for_outbox(item) for item in kept if item.account.keeps_messages])
    account_states.record(share.account, results, now, known=share.state, probe=share.probe)
    for due_at in {change.due_at for change in changes if change.due_at is not None}:
        doorbell.alarm.set((due_at - now).total_seconds())
    return all(outcome.kind == "accepted" for outcome in results)


def _for_outbox(item: Ready) -> outbox.Kept:
    delivery = item.delivery
    return outbox.Kept(item.message, delivery.notification_id, delivery.user_id, item.caller_id, delivery.mode)
