"""Everything a notification's page shows, read in a constant number of queries."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from notifications import credentials, history
from notifications.admin import words
from notifications.models import Delivery, Notification, OutboxMessage
from preferences.channels import CHANNELS
from project.foundation.ids import created_at


@dataclass(frozen=True)
class Decision:
    channel: str
    allowed: bool
    text: str
    rule: str


@dataclass(frozen=True)
class Sending:
    """One delivery, as a line of the table."""

    channel: str
    to: str
    via: str
    status: str
    pill: str
    why: str
    attempts: int
    at: datetime | None
    next_at: datetime | None  # of another try, after one that did not get through
    outbox_id: UUID | None


@dataclass(frozen=True)
class Happening:
    """One line of the timeline."""

    at: datetime
    pill: str
    what: str
    where: str  # the channel, of an event of one delivery
    detail: str


@dataclass(frozen=True)
class Detail:
    created_at: datetime
    decisions: list[Decision]
    sendings: list[Sending]
    timeline: list[Happening]
    said: list[tuple[str, str]]  # what it was asked to say: title, body, link, then the template's variables


_SAID = ("title", "body", "link")


def of(notification: Notification) -> Detail:
    """Return the page of one notification. Five queries."""
    deliveries = history.deliveries(notification)
    # A key stands in the outbox, where a provider would have it, and nowhere else.
    payload = credentials.without(notification.type.key, notification.content)
    return Detail(
        created_at=created_at(notification.id),
        decisions=[_decision(stored) for stored in notification.decided or []],
        sendings=_sendings(deliveries),
        timeline=_timeline(notification, deliveries),
        said=[(key.capitalize(), str(payload[key])) for key in _SAID if payload.get(key)]
        + [(name, _words(value)) for name, value in (payload.get("template_variables") or {}).items()],
    )


def _decision(stored: dict[str, Any]) -> Decision:
    channel = CHANNELS[stored["channel"]].name if stored["channel"] in CHANNELS else stored["channel"]
    return Decision(channel, stored["allowed"], stored["text"], words.rule(stored["rule"]))


def _sendings(deliveries: list[Delivery]) -> list[Sending]:
    known = history.facts(deliveries)
    kept = OutboxMessage.objects.filter(delivery_id__in=[row.id for row in deliveries])
    outbox = dict(kept.values_list("delivery_id", "id"))
    return [
        Sending(
            channel=CHANNELS[row.channel].name,
            to=_to(row, known.addresses),
            via=words.provider(known.providers.get(row.provider_account_id or 0, "–")),
            status=words.status(row),
            pill=words.pill(words.status(row)),
            why=row.error or words.reason(row.reason),
            attempts=row.attempts,
            at=row.clicked_at or row.opened_at or row.delivered_at or row.sent_at,
            next_at=row.due_at if row.attempts else None,
            outbox_id=outbox.get(row.id),
        )
        for row in deliveries
    ]


def _to(row: Delivery, masked: dict[UUID, str]) -> str:
    if row.contact_point_id is None:
        return "–" if CHANNELS[row.channel].addressed else "Inbox"
    return masked.get(row.contact_point_id, "An address that was removed")


def _timeline(notification: Notification, deliveries: list[Delivery]) -> list[Happening]:
    channels = {row.id: CHANNELS[row.channel].name for row in deliveries}
    return [
        Happening(
            at=line["at"],
            pill=words.pill(words.event(line["event"], line["detail"])),
            what=words.event(line["event"], line["detail"]),
            where=channels.get(line["delivery_id"], ""),
            detail=_caller(notification) if line["event"] == "accepted" else words.explain(line["detail"]),
        )
        for line in history.timeline(notification, deliveries)
    ]


def _caller(notification: Notification) -> str:
    return f"From {notification.caller}" if notification.caller else "From Carillon itself"


def _words(value: Any) -> str:
    """Return a variable as people read it: lists and objects as their contents."""
    if isinstance(value, dict):
        return ", ".join(f"{name} {_words(each)}" for name, each in value.items())
    if isinstance(value, list):
        return "; ".join(_words(each) for each in value)
    return {True: "yes", False: "no", None: "–"}[value] if value is None or isinstance(value, bool) else str(value)
