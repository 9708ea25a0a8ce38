"""The short way through POST /notifications/send: an ordinary request of a service on PostgreSQL, in one statement.

It answers as the long way would, or not at all. Whatever is not ordinary, from a missing key to a repeat, is judged by
REST framework's machinery and `send.send`, so that every refusal has one place where it is worded.
"""

from typing import Any
from uuid import UUID

import msgspec
from django.db import connection
from django.http import HttpRequest, HttpResponse
from rest_framework.exceptions import UnsupportedMediaType

from notifications import checking, doorbell, idempotency, known_types, one_statement
from notifications.acceptance import LANES
from notifications.access import authentication, throttles
from notifications.access.keys import Credentials
from notifications.api.accepted import AcceptedBody, links
from notifications.known_types import KnownType
from notifications.models import Notification
from notifications.one_statement import Registration
from notifications.send_body import SendBody
from preferences import profiles
from project.foundation import bodies, faults, ids
from project.foundation.encryption import encrypt
from project.foundation.problems import Problem

_ROUTE = "POST /notifications/send"
_STATUS = 202
_encode = msgspec.json.Encoder().encode


def answer(request: HttpRequest) -> HttpResponse | None:
    """Accept an ordinary request and return its answer; None, with nothing stored, leaves it to the long way."""
    if request.method != "POST" or request.META.get("QUERY_STRING") or connection.vendor != "postgresql":
        return None
    credentials = authentication.of_key(request)
    if credentials is None or "send" not in credentials.scopes or not throttles.count(request, credentials)[0]:
        return None
    key = request.META.get("HTTP_IDEMPOTENCY_KEY")
    if key is not None and not idempotency.is_key(key):
        return None
    data, body = _read(request)
    known = known_types.get(body.type) if body is not None else None
    if body is None or known is None or not checking.is_sound(body, known):
        return None
    return _accept(credentials, key, data, body, known)


def _read(request: HttpRequest) -> tuple[Any, SendBody | None]:
    """Return the parsed body, and what it says if its shape has no fault."""
    try:
        data = bodies.data(request)
        body = msgspec.convert(data, SendBody)
    except (Problem, UnsupportedMediaType, msgspec.ValidationError, UnicodeEncodeError):
        return None, None
    # Half surrogate pairs and NUL can only come in escaped.
    unclean = b"\\u" in bodies.raw(request) and faults.of_strings(data)
    return data, None if unclean else body


def _accept(
    credentials: Credentials, key: str | None, data: Any, body: SendBody, known: KnownType
) -> HttpResponse | None:
    id = ids.new_id()
    priority = body.priority or known.type.priority
    accepted = AcceptedBody(
        notification_id=body.notification_id or id,
        status="accepted",
        user_id=body.user_id,
        type=body.type,
        priority=priority,
        mode=credentials.mode,
        created_at=ids.created_at(id),
        send_at=None,
        links=links(body.notification_id or id),
    )
    said = _encode(accepted)
    values = {
        "id": id,
        "caller_id": credentials.caller_id,
        "mode": credentials.mode,
        "type_id": known.type.pk,
        "caller_notification_id": body.notification_id,
        "priority": priority,
        "lane": LANES[priority].value,
        "locale": profiles.locale(body.locale),
        "payload": _sealed("payload", body.payload.stored()),
        "metadata": None if body.metadata is None else _sealed("metadata", body.metadata),
        "channels_preferred": _list(body.channels_preferred),
        "occurred_at": body.timestamp,
    }
    stored = one_statement.insert(
        values,
        user_id=body.user_id,
        type_version=known.version,
        answer=None if key is None else _answer(credentials, key, data, said),
        own_id=None if body.notification_id is None else _own_id(credentials, body.notification_id, id, data),
    )
    if not stored:
        known_types.forget(body.type)
        return None
    doorbell.ring(doorbell.PLAN)
    headers = {"Allow": "POST, OPTIONS", "Cache-Control": "no-store"}
    return HttpResponse(said, status=_STATUS, content_type="application/json", headers=headers)


def _answer(credentials: Credentials, key: str, data: Any, said: bytes) -> Registration:
    scope = {"caller_id": credentials.caller_id, "mode": credentials.mode, "route": _ROUTE, "key": key}
    sealed = encrypt(said.decode(), field="notifications.IdempotencyRecord.body")
    kept = {"body_hash": idempotency.request_hash(data), "status": _STATUS, "body": sealed}
    return Registration(("idempotency", *scope.values()), scope | kept)


def _own_id(credentials: Credentials, key: UUID, id: UUID, data: Any) -> Registration:
    scope = {"caller_id": credentials.caller_id, "mode": credentials.mode, "key": key}
    kept = {"body_hash": idempotency.body_hash(data), "notification_id": id}
    return Registration(("notification_id", *scope.values()), scope | kept)


def _sealed(name: str, value: Any) -> bytes:
    return encrypt(_encode(value).decode(), field=f"{Notification._meta.label}.{name}")


def _list(channels: list[str] | None) -> str | None:
    return _encode(list(dict.fromkeys(channels))).decode() if channels else None
