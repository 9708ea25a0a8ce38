"""What a daily digest says: what waits for it and is still news, each with its title and its link."""

import logging
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from django.conf import settings
from django.utils import translation
from django.utils.translation import ngettext

from notifications import digests, gathering, messages
from notifications.models import Broadcast, DigestItem, InboxItem, Notification
from preferences import decisions
from preferences.channels import CHANNELS
from preferences.decisions import Facts, Person
from preferences.loading import category_facts
from preferences.pages import language
from project.foundation import ids
from templates_app.models import Type

logger = logging.getLogger(__name__)

MOST = 50  # are listed; the rest is counted


@dataclass(frozen=True)
class Content:
    """What a digest tells, and where: the channels on which something of it waited, e-mail first."""

    channels: list[str]
    payload: dict[str, Any]  # {"title", "body", "link", "template_variables": {"items": […], "count"}}


def of(
    waiting: Mapping[UUID, Sequence[DigestItem]], owners: Mapping[UUID, Person], now: datetime
) -> dict[UUID, Content | None]:
    """Return the content of each digest, by its id; None where nothing is left to tell. A constant number of queries.

    What was read in the inbox, cancelled, or is not wanted on that channel any more is left out.
    """
    if not waiting:
        return {}
    wanted = {item.notification_id for items in waiting.values() for item in items}
    notifications = Notification.objects.in_bulk(wanted) if wanted else {}
    gathering.attach_broadcasts(list(notifications.values()))
    types = gathering.types({each.type_id for each in notifications.values()}) if notifications else {}
    seen = InboxItem.objects.filter(notification_id__in=wanted, read_at__isnull=False)
    read = set(seen.values_list("notification_id", flat=True)) if wanted else set()
    news = {id: each for id, each in notifications.items() if id not in read and not _cancelled(each)}
    return {id: _content(items, owners[id], news, types, now) for id, items in waiting.items() if id in owners}


def _cancelled(notification: Notification) -> bool:
    broadcast = notification.broadcast if notification.broadcast_id is not None else None
    stopped = broadcast is not None and broadcast.status == Broadcast.Status.CANCELLED
    return stopped or notification.status == Notification.Status.CANCELLED


def _content(
    items: Iterable[DigestItem],
    person: Person,
    news: Mapping[UUID, Notification],
    types: Mapping[int, Type],
    now: datetime,
) -> Content | None:
    found, channels = [], set()
    for id, on in digests.by_channel(items).items():
        if (notification := news.get(id)) is None:
            continue
        type_ = types[notification.type_id]
        preferred = tuple(notification.channels_preferred or ())
        facts = Facts(person, category_facts(type_.category), now, type_.key, preferred)
        if still := {channel for channel in on if decisions.consent(facts, channel).allowed}:
            channels |= still
            found.append(_line(notification, person, type_))
    if not found:
        return None
    return Content([channel for channel in CHANNELS if channel in channels], _payload(found, person))


def _line(notification: Notification, person: Person, type_: Type) -> dict[str, Any]:
    try:
        content = messages.inbox_content(notification, person, type_, notification.template_version_id)
    except Exception:  # whatever is wrong with one of them, the others are told
        logger.exception("digest.line_failed", extra={"notification": str(notification.id)})
        content = notification.content
    return {
        "title": content.get("title") or type_.name,
        "link": content.get("link") or "",
        "type": type_.key,
        "category": type_.category.name,
        "at": ids.created_at(notification.id).astimezone(UTC).isoformat().replace("+00:00", "Z"),
    }


def _payload(lines: Sequence[dict[str, Any]], person: Person) -> dict[str, Any]:
    listed, more = lines[:MOST], len(lines) - MOST
    with translation.override(language.of(person.locale)):
        title = ngettext("Your day: %(count)d message", "Your day: %(count)d messages", len(lines))
        body = ["\n".join(part for part in (f"• {line['title']}", line["link"]) if part) for line in listed]
        if more > 0:
            body.append(ngettext("… and %(count)d more", "… and %(count)d more", more) % {"count": more})
    return {
        "title": title % {"count": len(lines)},
        "body": "\n".join(body),
        "link": f"{settings.PUBLIC_URL}/inbox/",
        "template_variables": {"items": list(listed), "count": len(lines)},
    }
