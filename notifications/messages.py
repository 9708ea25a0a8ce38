"""What a person is told on one channel: the template's words, or the standard ones, with this person's facts."""

import json
from collections.abc import Callable, Mapping
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
    reader: Mapping[str, Any] | None = None,
) -> Message:
    """Return the message of one delivery, ready for its provider. Raises RenderError.

    `badge`: what the person has not read, where the channel shows that; null leaves the device's own number.
    `reader`: the person's `user_variables`, where they are known already.
    """
    mailed = delivery.channel == "email"
    telling = _telling(notification, type_, notification.template_version_id)
    stop = telling.stop_url(delivery.channel, person)
    rendered = telling.rendered(delivery.channel, notification.locale, person, stop, reader)
    return Message(
        delivery_id=delivery.id,
        channel=delivery.channel,
        to=point.address if point else "",
        parts=rendered.parts,
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


def _list_headers(stop: str) -> dict[str, str]:
    """Return the headers by which mail programs offer to unsubscribe (RFC 2369, RFC 8058)."""
    return {"List-Unsubscribe": f"<{stop}>", "List-Unsubscribe-Post": "List-Unsubscribe=One-Click"}


def inbox_content(notification: Notification, person: Person, type_: Type, version_id: int | None) -> dict[str, Any]:
    """Return the content of an inbox item: {"title", "body", "link", "actions"}. Raises RenderError."""
    telling = _telling(notification, type_, version_id)
    stop = telling.stop_url("in_app", person)
    parts = telling.rendered("in_app", notification.locale, person, stop).parts
    return {
        "title": parts.get("title", ""),
        "body": parts.get("body", ""),
        "link": parts.get("link", ""),
        "actions": json.loads(parts["actions"]) if parts.get("actions", "").strip() else [],
    }


class _Telling:
    """What all who are told the same share, worked out once for them: the people of a broadcast, say."""

    def __init__(self, content: Mapping[str, Any], type_: Type, version_id: int | None) -> None:
        self.made_of = content, type_, version_id
        self._type = type_
        self._stop_urls: dict[str, Callable[[int, int], str] | None] = {}
        variables = content.get("template_variables") or {}
        contents = rendering.version_contents(version_id) if version_id else None
        self._occasion = rendering.Occasion(contents, _variables(content, variables, type_), data=variables)

    def stop_url(self, channel: str, person: Person) -> str:
        """Return the address that stops this category on this channel; "" where it cannot be stopped."""
        if channel not in self._stop_urls:
            self._stop_urls[channel] = _stop_urls(channel, self._type)
        urls = self._stop_urls[channel]
        return urls(person.pk, person.link_generation) if urls else ""

    def rendered(
        self, channel: str, locale: str, person: Person, stop: str, reader: Mapping[str, Any] | None = None
    ) -> rendering.Rendered:
        """Return one person's message. `locale`: "" = the person's own. Raises RenderError."""
        user = user_variables(person) if reader is None else reader
        personal = {"user": user, "unsubscribe_url": stop or _settings_url(person, self._type)}
        return self._occasion.render(
            channel, locale=locale or person.locale, timezone=person.timezone, personal=personal
        )


_latest: _Telling | None = None


def _telling(notification: Notification, type_: Type, version_id: int | None) -> _Telling:
    """Return what is shared: the last one again where it is made of the very same, as for the people of a broadcast."""
    global _latest
    content, found = notification.content, _latest
    if found is not None:
        of_content, of_type, of_version = found.made_of
        if of_content is content and of_type is type_ and of_version == version_id:
            return found
    found = _latest = _Telling(content, type_, version_id)
    return found


def _stop_urls(channel: str, type_: Type) -> Callable[[int, int], str] | None:
    if channel in type_.category.required_channels or type_.key == addressee.CONFIRMATION:
        return None
    return links.unsubscribe_urls(type_.category_id, channel)


def _settings_url(person: Person, type_: Type) -> str:
    """Return the link that opens the person's settings; "" where the address may be a stranger's."""
    return "" if type_.key == addressee.CONFIRMATION else links.settings_url(person.pk, person.link_generation)


def _variables(content: Mapping[str, Any], variables: Mapping[str, Any], type_: Type) -> dict[str, Any]:
    return {
        **variables,
        "title": content.get("title") or type_.name,
        "body": content.get("body") or "",
        "link": content.get("link") or "",
        "type": type_.key,
        "category": {"key": type_.category.key, "name": type_.category.name},
    }
