"""The first act: one transaction that holds the request, the caller's own id for it, and the work."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.db.models.functions import Now
from msgspec import Struct, field

from notifications import caller_ids, doorbell
from notifications.attachments import keeping
from notifications.models import AttachmentContent, CallerNotificationId, Lane, Mode, Notification
from preferences.models import User
from project.foundation import bulk, clock
from project.foundation.ids import new_id
from project.foundation.locks import try_lock
from project.foundation.problems import Conflict, InvalidRequest
from templates_app.models import Type

LANES = {"HIGH": Lane.HIGH, "MEDIUM": Lane.NORMAL, "LOW": Lane.BULK}


class Request(Struct, frozen=True):
    """What is to be told, already checked against the type. Times are aware; null means the usual."""

    user: User
    type: Type
    payload: dict[str, Any]  # {"title", "body", "link", "template_variables"}, and "attachments" where there are any
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
    contents: Mapping[UUID, str] = field(default_factory=dict)  # of attachments in the payload: base64


class Accepted(Struct, frozen=True):
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
    notification = _notification(request, Now())
    if request.caller_notification_id is not None:
        earlier = _register(request, notification.id)
        if earlier is not None:
            return Accepted(earlier, replayed=True)
    notification.save(force_insert=True)
    bulk.insert(keeping.rows(notification.id, request.contents, send_at=request.send_at))
    doorbell.ring(doorbell.PLAN)
    return Accepted(notification)


@transaction.atomic(savepoint=False)
def accept_many(requests: Sequence[Request]) -> list[Accepted | IdReused]:
    """Store many requests of one caller and mode; return one result per request, in their order.

    Each is treated as `accept` treats it, but that an id which another transaction is storing is waited for. On
    PostgreSQL the number of statements does not depend on the number of requests.
    """
    now = clock.now()
    made = _notifications(requests, now)
    known = _register_many(requests, made, now)
    results = _results(requests, made, known)
    bulk.insert([each.notification for each in results if isinstance(each, Accepted) and not each.replayed])
    bulk.insert(_contents(requests, results))
    doorbell.ring(doorbell.PLAN)
    return results


def _results(
    requests: Sequence[Request], made: Sequence[Notification], known: Mapping[UUID, CallerNotificationId]
) -> list[Accepted | IdReused]:
    """Return what becomes of each request, as `known` tells what the callers' ids stand for."""
    results: list[Accepted | IdReused] = [Accepted(notification) for notification in made]
    keys = [request.caller_notification_id for request in requests]
    firsts = enumerate(None if key is None else known.get(key) for key in keys)
    repeats = [(n, first) for n, first in firsts if first is not None and first.notification_id != made[n].id]
    originals = _originals({first.notification_id for _, first in repeats}, made)
    for n, first in repeats:
        if bytes(first.body_hash) != requests[n].body_hash:
            results[n] = IdReused()
        elif first.notification_id in originals:
            results[n] = Accepted(originals[first.notification_id], replayed=True)
    return results


def _originals(wanted: set[UUID], made: Sequence[Notification]) -> dict[UUID, Notification]:
    """Return these notifications, those of the same call among them."""
    if not wanted:
        return {}
    found = {notification.id: notification for notification in made if notification.id in wanted}
    return found | _stored(wanted - found.keys())


def _contents(requests: Sequence[Request], results: Sequence[Accepted | IdReused]) -> list[AttachmentContent]:
    return [
        row
        for request, each in zip(requests, results, strict=True)
        if request.contents and isinstance(each, Accepted) and not each.replayed
        for row in keeping.rows(each.notification.id, request.contents, send_at=request.send_at)
    ]


def unsaved(request: Request) -> Notification:
    """Return the notification that a request asks for, which nobody has stored."""
    return _notification(request, clock.now())


def _notification(request: Request, now: Now | datetime) -> Notification:
    return Notification(user=request.user, type=request.type, **_fields(request, now))


def _notifications(requests: Sequence[Request], now: datetime) -> list[Notification]:
    """Return what `_notification` makes of each, at a fraction of the cost."""
    if not requests:
        return []
    first, made = _notification(requests[0], now), []
    for request in requests:
        user, type_, fields = request.user, request.type, _fields(request, now)
        fields["id"], fields["user_id"], fields["type_id"] = new_id(), user.id, type_.id
        row = bulk.like(first, **fields)
        row._state.fields_cache = {"user": user, "type": type_}
        made.append(row)
    return made


def _fields(request: Request, now: Now | datetime) -> dict[str, Any]:
    scheduled = request.send_at is not None
    priority = request.priority or request.type.priority
    return {
        "caller_id": request.caller_id,
        "mode": request.mode,
        "caller_notification_id": request.caller_notification_id,
        "priority": priority,
        "lane": LANES[priority],
        "locale": request.locale,
        "payload": request.payload,
        "metadata": request.metadata,
        "channels_preferred": request.channels_preferred,
        "occurred_at": request.occurred_at,
        "send_at": request.send_at,
        "expires_at": request.expires_at,
        "status": Notification.Status.SCHEDULED if scheduled else Notification.Status.ACCEPTED,
        "due_at": request.send_at if scheduled else now,
    }


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


def _register_many(
    requests: Sequence[Request], made: Sequence[Notification], now: datetime
) -> dict[UUID, CallerNotificationId]:
    """Keep the callers' ids beside ours; return what each of them stands for, the new ones included."""
    fresh: dict[UUID, CallerNotificationId] = {}
    row: CallerNotificationId | None = None
    for request, notification in zip(requests, made, strict=True):
        key = request.caller_notification_id
        if key is None or request.caller_id is None or key in fresh:
            continue
        own = {"key": key, "notification_id": notification.id, "body_hash": request.body_hash}
        if row is None:
            row = CallerNotificationId(caller_id=request.caller_id, mode=request.mode, **own)
        fresh[key] = row = bulk.like(row, **own)
    return caller_ids.register(fresh, now=now, oldest=now - _time_to_live())


def _stored(notification_ids: set[UUID]) -> dict[UUID, Notification]:
    if not notification_ids:
        return {}
    return Notification.objects.select_related("user", "type").in_bulk(notification_ids)


def _time_to_live() -> timedelta:
    limit: timedelta = settings.NOTIFICATION_ID_TTL
    return limit
