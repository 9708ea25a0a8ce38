"""The work of a broadcast, in short transactions: find the audience once, then tell it chunk by chunk.

Whoever holds a broadcast's lock works on it, and the lock ends with the transaction, so a worker that dies has done its
step entirely or not at all. Only so many notifications are made ahead of what leaves that a pause takes hold at once
and nothing else drowns.

The next people are noted, in a commit, and then planned in the transaction that writes their notifications. Should a
process not live to finish that, theirs are written without plans, and planned as those of single requests are: under
leases that count whom it dies of.
"""

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from django.conf import settings
from django.db import InterfaceError, OperationalError, connection, transaction
from django.db.models import QuerySet

from notifications import audience, doorbell, holding, local_time, outcomes, planning, tracking
from notifications.models import Broadcast, Delivery, Event, Lane, Notification
from notifications.tracking import Change
from project.foundation import bulk, clock, ids
from project.foundation.locks import try_lock

logger = logging.getLogger(__name__)

Status = Broadcast.Status

PAUSED = "broadcast_paused"
_BEGINNING = timedelta(seconds=2)  # between the commit that notes it and the transaction that plans, at the most
_LOOK_AGAIN = timedelta(minutes=1)  # when only operators can move what is left
_STOPPABLE = [Delivery.Status.SCHEDULED, Delivery.Status.QUEUED, Delivery.Status.HELD]


def advance_due() -> int:
    """Move every broadcast that is due by one step; return how many rows were moved. One query when none is due."""
    due = Broadcast.objects.filter(due_at__lte=clock.now()).order_by("due_at")
    return sum(_advance(id) for id in list(due.values_list("pk", flat=True)))


@dataclass(frozen=True)
class _Noted:
    """The next people are to be planned now, and the broadcast says so."""

    at: datetime
    size: int


def _advance(id: UUID) -> int:
    """Move one broadcast by a step. One that fails is looked at again in a while, and keeps no other waiting."""
    try:
        moved = _step(id)
        return _plan(id, moved) if isinstance(moved, _Noted) else moved
    except (OperationalError, InterfaceError):  # the database's trouble, and everybody's
        raise
    except Exception:
        logger.exception("broadcast.failed", extra={"broadcast": str(id)})
        Broadcast.objects.filter(pk=id, due_at__isnull=False).update(due_at=clock.now() + _LOOK_AGAIN)
        return 0


@transaction.atomic
def _step(id: UUID) -> int | _Noted:
    """Do one step; return how many rows were moved by it, or what is to be done next."""
    if not _mine(id):
        return 0
    status = Broadcast.objects.values_list("status", flat=True).get(pk=id)
    if status == Status.MATERIALISING:
        return _materialise(id)  # may take long: a pause need not wait for it
    broadcast = Broadcast.objects.select_for_update().get(pk=id)
    now = clock.now()
    if broadcast.due_at is None or broadcast.due_at > now:
        return 0
    if broadcast.status == Status.SCHEDULED:
        return _start(broadcast)
    if broadcast.status == Status.RUNNING:
        return _run(broadcast, now)
    return _stop(broadcast, now) if broadcast.status == Status.CANCELLED else 0


@transaction.atomic
def _plan(id: UUID, noted: _Noted) -> int:
    """Write the notifications of the next people with their plans, unless that was taken from us meanwhile."""
    if not _mine(id):
        return 0
    broadcast = Broadcast.objects.select_for_update().get(pk=id)
    if broadcast.status != Status.RUNNING or broadcast.planning_since != noted.at:
        return 0
    return _write_chunk(broadcast, noted.size, clock.now(), planned=True)


def _mine(id: UUID) -> bool:
    """Take the broadcast's lock until the transaction ends, unless another process has it."""
    if not try_lock("broadcast", id):
        return False
    _let_go_when_stalled()
    return True


def _let_go_when_stalled() -> None:
    """Let PostgreSQL end our transaction when this process hangs, as a lease would end."""
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            limit = f"{int(settings.LEASE_SECONDS * 1000)}ms"
            cursor.execute("SELECT set_config('idle_in_transaction_session_timeout', %s, true)", [limit])


def _materialise(id: UUID) -> int:
    broadcast = Broadcast.objects.get(pk=id)
    total = audience.write(id, audience.people(broadcast.audience))
    if broadcast.local_time:
        local_time.settle(broadcast)
    moved = Broadcast.objects.filter(pk=id, status=Status.MATERIALISING).update(status=Status.RUNNING, total=total)
    if not moved:  # paused or cancelled meanwhile: whoever resumes it finds the audience anew
        transaction.set_rollback(True)
    return moved


def _start(broadcast: Broadcast) -> int:
    broadcast.status = Status.MATERIALISING if broadcast.total is None else Status.RUNNING
    broadcast.save(update_fields=["status"])
    return 1


