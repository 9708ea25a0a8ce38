"""API keys by API. A key's text is shown once."""

from datetime import datetime
from typing import Annotated, Any, Literal

import msgspec
from drf_spectacular.utils import OpenApiParameter, extend_schema
from msgspec import Meta
from rest_framework.request import Request
from rest_framework.response import Response

from notifications.access import granting
from notifications.access.authentication import credentials
from notifications.models import ApiKey
from project.foundation import bodies, pages
from project.foundation.problems import NotFound
from project.foundation.views import ApiView

Scope = Literal["send", "read", "users", "preferences", "templates", "broadcasts", "webhooks", "admin"]


class KeyBody(msgspec.Struct, forbid_unknown_fields=True):
    """A new key. Without `caller` it belongs to the caller of the key that makes it; a new caller is made."""

    scopes: Annotated[list[Scope], Meta(min_length=1, max_length=20)]
    mode: Literal["live", "test"] | None = None  # absent: that of the key that makes it
    name: Annotated[str, Meta(max_length=200)] | None = None
    # To a pattern's end a line end may follow, unless it says no.
    caller: Annotated[str, Meta(min_length=1, max_length=100, pattern=r"^[A-Za-z0-9_-]+$(?!\n)")] | None = None
    rate_limit: Annotated[str, Meta(pattern=r"^[1-9][0-9]{0,8}/[smhd]$(?!\n)", description="100/s, 1000/m")] | None = (
        None
    )
    expires_at: Annotated[datetime, Meta(tz=True)] | None = None


class KeyAnswer(msgspec.Struct):
    id: str
    caller: str
    mode: str
    name: str
    scopes: list[str]
    rate_limit: str | None
    created_at: datetime
    expires_at: datetime | None
    revoked_at: datetime | None
    last_used_at: datetime | None  # to the minute


class NewKeyAnswer(KeyAnswer):
    key: str  # the whole key, shown this once


class KeyPage(msgspec.Struct):
    results: list[KeyAnswer]
    next: str | None


class Keys(ApiView):
    required_scopes = {"admin"}

    @extend_schema(
        operation_id="list_keys",
        parameters=[OpenApiParameter("limit", int), OpenApiParameter("cursor", str)],
        responses={200: bodies.openapi_schema(KeyPage)},
    )
    def get(self, request: Request) -> Response:
        """List the API keys of every caller, newest first, without their secrets."""
        rows, following = pages.page(ApiKey.objects.select_related("caller"), request, key="-created_at")
        return pages.answer(rows, following, _shown)

    @extend_schema(
        operation_id="issue_key",
        request=bodies.openapi(KeyBody),
        responses={201: bodies.openapi_schema(NewKeyAnswer)},
    )
    def post(self, request: Request) -> Response:
        """Issue a key. It may do no more than the key that issues it."""
        body = bodies.read(request, KeyBody)
        key, text = granting.issue(
            credentials(request),
            scopes=list(body.scopes),
            mode=body.mode,
            caller_key=body.caller,
            name=body.name or "",
            rate_limit=body.rate_limit or "",
            expires_at=body.expires_at,
        )
        return Response(_shown(key) | {"key": text}, status=201)


class RotateKey(ApiView):
    required_scopes = {"admin"}

    @extend_schema(operation_id="rotate_key", request=None, responses={201: bodies.openapi_schema(NewKeyAnswer)})
    def post(self, request: Request, id: str) -> Response:
        """Issue a successor with the same rights. The old key still works for 24 hours."""
        key, text = granting.rotate(credentials(request), _found(id))
        return Response(_shown(key) | {"key": text}, status=201)


class KeyById(ApiView):
    required_scopes = {"admin"}

    @extend_schema(operation_id="revoke_key", responses={204: None})
    def delete(self, request: Request, id: str) -> Response:
        """Revoke a key. Doing so twice changes nothing."""
        granting.revoke(credentials(request), _found(id))
        return Response(status=204)


def _found(id: str) -> ApiKey:
    key = ApiKey.objects.select_related("caller").filter(id=id).first()
    if key is None:
        raise NotFound("There is no such key.")
    return key


def _shown(key: ApiKey) -> dict[str, Any]:
    return {
        "id": key.id,
        "caller": key.caller.key,
        "mode": key.mode,
        "name": key.name,
        "scopes": key.scopes,
        "rate_limit": key.rate_limit or None,
        "created_at": key.created_at,
        "expires_at": key.expires_at,
        "revoked_at": key.revoked_at,
        "last_used_at": key.last_used_at,
    }
