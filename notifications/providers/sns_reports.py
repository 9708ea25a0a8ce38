"""What AWS says of text messages through a topic (pure).

Sources: AWS End User Messaging SMS, "Event types" and "Two-way SMS messaging"; Amazon SNS, "Delivery status logs",
which a log subscription may pass on to a topic.
"""

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from notifications.providers import keywords
from notifications.providers.callbacks import Kind, Receipt

_EVENTS: dict[str, Kind] = {
    "TEXT_SENT": "sent",
    "TEXT_DELIVERED": "delivered",
    "TEXT_SUCCESSFUL": "delivered",
    "TEXT_TTL_EXPIRED": "bounced",
    "TEXT_CARRIER_UNREACHABLE": "bounced",
    "TEXT_UNREACHABLE": "bounced",
    "TEXT_INVALID": "bounced",
    "TEXT_BLOCKED": "failed",
    "TEXT_CARRIER_BLOCKED": "failed",
    "TEXT_SPAM": "failed",
    "TEXT_INVALID_MESSAGE": "failed",
    "TEXT_PROTECT_BLOCKED": "failed",
    "TEXT_UNKNOWN": "failed",
}
_NUMBER_IS_NONE = "TEXT_INVALID"


def read(text: str, *, message_id: str) -> list[Receipt]:
    """Return what one message of a topic reports. `message_id` is SNS's own for it, the same when it comes again."""
    try:
        said = json.loads(text)
    except (ValueError, RecursionError):
        return []
    if not isinstance(said, dict):
        return []
    found = _written(said) or _event(said) or _log(said)
    return [] if found is None else [Receipt(message_id, **found)]


def _written(said: Mapping[str, Any]) -> dict[str, Any] | None:
    """Read what a person wrote."""
    if "messageBody" not in said or "originationNumber" not in said:
        return None
    kind = keywords.read(str(said["messageBody"]))
    return {"kind": kind, "address": str(said["originationNumber"])} if kind else None


def _event(said: Mapping[str, Any]) -> dict[str, Any] | None:
    name = str(said.get("eventType"))
    kind = _EVENTS.get(name)
    if kind is None or not said.get("messageId"):
        return None
    bad = kind in ("failed", "bounced")
    return {
        "kind": kind,
        "at": _milliseconds(said.get("eventTimestamp")),
        "provider_message_id": str(said["messageId"]),
        "detail": f"AWS: {name}" if bad else "",
        "address": str(said.get("destinationPhoneNumber") or ""),
        "permanent": name == _NUMBER_IS_NONE,
    }


def _log(said: Mapping[str, Any]) -> dict[str, Any] | None:
    notification, delivery = said.get("notification"), said.get("delivery")
    if not isinstance(notification, dict) or not isinstance(delivery, dict) or not notification.get("messageId"):
        return None
    kind = {"SUCCESS": "delivered", "FAILURE": "failed"}.get(str(said.get("status")))
    if kind is None:
        return None
    answer = str(delivery.get("providerResponse") or "")
    unknown = kind == "failed" and "unknown phone number" in answer.lower()
    return {
        "kind": "bounced" if unknown else kind,
        "at": _time(str(notification.get("timestamp"))),
        "provider_message_id": str(notification["messageId"]),
        "detail": f"AWS: {answer}"[:200] if kind == "failed" and not any(map(str.isdigit, answer)) else "",
        "address": str(delivery.get("destination") or ""),
        "permanent": unknown,
    }


def _milliseconds(value: object) -> datetime | None:
    try:
        return datetime.fromtimestamp(float(str(value)) / 1000, tz=UTC)
    except (ValueError, OverflowError, OSError):
        return None


def _time(text: str) -> datetime | None:
    """Read "2026-11-21 18:05:09.123", which is UTC."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
