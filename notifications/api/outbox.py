"""The outbox by API: what would have been sent."""

from collections.abc import Mapping
from datetime import datetime
from functools import partial
from typing import Any
from uuid import UUID

import msgspec
from django.db.models import QuerySet
from django.utils.dateparse import parse_datetime
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from notifications import history, outbox
from notifications.models import OutboxMessage
from preferences.channels import CHANNELS
from project.foundation import bodies, pages
from project.foundation.problems import Fault, InvalidRequest
from project.foundation.views import ApiView


class AttachmentAnswer(msgspec.Struct):
    filename: str
    content_type: str
    size: int  # bytes


class OutboxAnswer(msgspec.Struct):
    id: UUID
    notification_id: UUID
    user_id: str
    channel: str
    to: str
    headers: dict[str, str]  # mail only, else empty
    parts: dict[str, str]
    attachments: list[AttachmentAnswer]  # mail only, else empty
    created_at: datetime


class OutboxPage(msgspec.Struct):
    results: list[OutboxAnswer]
    next: str | None


class Outbox(ApiView):
    required_scopes = {"read"}

    @extend_schema(
        operation_id="list_outbox",
        parameters=[
            OpenApiParameter("user_id", str),
            OpenApiParameter("channel", str, enum=list(CHANNELS)),
            OpenApiParameter(
                "since", str, description="A time (RFC 3339): from then on. Or the id of a message: after it."
            ),
            OpenApiParameter("limit", int),
            OpenApiParameter("cursor", str),
        ],
        responses={200: bodies.openapi_schema(OutboxPage)},
    )
    def get(self, request: Request) -> Response:
        """List what would have been sent, newest first: what this caller sent in the mode of its key.

        A key with the scope admin also sees Carillon's own mail, such as sign-in links.
        """
        auth: Any = request.auth
        rows = outbox.visible(mode=auth.mode, caller_id=auth.caller_id, system="admin" in auth.scopes)
        found, following = pages.page(_narrowed(rows, request), request)
        public = history.public_ids(message.notification_id for message in found)
        return pages.answer(found, following, partial(_shown, public))


def _narrowed(rows: "QuerySet[OutboxMessage]", request: Request) -> "QuerySet[OutboxMessage]":
    faults = []
    if user_id := request.query_params.get("user_id"):
        rows = rows.filter(user__user_id=user_id)
    if channel := request.query_params.get("channel"):
        if channel not in CHANNELS:
            faults.append(Fault("/channel", "unknown_channel", f"It must be one of {', '.join(CHANNELS)}."))
        rows = rows.filter(channel=channel)
    if text := request.query_params.get("since"):
        bound = _bound(text)
        if bound is None:
            faults.append(Fault("/since", "invalid_value", "It must be a time with its zone, or the id of a message."))
        else:
            rows = outbox.since(rows, bound)
    if faults:
        raise InvalidRequest(errors=faults)
    return rows


def _bound(text: str) -> UUID | datetime | None:
    try:
        return UUID(text)
    except ValueError:
        pass
    try:
        # A plus sign that was not percent-encoded arrives as a space.
        moment = parse_datetime(text.replace(" ", "+") if "T" in text else text)
    except ValueError:
        return None
    return moment if moment is not None and moment.tzinfo is not None and moment.year >= 1970 else None


def _shown(public: Mapping[UUID, UUID], message: OutboxMessage) -> dict[str, Any]:
    return {
        "id": message.id,
        "notification_id": public.get(message.notification_id, message.notification_id),
        "user_id": message.user.user_id,
        "channel": message.channel,
        "to": message.to,
        "headers": message.headers,
        "parts": message.parts,
        "attachments": message.attachments or [],
        "created_at": message.created_at,
    }
