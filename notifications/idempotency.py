"""Idempotency-Key: the same request twice is carried out once and answered alike."""

import hashlib
import json
from collections.abc import Callable
from datetime import datetime
from typing import Any

import msgspec
from django.conf import settings
from django.db import transaction
from django.utils import timezone
from rest_framework.request import Request
from rest_framework.response import Response

from notifications.access.authentication import Credentials
from notifications.models import IdempotencyRecord
from project.foundation import bodies, bulk
from project.foundation.locks import try_lock
from project.foundation.problems import Conflict, Problem

MAX_LENGTH = 255
_encode = msgspec.json.Encoder(order="sorted").encode
_EARLIER = (
    "SELECT * FROM notifications_idempotencyrecord"
    " WHERE caller_id = %(caller_id)s AND mode = %(mode)s AND route = %(route)s AND key = %(key)s"
)


class KeyTooLong(Problem):
    status, code, title = 400, "invalid_idempotency_key", f"An Idempotency-Key has 1 to {MAX_LENGTH} characters."


class KeyReused(Problem):
    status, code, title = 422, "idempotency_key_reused", "This Idempotency-Key was used for another request."


class InProgress(Conflict):
    code, title = "in_progress", "The same request is being carried out at this moment."


def answer_once(request: Request, handle: Callable[[], Response]) -> Response:
    """Carry out a request with an Idempotency-Key, or give again the answer it had: the way in from every POST.

    The answer is stored in the transaction of the work. A problem undoes the work and is not stored, so that a
    corrected request may use its key again.
    """
    key = request.headers["Idempotency-Key"]
    if not is_key(key):
        raise KeyTooLong
    if not isinstance(request.auth, Credentials):  # a person in their own inbox, where twice equals once anyway
        return handle()
    scope = {
        "caller_id": request.auth.caller_id,
        "mode": request.auth.mode,
        "route": _route(request),
        "key": key,
    }
    fingerprint = _fingerprint(request)
    with transaction.atomic():
        # A second INSERT would block on the unique index until the first commits; SQLite lets in one writer anyway.
        if not try_lock("idempotency", *scope.values()):
            raise InProgress(headers={"Retry-After": "1"})
        earlier = next(iter(bulk.select(IdempotencyRecord, _EARLIER, scope)), None)
        if earlier is not None and earlier.created_at > _oldest():
            return _replay(earlier, fingerprint)
        response = handle()
        if earlier is not None:
            earlier.delete()
        if 200 <= response.status_code < 300:
            said = msgspec.json.encode(response.data, enc_hook=str)
            response.data = msgspec.Raw(said)  # written out once: the record and the caller get the same
            answer = {"status": response.status_code, "body": response.data}
            bulk.insert([IdempotencyRecord(**scope, body_hash=fingerprint, **answer)])
        return response


def is_key(key: str) -> bool:
    """Tell whether a header's value may be an Idempotency-Key."""
    return 0 < len(key) <= MAX_LENGTH and key.isprintable()


def body_hash(body: Any) -> bytes:
    """Return the fingerprint by which two bodies are the same: canonical JSON without `timestamp`."""
    return hashlib.sha256(_canonical(body)).digest()


def request_hash(body: Any) -> bytes:
    """Return the fingerprint of a request that has this parsed body and no query."""
    return hashlib.sha256(_canonical(body) + b"\n[]").digest()


def _replay(record: IdempotencyRecord, fingerprint: bytes) -> Response:
    if bytes(record.body_hash) != fingerprint:
        raise KeyReused
    return Response(record.body, status=record.status, headers={"Idempotent-Replayed": "true"})


def _route(request: Request) -> str:
    """Return "POST /notifications/send"; what stands in the path may be long and personal, and is kept as a hash."""
    match = request._request.resolver_match
    assert match is not None
    route = "/" + match.route.removeprefix("api/").removeprefix("v1/")
    if match.kwargs:
        named = msgspec.json.encode(match.kwargs, enc_hook=str, order="sorted")
        route = f"{route} {hashlib.sha256(named).hexdigest()[:16]}"
    return f"{request.method} {route}"


def _fingerprint(request: Request) -> bytes:
    raw = bodies.raw(request)
    try:
        body = _canonical(bodies.parsed(request)) if raw else b""
    except bodies.InvalidJSON:
        body = raw  # not for us to judge: the view answers
    query = msgspec.json.encode(sorted(request.query_params.items()))
    return hashlib.sha256(body + b"\n" + query).digest()


def _canonical(body: Any) -> bytes:
    if isinstance(body, dict):
        body = _without_timestamp(body)
        if isinstance(items := body.get("items"), list):
            body["items"] = [_without_timestamp(item) if isinstance(item, dict) else item for item in items]
    try:
        return _encode(body)
    except (ValueError, OverflowError):  # half a surrogate pair, a number beyond all bounds
        return json.dumps(body, sort_keys=True, separators=(",", ":")).encode()


def _without_timestamp(body: dict[str, Any]) -> dict[str, Any]:
    copied = body.copy()
    copied.pop("timestamp", None)
    return copied


def _oldest() -> datetime:
    moment: datetime = timezone.now() - settings.IDEMPOTENCY_TTL
    return moment
