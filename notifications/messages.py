"""What a person is told on one channel: the template's words, or the standard ones, with this person's facts."""

import json
from datetime import UTC, datetime
from typing import Any

from notifications import addressee
from notifications.models import Delivery, Notification
from notifications.providers.base import About, Message
from preferences import links, webhook_secrets
from preferences.decisions import ContactPointFacts, Person
from templates_app import rendering
from templates_app.models import Type
from templates_app.variables import user_variables

_NO_HEADERS: dict[str, str] = {}
_ABOUT_MAIL = About()


def compose(
    delivery: Delivery,
    notification: Notification,
    person: Person,
    type_: Type,
    point: ContactPointFacts | None,
    *,
    badge: int | None = None,
) -> Message:
    """Return the message of one delivery, ready for its provider. Raises RenderError.

    `badge`: what the person has not read, where the channel shows that; null leaves the device's own number.
    """
    mailed = delivery.channel == "email"
    stop = _unsubscribe_url(delivery.channel, person, type_)
    rendered = _rendered(delivery.channel, notification, person, type_, notification.template_version_id, stop)
    return Message(
        delivery_id=delivery.id,
        channel=delivery.channel,
        to=point.address if point else "",
        parts=dict(rendered.parts),
        headers=_list_headers(stop) if mailed and stop else _NO_HEADERS,
        about=_ABOUT_MAIL if mailed else _about(delivery, notification, person, type_, rendered.locale, badge),
        secrets=webhook_secrets.signing(point.secret, datetime.now(tz=UTC)) if point and point.secret else (),
    )


def _about(
    delivery: Delivery, notification: Notification, person: Person, type_: Type, locale: str, badge: int | None
) -> About:
    payload = notification.content
    return About(
        notification_id=str(notification.public_id),
        type_key=type_.key,
        category_key=type_.category.key,
        user_id=person.user_id,
        priority=notification.priority,
        expires_at=delivery.expires_at,
        locale=locale,
        title=payload.get("title") or type_.name,
        body=payload.get("body") or "",
        link=payload.get("link") or "",
        data=payload.get("template_variables") or {},
        badge=badge,
    )


def _unsubscribe_url(channel: str, person: Person, type_: Type) -> str:
    """Return the address that stops this category on this channel; "" where it cannot be stopped."""
    if channel in type_.category.required_channels or type_.key == addressee.CONFIRMATION:
        return ""
    return links.unsubscribe_url(person.pk, type_.category_id, channel, person.link_generation)


def _settings_url(person: Person, type_: Type) -> str:
    """Return the link that opens the person's settings; "" where the address may be a stranger's."""
    return "" if type_.key == addressee.CONFIRMATION else links.settings_url(person.pk, person.link_generation)


def _list_headers(stop: str) -> dict[str, str]:
    """Return the headers by which mail programs offer to unsubscribe (RFC 2369, RFC 8058)."""
    return {"List-Unsubscribe": f"<{stop}>", "List-Unsubscribe-Post": "List-Unsubscribe=One-Click"}


def inbox_content(notification: Notification, person: Person, type_: Type, version_id: int | None) -> dict[str, Any]:
    """Return the content of an inbox item: {"title", "body", "link", "actions"}. Raises RenderError."""
    stop = _unsubscribe_url("in_app", person, type_)
    parts = _rendered("in_app", notification, person, type_, version_id, stop).parts
    return {
        "title": parts.get("title", ""),
        "body": parts.get("body", ""),
        "link": parts.get("link", ""),
        "actions": json.loads(parts["actions"]) if parts.get("actions", "").strip() else [],
    }


def _rendered(
    channel: str, notification: Notification, person: Person, type_: Type, version_id: int | None, stop: str
) -> rendering.Rendered:
    contents = rendering.version_contents(version_id) if version_id else None
    return rendering.render(
        contents,
        channel=channel,
        locale=notification.locale or person.locale,
        timezone=person.timezone,
        variables=_variables(notification, person, type_, stop),
        data=notification.content.get("template_variables") or {},
    )


def _variables(notification: Notification, person: Person, type_: Type, stop: str) -> dict[str, Any]:
    payload = notification.content
    return {
        **(payload.get("template_variables") or {}),
        "title": payload.get("title") or type_.name,
        "body": payload.get("body") or "",
        "link": payload.get("link") or "",
        "type": type_.key,
        "user": user_variables(person),
        "category": {"key": type_.category.key, "name": type_.category.name},
        "unsubscribe_url": stop or _settings_url(person, type_),
    }
