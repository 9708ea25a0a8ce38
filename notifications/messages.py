"""What a person is told on one channel: the template's words, or the standard ones, with this person's facts."""

import json
from datetime import UTC, datetime
from typing import Any

from django.conf import settings

from notifications.models import Delivery, Notification
from notifications.providers.base import Message
from preferences import webhook_secrets
from preferences.decisions import ContactPointFacts, Person
from templates_app import rendering
from templates_app.models import Type
from templates_app.variables import user_variables


def compose(
    delivery: Delivery, notification: Notification, person: Person, type_: Type, point: ContactPointFacts | None
) -> Message:
    """Return the message of one delivery, ready for its provider. Raises RenderError."""
    return Message(
        delivery_id=delivery.id,
        channel=delivery.channel,
        to=point.address if point else "",
        parts=_parts(delivery.channel, notification, person, type_, notification.template_version_id),
        secrets=webhook_secrets.signing(point.secret, datetime.now(tz=UTC)) if point and point.secret else (),
    )


def inbox_content(notification: Notification, person: Person, type_: Type, version_id: int | None) -> dict[str, Any]:
    """Return the content of an inbox item: {"title", "body", "link", "actions"}. Raises RenderError."""
    parts = _parts("in_app", notification, person, type_, version_id)
    return {
        "title": parts.get("title", ""),
        "body": parts.get("body", ""),
        "link": parts.get("link", ""),
        "actions": json.loads(parts["actions"]) if parts.get("actions", "").strip() else [],
    }


def _parts(
    channel: str, notification: Notification, person: Person, type_: Type, version_id: int | None
) -> dict[str, str]:
    contents = rendering.version_contents(version_id) if version_id else None
    rendered = rendering.render(
        contents,
        channel=channel,
        locale=notification.locale or person.locale,
        timezone=person.timezone,
        variables=_variables(notification, person, type_),
        data=notification.content.get("template_variables") or {},
    )
    return dict(rendered.parts)


def _variables(notification: Notification, person: Person, type_: Type) -> dict[str, Any]:
    payload = notification.content
    return {
        **(payload.get("template_variables") or {}),
        "title": payload.get("title") or type_.name,
        "body": payload.get("body") or "",
        "link": payload.get("link") or "",
        "type": type_.key,
        "user": user_variables(person),
        "category": {"key": type_.category.key, "name": type_.category.name},
        "unsubscribe_url": f"{settings.PUBLIC_URL}/preferences/",
    }
