"""The work of a broadcast, in short transactions: find the audience once, then tell it chunk by chunk.

Whoever holds a broadcast's lock works on it, and the lock ends with the transaction, so a worker that dies has done its
step entirely or not at all. Only so many notifications are made ahead of what leaves that a pause takes hold at once
and nothing else drowns.

The next people are noted, in a commit, and then planned in the transaction that writes their notifications. Should a
process not live to finish that, theirs are written without plans, and planned as those of single requests are: under
leases that count whom it dies of.

While a broadcast's messages leave as fast as they are planned, its deliveries are written under this process's lease,
and whoever asked for the step takes them up at once.
"""

import logging
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import UUID

from django.conf import settings
from django.db import InterfaceError, OperationalError, connection, transaction
from django.db.models import Count, Q

from notifications import audience, broadcast_stops, doorbell, local_time, planning, tracking
from notifications.models import Broadcast, Delivery, Lane, Notification
from notifications.plans import Written
from project.foundation import bulk, clock, ids
from project.foundation.locks import try_lock

logger = logging.getLogger(__name__)

Status = Broadcast.Status

_BEGINNING = timedelta(seconds=2)  # between the commit that notes it and the transaction that plans, at the most
_LOOKS_OF_OTHERS, _ONE_LOOK = 10, 0.01  # who finds out that it is being planned holds its lock for so many seconds
_SOON = 0.05  # seconds until another process has written a chunk
_LOOK_AGAIN = timedelta(minutes=1)  # when only operators can move what is left


@dataclass
class Step:
    """How many rows one step of a broadcast has moved, and what of it its caller holds a lease on."""

    moved: int = 0
    written: list[Written] = field(default_factory=list)


def steps() -> Iterator[Step]:
    """Move every broadcast that is due by one step, one after the other. One query when none is due.

    Whoever goes through them delivers what is `written` before the next one, or releases it.
    """
    due = Broadcast.objects.filter(due_at__lte=clock.now()).order_by("due_at")
    for id in list(due.values_list("pk", flat=True)):
        yield _advance(id)


@dataclass(frozen=True)
class _Room:
    """For how many people notifications may be made now; `clear` when hardly any message waits for a worker."""

    size: int
    clear: bool


@dataclass(frozen=True)
class _Noted:
    """The next people are to be planned now, and the broadcast says so."""

    at: datetime
    room: _Room


def _advance(id: UUID) -> Step:
    """Move one broadcast by a step. One that fails is looked at again in a while, and keeps no other waiting."""
    try:
        moved = _step(id)
        return _plan(id, moved) if isinstance(moved, _Noted) else Step(moved)
    except (OperationalError, InterfaceError):  # the database's trouble, and everybody's
        raise
    except Exception:
        logger.exception("broadcast.failed", extra={"broadcast": str(id)})
        Broadcast.objects.filter(pk=id, due_at__isnull=False).update(due_at=clock.now() + _LOOK_AGAIN)
        return Step()


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
    return broadcast_stops.cancel(broadcast, now) if broadcast.status == Status.CANCELLED else 0


@transaction.atomic
def _plan(id: UUID, noted: _Noted) -> Step:
    """Write the notifications of the next people with their plans, unless that was taken from us meanwhile."""
    for _ in range(_LOOKS_OF_OTHERS):
        if mine := _mine(id):
            break
        time.sleep(_ONE_LOOK)
    if not mine:
        return Step()
    broadcast = Broadcast.objects.select_for_update().get(pk=id)
    if broadcast.status != Status.RUNNING or broadcast.planning_since != noted.at:
        return Step()
    now, step = clock.now(), Step()
    if notifications := _next_notifications(broadcast, noted.room.size, now, due_at=None):
        step = Step(len(notifications), planning.write_planned(notifications, now, take_up=noted.room.clear))
    _come_further(broadcast, notifications)
    return step


def _mine(id: UUID) -> bool:
    """Take the broadcast's lock until the transaction ends, unless another process has it: then look again soon."""
    if not try_lock("broadcast", id):
        doorbell.alarm.set(_SOON)
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
    if woken := broadcast_stops.wake(broadcast, now):
        return woken
    if broadcast.noted >= (broadcast.total or 0):
        return _finish(broadcast, now)
    if broadcast.planning_since is None:
        if broadcast.local_time and not _is_somebodys_turn(broadcast, now):
            return 0
        room = _room(broadcast, now)
        return _note(broadcast, room, now) if room.size else 0
    if now < broadcast.planning_since + _BEGINNING:
        doorbell.alarm.set(_SOON)
        return 0
    return _write_unplanned(broadcast, now)


def _is_somebodys_turn(broadcast: Broadcast, now: datetime) -> bool:
    """Tell whether the next people's hour has come; if not, wait, and look now and then for what a pause left."""
    turn = local_time.next_turn(broadcast)
    if turn is None or turn <= now:
        return True
    broadcast.due_at = min(turn, now + _LOOK_AGAIN)
    broadcast.save(update_fields=["due_at"])
    return False


def _note(broadcast: Broadcast, room: _Room, now: datetime) -> _Noted:
    broadcast.planning_since = now
    broadcast.save(update_fields=["planning_since"])
    return _Noted(now, room)


def _room(broadcast: Broadcast, now: datetime) -> _Room:
    """Return the room for a full claim, or for what fills the look-ahead, or none."""
    most = settings.BROADCAST_LOOK_AHEAD
    unplanned = Notification.objects.filter(broadcast=broadcast, due_at__isnull=False).order_by()[:most].count()
    # Not what waits for a retry, which would stop all others.
    due = Delivery.objects.filter(broadcast=broadcast, due_at__lte=now).order_by()[:most]
    waiting = due.aggregate(all=Count("pk"), free=Count("pk", filter=Q(lease=None)))
    room = most - unplanned - waiting["all"]
    size = min(room, settings.CLAIM_SIZE) if room >= min(settings.CLAIM_SIZE, most / 2) else 0
    return _Room(size, clear=unplanned + waiting["free"] < settings.FLUSH_SIZE)


def _write_unplanned(broadcast: Broadcast, now: datetime) -> int:
    notifications = _next_notifications(broadcast, _room(broadcast, now).size, now, due_at=now)
    if notifications:
        bulk.insert(notifications)
        doorbell.ring(doorbell.PLAN)
    _come_further(broadcast, notifications)
    return len(notifications)


def _next_notifications(
    broadcast: Broadcast, size: int, now: datetime, *, due_at: datetime | None
) -> Sequence[Notification]:
    """Return the notifications of the next people, unwritten."""
    people = _next(broadcast, size) if size else []
    if broadcast.origin is None:
        broadcast.origin, broadcast.started_at = ids.new_id(), now
    return _notifications(broadcast, broadcast.origin, people, due_at=due_at)


def _come_further(broadcast: Broadcast, notifications: Sequence[Notification]) -> None:
    """Remember how far we came, in the commit that writes these notifications."""
    if notifications:
        broadcast.reached = notifications[-1].user_id
    broadcast.noted += len(notifications)
    broadcast.planning_since = None
    broadcast.save(update_fields=["origin", "started_at", "reached", "noted", "planning_since"])


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
    id_of = ids.deriver(origin, broadcast.pk)
    return [bulk.like(same, id=id_of(pk), user_id=pk) for pk in people]


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
