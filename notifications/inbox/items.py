"""An inbox item as the API and the websocket show it."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import msgspec

from notifications.models import InboxItem

Frame = tuple[int, str]  # user pk, JSON text: what hub.publish takes

_ENCODER = msgspec.json.Encoder()


def document(item: InboxItem, *, category: str) -> dict[str, Any]:
    """Return the item of the wire contract. `category` is its category's key. No queries."""
    content = item.content
    return {
        "id": str(item.id),
        "seq": item.seq,
        "type": item.type_key,
        "category": category,
        "title": content.get("title") or "",
        "body": content.get("body") or "",
        "link": content.get("link") or None,
        "actions": [_action(action) for action in content.get("actions") or ()],
        "priority": item.priority,
        "created_at": _time(item.created_at),
        "seen_at": _time(item.seen_at),
        "read_at": _time(item.read_at),
        "archived_at": _time(item.archived_at),
        "snoozed_until": _time(item.snoozed_until),
        "why": item.why,
    }


def frame(user_pk: int, kind: str, **fields: Any) -> Frame:
    """Return one server frame: `{"type": kind, …}`."""
    return user_pk, _ENCODER.encode({"type": kind, **fields}).decode()


def number_of(text: str) -> float:
    """Return the change number of a server frame; one without a number is always news: infinity."""
    content = msgspec.json.decode(text)
    found = content.get("item", content).get("seq") if isinstance(content, dict) else None
    return float("inf") if found is None else float(found)


def _action(action: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "label": action.get("label") or "",
        "url": action.get("url") or None,
        "primary": bool(action.get("primary")),
        "completed": bool(action.get("completed")),
    }


def _time(moment: datetime | None) -> str | None:
    return None if moment is None else moment.astimezone(UTC).isoformat().replace("+00:00", "Z")
