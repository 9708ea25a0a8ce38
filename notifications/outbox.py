"""The outbox: what would have been sent, kept seven days, and who may read it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db.models import Q, QuerySet

from notifications import mail
from notifications.models import OutboxMessage
from notifications.providers.base import File, Message
from project.foundation import ids

KEPT = {"accepted", "unknown"}  # outcomes after which a message has gone out, or may have


@dataclass(frozen=True)
class Kept:
    """A message with what the outbox has to know of its notification."""

    message: Message
    notification_id: UUID
    user_pk: int
    caller_id: int | None  # None: Carillon's own mail, such as a sign-in link
    mode: str


def keep(kept: Sequence[Kept]) -> None:
    """Write messages into the outbox, inside the transaction that records their outcomes (one statement).

    Repeating it changes nothing: a delivery stands in the outbox once, as it was first sent.
    """
    OutboxMessage.objects.bulk_create([_row(each) for each in kept], ignore_conflicts=True)


def visible(*, mode: str, caller_id: int | None, system: bool = False) -> "QuerySet[OutboxMessage]":
    """Return what one caller may see, newest first: its own messages of one mode.

    `system` adds Carillon's own mail of that mode, which belongs to no caller and may hold sign-in links.
    """
    whose = Q(caller_id=caller_id)
    if system:
        whose |= Q(caller_id=None)
    return OutboxMessage.objects.filter(whose, mode=mode).select_related("user").order_by("-id")


def since(rows: "QuerySet[OutboxMessage]", bound: UUID | datetime) -> "QuerySet[OutboxMessage]":
    """Narrow to what came after an outbox id, or at and after a moment."""
    if isinstance(bound, UUID):
        return rows.filter(id__gt=bound)
    return rows.filter(id__gte=ids.first_id_at(bound))


def _listed(file: File) -> dict[str, Any]:
    return {"filename": file.filename, "content_type": file.content_type, "size": len(file.content)}


def _row(kept: Kept) -> OutboxMessage:
    id = ids.new_id()
    message = kept.message
    return OutboxMessage(
        id=id,
        notification_id=kept.notification_id,
        delivery_id=message.delivery_id,
        user_id=kept.user_pk,
        caller_id=kept.caller_id,
        mode=kept.mode,
        channel=message.channel,
        to=message.to,
        headers=mail.headers(message) if message.channel == "email" else {},
        parts=dict(message.parts),
        attachments=[_listed(file) for file in message.files] or None,
        created_at=ids.created_at(id),
    )
