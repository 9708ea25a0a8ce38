"""What push services have in common: words that fit, whether it is urgent, and until when it is worth telling."""

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from notifications.providers.base import Message

LONGEST_LIFE = 28 * 86_400  # seconds: what FCM keeps at most, and longer than a device is usually away
_ELLIPSIS = "…"
_SHORTEST = 20  # characters: a body cut to less says nothing


class DoesNotFit(ValueError):
    """The message is too large for the service, its words left out."""


def words(message: Message, *, most_bytes: int, around: Mapping[str, Any]) -> tuple[str, str]:
    """Return the title and the body, cut so that a payload with them and `around` has at most `most_bytes` of JSON.

    Raises DoesNotFit.
    """
    title, body = message.parts["title"][:200], message.parts["body"]
    while _size({**around, "title": title, "body": body}) > most_bytes:
        if len(body) < _SHORTEST:
            raise DoesNotFit("The message is larger than the service takes.")
        body = body[: len(body) * 3 // 4 - 1].rstrip() + _ELLIPSIS
    return title, body


def seconds_left(message: Message) -> int:
    """Return for how long the message is worth telling; at least one second."""
    expires_at = message.about.expires_at
    if expires_at is None:
        return LONGEST_LIFE
    return max(1, min(LONGEST_LIFE, int((expires_at - datetime.now(tz=UTC)).total_seconds())))


def is_urgent(message: Message) -> bool:
    return message.about.priority == "HIGH"


def data(message: Message) -> dict[str, str]:
    """Return what the app gets beside the words: what it is about, and where to go."""
    about = message.about
    stated = {"notification_id": about.notification_id, "type": about.type_key, "link": _link(message)}
    return {name: value for name, value in stated.items() if value}


def _link(message: Message) -> str:
    link = message.about.link
    return link if len(link) <= 2000 else ""


def _size(payload: Mapping[str, Any]) -> int:
    return len(json.dumps(payload, ensure_ascii=False).encode(errors="replace"))
