"""Notifications by API: what became of them, and stopping them."""

from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from notifications import cancellation, history
from notifications.access.authentication import credentials
from notifications.api.times import moment
from notifications.history import Facts
from notifications.models import Delivery, Notification
from preferences.channels import CHANNELS
from project.foundation import bodies, ids, pages
from project.foundation.problems import Fault, InvalidRequest, NotFound
from project.foundation.views import ApiView


class Decision(msgspec.Struct):
    """What the rules said for one channel, and which rule it was."""

    channel: str
    contact_point_id: UUID | None
    allowed: bool
    rule: str
    source: str
    reason: str
    text: str
    when: datetime | None
    held_until: datetime | None


class DeliveryAnswer(msgspec.Struct):
    id: UUID
    channel: str
    contact_point: str | None  # masked
    provider: str | None
    status: str
    reason: str
    dead: bool
    attempts: int
    next_attempt_at: datetime | None
    queued_at: datetime
    sent_at: datetime | None
    delivered_at: datetime | None
    opened_at: datetime | None
    clicked_at: datetime | None
    provider_message_id: str
    error: str


class TimelineEvent(msgspec.Struct):
    at: datetime
    event: str
    delivery_id: UUID | None
    detail: str


class Summary(msgspec.Struct, kw_only=True):
    id: UUID  # ours, by which history is kept; finds the notification as well
    notification_id: UUID  # the caller's own, if it gave one
    status: str
    user_id: str
    type: str
    priority: str
    mode: str
    created_at: datetime
    occurred_at: datetime | None
    send_at: datetime | None
    expires_at: datetime | None


class Full(Summary, kw_only=True):
    channels_preferred: list[str] | None
    locale: str | None
    metadata: dict[str, Any] | None
    decisions: list[Decision]
    deliveries: list[DeliveryAnswer]
    timeline: list[TimelineEvent]


class SummaryPage(msgspec.Struct):
    results: list[Summary]
    next: str | None


class Notifications(ApiView):
    required_scopes = {"read"}

    @extend_schema(
        operation_id="list_notifications",
        parameters=[
            OpenApiParameter("user_id", str),
            OpenApiParameter("type", str),
            OpenApiParameter("status", str, enum=list(Notification.Status.values)),
            OpenApiParameter("channel", str, enum=list(CHANNELS), description="Has a delivery on this channel."),
            OpenApiParameter("created_after", datetime, description="At or after this time."),
            OpenApiParameter("limit", int),
            OpenApiParameter("cursor", str),
        ],
        responses={200: bodies.openapi_schema(SummaryPage)},
    )
    def get(self, request: Request) -> Response:
        """List what this caller sent in the mode of its key, newest first."""
        whose = credentials(request)
        rows = history.visible(mode=whose.mode, caller_id=whose.caller_id)
        found, following = pages.page(history.narrowed(rows, **_filters(request)), request)
        return pages.answer(found, following, _summary)


class NotificationById(ApiView):
    required_scopes = {"read"}

    @extend_schema(operation_id="get_notification", responses={200: bodies.openapi_schema(Full)})
    def get(self, request: Request, id: UUID) -> Response:
        """Show one notification, by our id or by the caller's own, with its deliveries and their timeline."""
        return Response(_full(_found(request, id)))


class Cancel(ApiView):
    required_scopes = {"send"}

    @extend_schema(operation_id="cancel_notification", request=None, responses={200: bodies.openapi_schema(Full)})
    def post(self, request: Request, id: UUID) -> Response:
        """Stop everything of a notification that has not left; 409 when nothing is left to stop."""
        cancellation.cancel(_found(request, id).id)
        return Response(_full(_found(request, id)))


def _found(request: Request, id: UUID) -> Notification:
    whose = credentials(request)
    notification = history.find(id, mode=whose.mode, caller_id=whose.caller_id)
    if notification is None:
        raise NotFound("There is no such notification of this caller and mode.")
    return notification


def _filters(request: Request) -> dict[str, Any]:
    given = {name: request.query_params.get(name, "") for name in ("user_id", "status", "channel")}
    faults = []
    if given["status"] and given["status"] not in Notification.Status.values:
        faults.append(Fault("/status", "invalid_value", f"It must be one of {', '.join(Notification.Status.values)}."))
    if given["channel"] and given["channel"] not in CHANNELS:
        faults.append(Fault("/channel", "unknown_channel", f"It must be one of {', '.join(CHANNELS)}."))
    created_after = None
    if text := request.query_params.get("created_after", ""):
        created_after = moment(text)
        if created_after is None:
            faults.append(Fault("/created_after", "invalid_value", "It must be a time with its zone (RFC 3339)."))
    if faults:
        raise InvalidRequest(errors=faults)
    return given | {"type_key": request.query_params.get("type", ""), "created_after": created_after}


def _summary(notification: Notification) -> dict[str, Any]:
    return {
        "id": notification.id,
        "notification_id": notification.public_id,
        "status": notification.status,
        "user_id": notification.user.user_id,
        "type": notification.type.key,
        "priority": notification.priority,
        "mode": notification.mode,
        "created_at": ids.created_at(notification.id),
        "occurred_at": notification.occurred_at,
        "send_at": notification.send_at,
        "expires_at": notification.expires_at,
    }


def _full(notification: Notification) -> dict[str, Any]:
    stored = history.deliveries(notification)
    deliveries = [*stored, *history.skips(notification, stored)]
    facts = history.facts(deliveries)
    events = history.timeline(notification, stored)
    queued = {event["delivery_id"]: event["at"] for event in reversed(events)}
    begin = ids.created_at(notification.id)
    return _summary(notification) | {
        "channels_preferred": notification.channels_preferred,
        "locale": notification.locale or None,
        "metadata": notification.metadata,
        "decisions": notification.decided or [],
        "deliveries": [_delivery(delivery, facts, queued.get(delivery.id, begin)) for delivery in deliveries],
        "timeline": events,
    }


def _delivery(delivery: Delivery, facts: Facts, queued_at: datetime) -> dict[str, Any]:
    return {
        "id": delivery.id,
        "channel": delivery.channel,
        "contact_point": facts.addresses.get(delivery.contact_point_id) if delivery.contact_point_id else None,
        "provider": facts.providers.get(delivery.provider_account_id) if delivery.provider_account_id else None,
        "status": delivery.status,
        "reason": delivery.reason,
        "dead": delivery.dead,
        "attempts": delivery.attempts,
        "next_attempt_at": delivery.due_at,
        "queued_at": queued_at,
        "sent_at": delivery.sent_at,
        "delivered_at": delivery.delivered_at,
        "opened_at": delivery.opened_at,
        "clicked_at": delivery.clicked_at,
        "provider_message_id": delivery.provider_message_id,
        "error": delivery.error,
    }
