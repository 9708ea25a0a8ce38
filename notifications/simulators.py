"""Simulator addresses: what the outbox acts out for them (pure), so that bad fates can be met without a bad provider.

docs/testing.md lists them. One address a fate on every channel that has addresses.
"""

import json
from datetime import datetime, timedelta
from enum import StrEnum
from urllib.parse import urlsplit
from uuid import UUID

from notifications.providers.base import Message, Outcome
from project.foundation import ids

DOMAIN = "simulator.carillon.test"  # RFC 6761: nobody can ever own a name under .test
TOKEN = "simulator-"
THROTTLED_FOR = timedelta(seconds=10)  # after the notification was accepted


class Fate(StrEnum):
    BOUNCE = "bounce"
    COMPLAINT = "complaint"
    DELAY = "delay"
    THROTTLE = "throttle"
    INVALID = "invalid"
    UNKNOWN = "unknown"


# +1 500 is given to no place and no network: nobody's telephone rings.
NUMBERS = {f"+1500555000{digit}": fate for digit, fate in enumerate(Fate, start=1)}
_BY_NAME = {fate.value: fate for fate in Fate}
_REPORTED = (Fate.BOUNCE, Fate.COMPLAINT, Fate.DELAY)  # taken at first; what becomes of them is told later


def fate(channel: str, address: str) -> Fate | None:
    """Return the fate that a normalised address stands for; None for everybody's own."""
    match channel:
        case "sms" | "voice":
            return NUMBERS.get(address)
        case "email":
            local, _, domain = address.rpartition("@")
            return _BY_NAME.get(local.lower()) if domain == DOMAIN else None
        case "push":
            return _BY_NAME.get(address.removeprefix(TOKEN)) if address.startswith(TOKEN) else None
        case "web_push":
            return _of_url(json.loads(address)["endpoint"]) if DOMAIN in address else None
        case _:
            return _of_url(address) if DOMAIN in address else None


def outcome(message: Message, now: datetime) -> Outcome:
    """Return what the outbox says to a message: it takes it, unless its address is to be refused."""
    found = fate(message.channel, message.to)
    if found is None:
        return taken(message)
    if found in _REPORTED:
        return Outcome.accepted(reported_id(found, message.delivery_id))
    if found is Fate.INVALID:
        return Outcome.recipient("Simulated: there is no such address.")
    if found is Fate.UNKNOWN:
        return Outcome.unknown("Simulated: the provider's answer was lost.")
    until = ids.created_at(message.delivery_id) + THROTTLED_FOR
    return Outcome.throttled("Simulated: 429, too many requests.", until=until) if now < until else taken(message)


def taken(message: Message) -> Outcome:
    return Outcome.accepted(f"outbox-{message.delivery_id}")


def reported_id(fate: Fate, delivery_id: UUID) -> str:
    """Return the provider's id of a message whose receipt is still to come."""
    return f"{TOKEN}{fate}-{delivery_id}"


def _of_url(url: str) -> Fate | None:
    parts = urlsplit(url)
    return _BY_NAME.get(parts.path.strip("/")) if parts.hostname == DOMAIN else None
