"""POST /notifications/send."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import msgspec
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from drf_spectacular.utils import OpenApiExample, OpenApiParameter, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from notifications import acceptance, caller_ids, checking, dry_run, idempotency
from notifications.access.authentication import Credentials, credentials
from notifications.api import short_send
from notifications.api.accepted import AcceptedBody, answer
from notifications.api.notifications import Decision
from notifications.attachments import body as attachments
from notifications.checking import Checked
from notifications.models import Notification
from notifications.send_body import NOT_AVAILABLE, SendBody
from preferences import profiles, users
from preferences.models import User
from project.foundation import bodies
from project.foundation.problems import InvalidRequest
from project.foundation.views import ApiView

# Of the demo, so that "Try it out" works as it stands.
_EXAMPLE = {
    "user_id": "ada",
    "type": "ORDER_CONFIRMATION",
    "payload": {"template_variables": {"order_id": "1234", "customer_name": "Ada"}},
}


class TriedOut(msgspec.Struct):
    """What a request would do."""

    decisions: list[Decision]
    content: dict[str, dict[str, Any]]  # by channel: the parts, or {"error"}
    cost: dict[str, Any]  # {"messages": {channel: number}, "sms_segments"}


class SendView(ApiView):
    required_scopes = {"send"}

    def answered_shortly(self, request: HttpRequest) -> HttpResponse | None:
        return short_send.answer(request)

    @extend_schema(
        operation_id="send",
        request=bodies.openapi(SendBody, without=NOT_AVAILABLE),
        parameters=[OpenApiParameter("dry_run", bool, description="Tell nobody; answer 200 with what would happen.")],
        responses={202: bodies.openapi_schema(AcceptedBody), 200: bodies.openapi_schema(TriedOut)},
        examples=[OpenApiExample("An order", value=_EXAMPLE, request_only=True)],
    )
    def post(self, request: Request) -> Response:
        """Tell one user one thing. It is stored when this answers; the work happens behind it.

        A repeat of a `notification_id` with the same body is answered as the first was, and nothing is sent again.
        """
        if request.query_params.get("dry_run", "").lower() not in {"", "0", "false"}:
            return Response(try_out(bodies.data(request), credentials(request)))
        accepted = send(bodies.data(request), credentials(request))
        headers = {"Idempotent-Replayed": "true"} if accepted.replayed else None
        return Response(answer(accepted.notification), status=202, headers=headers)


def try_out(data: Any, whose: Credentials) -> dict[str, Any]:
    """Return what a parsed send body would do. Nothing of it is stored, the person that comes with it neither."""
    checked = checking.check(data)
    with transaction.atomic():
        user = checked.user if checked.body.user is None else users.upsert(checked.body.user_id, checked.body.user)[0]
        found = dry_run.of(acceptance.unsaved(request_of(checked, user, data, whose)))
        transaction.set_rollback(True)
    return found


def send(data: Any, whose: Credentials) -> acceptance.Accepted:
    """Check and accept one parsed send body; the person that comes with it is stored in the same transaction.

    A body whose notification_id is known already is answered as it was the first time, before it is judged anew: what
    was right then may be wrong by now.
    """
    try:
        checked = checking.check(data)
    except InvalidRequest:
        earlier = earlier_ones([data], whose)
        if not earlier:
            raise
        return earlier[0]
    with transaction.atomic():
        user = checked.user if checked.body.user is None else users.upsert(checked.body.user_id, checked.body.user)[0]
        accepted = acceptance.accept(request_of(checked, user, data, whose))
        if accepted.replayed:
            # The person may have changed since; a repeat must not bring back what they were.
            transaction.set_rollback(True)
    return accepted


def request_of(checked: Checked, user: User | None, data: Any, whose: Credentials) -> acceptance.Request:
    """Return what a checked body asks for. `user` is stored by now."""
    body, payload = checked.body, checked.body.payload.stored()
    assert user is not None
    contents: Mapping[UUID, str] = {}
    if body.attachments:
        attached = attachments.kept(body.attachments)
        payload["attachments"], contents = attached.listed, attached.contents
    return acceptance.Request(
        user=user,
        type=checked.type,
        payload=payload,
        mode=whose.mode,
        caller_id=whose.caller_id,
        priority=body.priority,
        channels_preferred=list(dict.fromkeys(body.channels_preferred)) if body.channels_preferred else None,
        locale=profiles.locale(body.locale) if body.locale else "",
        metadata=body.metadata,
        occurred_at=_utc(body.timestamp),
        send_at=_utc(body.send_at),
        expires_at=_utc(body.expires_at),
        caller_notification_id=body.notification_id,
        body_hash=idempotency.body_hash(data) if body.notification_id is not None else b"",
        contents=contents,
    )


def _utc(moment: datetime | None) -> datetime | None:
    return moment if moment is None or moment.tzinfo is UTC else moment.astimezone(UTC)


def earlier_ones(items: Sequence[Any], whose: Credentials) -> dict[int, acceptance.Accepted]:
    """Return what was accepted before under the ids of parsed bodies that say the same, by index. Two queries."""
    named = [(n, data) for n, data in enumerate(items) if isinstance(data, dict) and "notification_id" in data]
    keys = {index: key for index, data in named if (key := _own_id(data)) is not None}
    if not keys:
        return {}
    first = caller_ids.known(whose.caller_id, whose.mode, set(keys.values()))
    same = {
        index: first[key].notification_id
        for index, key in keys.items()
        if key in first and bytes(first[key].body_hash) == idempotency.body_hash(items[index])
    }
    stored = Notification.objects.select_related("user", "type").in_bulk(set(same.values())) if same else {}
    return {index: acceptance.Accepted(stored[id], replayed=True) for index, id in same.items() if id in stored}


def _own_id(data: dict[str, Any]) -> UUID | None:
    try:
        return msgspec.convert(data["notification_id"], UUID)
    except (msgspec.ValidationError, UnicodeEncodeError):
        return None
