"""What callers and operators do with broadcasts: begin, pause, resume, cancel.

Each of these is one row's change. The work follows from the rows (notifications.fanout), and whoever plans or delivers
asks the broadcast's status before each batch: that alone makes a pause or a cancellation hold.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import QuerySet

from notifications import audience, doorbell
from notifications.models import Broadcast, Mode
from preferences import users
from preferences.models import User
from project.foundation import audit, clock
from project.foundation.problems import Conflict, Fault, InvalidRequest
from templates_app.models import Type

Status = Broadcast.Status

# Act → the states it may be done in.
_POSSIBLE = {
    "paused": {Status.SCHEDULED, Status.MATERIALISING, Status.RUNNING},
    "resumed": {Status.PAUSED},
    "cancelled": {Status.SCHEDULED, Status.MATERIALISING, Status.RUNNING, Status.PAUSED},
}


@dataclass(frozen=True)
class Request:
    """What an audience is to be told, already checked against the type."""

    type: Type
    payload: dict[str, Any]
    audience: Mapping[str, Any]  # as the body has it: see notifications.audience
    mode: str = Mode.LIVE
    caller_id: int | None = None
    name: str = ""
    priority: str | None = None
    send_at: datetime | None = None
    local_time: str = ""  # "09:00"


@dataclass(frozen=True)
class Accepted:
    broadcast: Broadcast
    unknown_user_ids: list[str]


class WrongState(Conflict):
    code, title = "broadcast_state", "The state of this broadcast does not allow it."


@transaction.atomic
def accept(request: Request, *, actor: str) -> Accepted:
    """Store the broadcast and wake a worker at commit. People given by their ids are written down at once.

    The template version is pinned: what was published when the broadcast was accepted is what everybody gets.
    Raises InvalidRequest when none of the ids is known.
    """
    now = clock.now()
    ids = request.audience.get("user_ids")
    broadcast = Broadcast(
        caller_id=request.caller_id,
        mode=request.mode,
        name=request.name,
        type=request.type,
        template_version_id=request.type.template.published_id if request.type.template else None,
        payload=request.payload,
        priority=request.priority or request.type.priority,
        audience={kind: value for kind, value in request.audience.items() if value},
        send_at=request.send_at,
        local_time=request.local_time,
        due_at=request.send_at or now,
    )
    unknown: list[str] = []
    if ids is not None:
        known = users.find_pks(ids)
        unknown = [user_id for user_id in dict.fromkeys(ids) if user_id not in known]
        if not known:
            raise InvalidRequest(errors=[_nobody(len(unknown))])
        broadcast.total = audience.write(broadcast.id, User.objects.filter(pk__in=known.values()))
        broadcast.audience = {"user_ids": broadcast.total}
    broadcast.status = _going(broadcast, now)
    broadcast.save(force_insert=True)
    audit.record(actor, "broadcast.created", f"broadcast:{broadcast.id}", type=request.type.key)
    doorbell.ring(doorbell.PLAN)
    return Accepted(broadcast, unknown)


def pause(broadcast: Broadcast, *, actor: str) -> Broadcast:
    """Stop before the next batch of planning or sending; what has left has left. Raises WrongState."""
    return _do("paused", broadcast, actor)


def resume(broadcast: Broadcast, *, actor: str) -> Broadcast:
    """Go on where it was paused. Raises WrongState."""
    return _do("resumed", broadcast, actor)


def cancel(broadcast: Broadcast, *, actor: str) -> Broadcast:
    """Stop for good: what has not left never will. Raises WrongState."""
    return _do("cancelled", broadcast, actor)


def visible(*, mode: str, caller_id: int | None) -> "QuerySet[Broadcast]":
    """Return what one key may see: its caller's broadcasts of its mode."""
    if caller_id is None:
        return Broadcast.objects.none()
    return Broadcast.objects.filter(mode=mode, caller_id=caller_id).select_related("type")


def may_be(broadcast: Broadcast) -> set[str]:
    """Return which of "paused", "resumed", "cancelled" is possible now."""
    return {act for act, states in _POSSIBLE.items() if broadcast.status in states}


@transaction.atomic
def _do(act: str, given: Broadcast, actor: str) -> Broadcast:
    # A worker that is writing a chunk holds this lock for its few milliseconds.
    broadcast = Broadcast.objects.select_related("type").select_for_update(of=("self",)).get(pk=given.pk)
    if act not in may_be(broadcast):
        raise WrongState(f"It is {broadcast.get_status_display().lower()}, so it cannot be {act}.")
    now = clock.now()
    broadcast.due_at = now
    if act == "resumed":
        broadcast.status = _going(broadcast, now)
        broadcast.due_at = max(broadcast.send_at or now, now)
    elif act == "paused":
        broadcast.status, broadcast.due_at = Status.PAUSED, None
    else:
        broadcast.status, broadcast.finished_at = Status.CANCELLED, now
    broadcast.save(update_fields=["status", "due_at", "finished_at"])
    audit.record(actor, f"broadcast.{act}", f"broadcast:{broadcast.id}")
    doorbell.ring(doorbell.PLAN)
    return broadcast


def _going(broadcast: Broadcast, now: datetime) -> str:
    """Return the status of a broadcast that nothing stops."""
    if broadcast.send_at is not None and broadcast.send_at > now:
        return Status.SCHEDULED
    return Status.MATERIALISING if broadcast.total is None else Status.RUNNING


def _nobody(unknown: int) -> Fault:
    message = f"None of these {unknown} ids is known." if unknown > 1 else "This id is not known."
    return Fault("/audience/user_ids", "empty_audience", message)


def find(id: UUID, *, mode: str, caller_id: int | None) -> Broadcast | None:
    """Return one broadcast that a key may see."""
    return visible(mode=mode, caller_id=caller_id).filter(pk=id).first()