def _run(broadcast: Broadcast, now: datetime) -> int | _Noted:
    if woken := _wake(broadcast, now):
        return woken
    if broadcast.noted >= (broadcast.total or 0):
        return _finish(broadcast, now)
    if broadcast.planning_since is None:
        if broadcast.local_time and not _is_somebodys_turn(broadcast, now):
            return 0
        size = _room(broadcast, now)
        return _note(broadcast, size, now) if size else 0
    if now < broadcast.planning_since + _BEGINNING:
        return 0
    return _write_chunk(broadcast, _room(broadcast, now), now, planned=False)


def _is_somebodys_turn(broadcast: Broadcast, now: datetime) -> bool:
    """Tell whether the next people's hour has come; if not, wait, and look now and then for what a pause left."""
    turn = local_time.next_turn(broadcast)
    if turn is None or turn <= now:
        return True
    broadcast.due_at = min(turn, now + _LOOK_AGAIN)
    broadcast.save(update_fields=["due_at"])
    return False


def _note(broadcast: Broadcast, size: int, now: datetime) -> _Noted:
    broadcast.planning_since = now
    broadcast.save(update_fields=["planning_since"])
    return _Noted(now, size)


def _room(broadcast: Broadcast, now: datetime) -> int:
    """Return for how many people notifications may be made now: a full claim, or what fills the look-ahead, or none."""
    room = settings.BROADCAST_LOOK_AHEAD - _waiting(broadcast, now)
    return min(room, settings.CLAIM_SIZE) if room >= min(settings.CLAIM_SIZE, settings.BROADCAST_LOOK_AHEAD / 2) else 0


def _wake(broadcast: Broadcast, now: datetime) -> int:
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


def _back(delivery: Delivery, now: datetime, *, in_doubt: bool) -> Change:
    """Return it to the queue. What may have been sent says so, and stays with its account."""
    reason = outcomes.UNKNOWN_OUTCOME if in_doubt else ""
    return Change(delivery, Delivery.Status.QUEUED, due_at=now, reason=reason)


def _waiting(broadcast: Broadcast, now: datetime) -> int:
    """Return how much of the look-ahead is used; not what waits for a retry, which would stop all others."""
    most = settings.BROADCAST_LOOK_AHEAD
    unplanned = Notification.objects.filter(broadcast=broadcast, due_at__isnull=False).order_by()[:most].count()
    return unplanned + Delivery.objects.filter(broadcast=broadcast, due_at__lte=now).order_by()[:most].count()


def _write_chunk(broadcast: Broadcast, size: int, now: datetime, *, planned: bool) -> int:
    """Make the notifications of the next people, and remember how far we came, in the same commit."""
    people = _next(broadcast, size) if size else []
    if broadcast.origin is None:
        broadcast.origin, broadcast.started_at = ids.new_id(), now
    if people:
        notifications = _notifications(broadcast, broadcast.origin, people, due_at=None if planned else now)
        if planned:
            planning.write_planned(notifications, now)
        else:
            bulk.insert(notifications)
            doorbell.ring(doorbell.PLAN)
        broadcast.reached = people[-1]
    broadcast.noted += len(people)
    broadcast.planning_since = None
    broadcast.save(update_fields=["origin", "started_at", "reached", "noted", "planning_since"])
    return len(people)


def _next(broadcast: Broadcast, size: int) -> list[int]:
    if broadcast.local_time:
        return local_time.after(broadcast, size)
    return audience.after(broadcast.pk, broadcast.reached, size)


def _notifications(
    broadcast: Broadcast, origin: UUID, people: Sequence[int], *, due_at: datetime | None
) -> Sequence[Notification]:
    same = Notification(
        caller_id=broadcast.caller_id,
        mode=broadcast.mode,
        type_id=broadcast.type_id,
        broadcast=broadcast,
        priority=broadcast.priority,
        lane=Lane.BULK,
        payload=None,
        due_at=due_at,
    )
    # The ids are derived, so that the same person twice would be the same key twice, which no table takes.
    return [bulk.like(same, id=ids.derived_id(origin, broadcast.pk, pk), user_id=pk) for pk in people]


def _finish(broadcast: Broadcast, now: datetime) -> int:
    if (
        Notification.objects.filter(broadcast=broadcast, due_at__isnull=False).exists()
        or Delivery.objects.filter(broadcast=broadcast, due_at__isnull=False).exists()
    ):
        return 0
    if Delivery.objects.filter(broadcast=broadcast, status__in=tracking.OPEN).exists():
        broadcast.due_at = now + _LOOK_AGAIN
    else:
        broadcast.status, broadcast.due_at, broadcast.finished_at = Status.COMPLETED, None, now
        broadcast.started_at = broadcast.started_at or now
    broadcast.save(update_fields=["status", "due_at", "started_at", "finished_at"])
    return 0 if broadcast.due_at else 1


def _stop(broadcast: Broadcast, now: datetime) -> int:
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


def _locked(wanted: "QuerySet[Delivery]") -> Sequence[Delivery]:
    """Return up to a claim of these deliveries, their notifications locked before them."""
    found = list(wanted.order_by("id")[: settings.CLAIM_SIZE])
    if not found:
        return []
    tracking.lock_notifications(found)
    return list(wanted.select_for_update().filter(id__in=[delivery.id for delivery in found]).order_by("id"))
