"""Rows that tests start from."""

from datetime import UTC, datetime
from typing import Any

from notifications import acceptance
from notifications.models import Delivery, Notification
from preferences.models import User
from project.foundation import ids
from templates_app.models import Type


def accepted(user: User, type_: Type, **fields: Any) -> Notification:
    """Accept one notification as the API would."""
    payload = {"title": "Hello", "body": "It works.", "link": "https://example.com/", "template_variables": {}}
    payload |= fields.pop("payload", {})
    return acceptance.accept(acceptance.Request(user=user, type=type_, payload=payload, **fields)).notification


def given_delivery(user: User, type_: Type, *, status: str, channel: str = "email", **fields: Any) -> Delivery:
    """Store one planned notification with one delivery in the given status."""
    notification = Notification.objects.create(
        user=user, type=type_, mode="live", priority="MEDIUM", lane=1, payload={}, status="processing"
    )
    due = {"due_at": datetime.now(tz=UTC)} if status in {"queued", "sending", "scheduled"} else {}
    return Delivery.objects.create(
        id=ids.derived_id(notification.id, 0, channel),
        notification=notification,
        user=user,
        type=type_,
        channel=channel,
        status=status,
        **{"mode": "live", "lane": 1} | due | fields,
    )
