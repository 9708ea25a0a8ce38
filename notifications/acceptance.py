"""The first act: one transaction that holds the request, the caller's own id for it, and the work."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.db.models.functions import Now

from notifications import doorbell
from notifications.models import CallerNotificationId, Lane, Mode, Notification
from preferences.models import User
from project.foundation import clock
from project.foundation.locks import try_lock
from project.foundation.problems import Conflict, InvalidRequest
from templates_app.models import Type

LANES = {"HIGH": Lane.HIGH, "MEDIUM": Lane.NORMAL, "LOW": Lane.BULK}


@dataclass(frozen=True)
class Request:
    """What is to be told, already checked against the type. Times are aware; null means the usual."""

    user: User
    type: Type
    payload: dict[str, Any]  # {"title", "body", "link", "template_variables"}
    mode: str = Mode.LIVE
    caller_id: int | None = None
    priority: str | None = None
    channels_preferred: list[str] | None = None
    locale: str = ""
    metadata: Any = None
    occurred_at: datetime | None = None
    send_at: datetime | None = None
    expires_at: datetime | None = None
    caller_notification_id: UUID | None = None
    body_hash: bytes = b""  # SHA-256 of the canonical body: tells a repeat from a clash of caller_notification_id


@dataclass(frozen=True)
class Accepted:
    notification: Notification
    replayed: bool = False


class IdReused(InvalidRequest):
    code, title = "idempotency_key_reused", "This notification_id was used for another request."


class InProgress(Conflict):
    code, title = "in_progress", "The same request is being carried out at this moment."


@transaction.atomic
def accept(request: Request) -> Accepted:
    """Store the request and wake the planner at commit; a repeat of a caller's notification_id gives the first one.

    Raises IdReused when the repeat says something else, InProgress while the first is still being stored.
    """
    notification = _notification(request)
    if request.caller_notification_id is not None:
        earlier = _register(request, notification.id)
        if earlier is not None:
            return Accepted(earlier, replayed=True)
    notification.save(force_insert=True)
    doorbell.ring(doorbell.PLAN)
    return Accepted(notification)


def _notification(request: Request) -> Notification:
    scheduled = request.send_at is not None
    priority = request.priority or request.type.priority
    return Notification(
        caller_id=request.caller_id,
        mode=request.mode,
        user=request.user,
        type=request.type,
        caller_notification_id=request.caller_notification_id,
        priority=priority,
        lane=LANES[priority],
        locale=request.locale,
        payload=request.payload,
        metadata=request.metadata,
        channels_preferred=request.channels_preferred,
        occurred_at=request.occurred_at,
        send_at=request.send_at,
        expires_at=request.expires_at,
        status=Notification.Status.SCHEDULED if scheduled else Notification.Status.ACCEPTED,
        due_at=request.send_at if scheduled else Now(),
    )


def _register(request: Request, notification_id: UUID) -> Notification | None:
    """Keep the caller's id beside ours; return the notification it already stands for, if any."""
    scope = {"caller_id": request.caller_id, "mode": request.mode, "key": request.caller_notification_id}
    if not try_lock("notification_id", *scope.values()):
        raise InProgress(headers={"Retry-After": "1"})
    fresh = {"notification_id": notification_id, "body_hash": request.body_hash}
    known, created = CallerNotificationId.objects.get_or_create(**scope, defaults=fresh)
    if created:
        return None
    if known.created_at < clock.now() - _time_to_live():
        known.delete()
        CallerNotificationId.objects.create(**scope, **fresh)
        return None
    if bytes(known.body_hash) != request.body_hash:
        raise IdReused
    return Notification.objects.filter(id=known.notification_id).first()


def _time_to_live() -> timedelta:
    limit: timedelta = settings.NOTIFICATION_ID_TTL
    return limit
