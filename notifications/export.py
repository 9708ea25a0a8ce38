"""What was sent to a person, and all that was kept of it."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from typing import Any, TypeVar
from uuid import UUID

from django.db.models import Model, Q, QuerySet

from notifications import addressee, credentials
from notifications.models import (
    AnsweredText,
    AttachmentContent,
    Attempt,
    AudienceMember,
    Broadcast,
    Delivery,
    Digest,
    DigestItem,
    Event,
    InboxCounter,
    InboxItem,
    Notification,
    OutboxMessage,
    ReceiptRecord,
    TroubledAddress,
)
from preferences import addresses, contact_points
from preferences.documents import time_text
from preferences.export import Row, Section, Teller, batches, own, read
from preferences.models import User
from project.foundation import ids

R = TypeVar("R", bound=Model)
_WORK = dict.fromkeys(("lane", "due_at", "lease", "leased_until", "recoveries"), "how the work is shared out")
_STANDS_ABOVE = {"notification": "it stands in this one's deliveries", "type": "the notification's"}


def _notifications(user: User, tell: Teller) -> Iterator[Row]:
    """Tell each notification with what became of it, the newest first. Four queries a batch."""
    rows = Notification.objects.filter(user=user).select_related("broadcast", "shared_decisions").order_by("-id")
    for batch in batches(read(rows)):
        found = _Found(batch, tell)
        for notification in batch:
            yield _notification(notification, tell, found)


class _Found:
    """What hangs on a batch of notifications, by notification."""

    def __init__(self, batch: Sequence[Notification], tell: Teller) -> None:
        of = [notification.id for notification in batch]
        low, high = ids.time_bounds(of)  # names the partitions
        deliveries = Delivery.objects.filter(notification_id__in=of, id__gte=low, id__lt=high).order_by("step", "id")
        self.deliveries = _by("notification_id", deliveries)
        tried = [delivery.id for each in self.deliveries.values() for delivery in each]
        attempts = Attempt.objects.filter(delivery_id__in=tried, id__gte=low, id__lt=high).order_by("number")
        self.attempts = _by("delivery_id", attempts)
        self.events = _by("notification_id", Event.objects.filter(notification_id__in=of, id__gte=low))
        self.files = _by("notification_id", AttachmentContent.objects.filter(notification_id__in=of).defer("content"))


def _notification(row: Notification, tell: Teller, found: _Found) -> Row:
    deliveries = [
        {**tell(delivery), "attempts": [tell(attempt) for attempt in found.attempts[delivery.id]]}
        for delivery in found.deliveries[row.id]
    ]
    told = tell(row)
    begin = {"at": time_text(ids.created_at(row.id)), **told, "payload": credentials.without(told["type"], row.content)}
    if told["type"] == addressee.CONFIRMATION:  # to somebody else's address, perhaps: its fate is not theirs to know
        return begin | {"decisions": [], "deliveries": [], "events": [], "files_kept": []}
    return {
        **begin,
        "decisions": row.decided,
        "deliveries": deliveries,
        "events": [tell(event) for event in found.events[row.id]],
        "files_kept": [tell(file) for file in found.files[row.id]],
    }


def _inbox(user: User, tell: Teller) -> Iterator[Row]:
    for item in read(InboxItem.objects.filter(user=user).order_by("-id")):
        yield tell(item) | {"content": credentials.without(item.type_key, item.content)}


def _outbox(user: User, tell: Teller) -> Iterator[Row]:
    for batch in batches(read(OutboxMessage.objects.filter(user=user).order_by("id"))):
        of = Notification.objects.filter(id__in=[message.notification_id for message in batch])
        types = dict(of.values_list("id", "type__key"))
        for message in batch:
            told = tell(message)
            yield told | {"parts": credentials.without(types.get(message.notification_id), told["parts"])}


def _digests(user: User, tell: Teller) -> Iterator[Row]:
    for batch in batches(read(Digest.objects.filter(user=user).order_by("id"))):
        items = _by("digest_id", DigestItem.objects.filter(digest__in=batch))
        for digest in batch:
            yield {**tell(digest), "items": [tell(item) for item in items[digest.id]]}


def _broadcasts(user: User, tell: Teller) -> Iterator[Row]:
    """Tell which audiences they are or were in. By broadcast: the table is keyed so, and holds every audience."""
    for batch in batches(read(Broadcast.objects.only("id").order_by("id"))):
        named = [broadcast.id for broadcast in batch]
        for member in AudienceMember.objects.filter(broadcast_id__in=named, user_id=user.pk):
            yield tell(member)


def _receipts(user: User, tell: Teller) -> Iterator[Row]:
    """Tell what providers reported of their messages, and what came from their addresses and still waits.

    The records are read through once: they are keyed by what the provider calls them.
    """
    of_theirs = Delivery.objects.filter(notification__user=user).exclude(type__key=addressee.CONFIRMATION).values("id")
    yield from map(tell, read(ReceiptRecord.objects.filter(delivery_id__in=of_theirs).order_by("id")))
    theirs = {point.address for point in contact_points.own(user)}
    waiting = read(ReceiptRecord.objects.filter(Q(delivery_id=None), due_at__isnull=False).order_by("id"))
    yield from (tell(record) for record in waiting if record.address in theirs)


def _answered(user: User, tell: Teller) -> Iterator[Row]:
    for point in contact_points.own(user):
        indexes = addresses.indexes(point.channel, point.address)
        rows = AnsweredText.objects.filter(channel=point.channel, address_index__in=indexes)
        yield from ({**tell(row), "contact_point": str(point.pk)} for row in rows)


def _troubled(user: User, tell: Teller) -> Iterator[Row]:
    yield from map(tell, read(TroubledAddress.objects.filter(contact_point__user=user)))


def _by(name: str, rows: "QuerySet[R]") -> dict[UUID, list[R]]:
    found: dict[Any, list[R]] = defaultdict(list)
    for row in rows:
        found[getattr(row, name)].append(row)
    return found


SECTIONS = (
    Section(
        "notifications",
        _notifications,
        {
            "notifications.Notification": _WORK
            | {"shared_decisions": "told as its decisions", "contact_points": "told in its decisions"},
            "notifications.SharedDecisions": {},
            "notifications.Delivery": _WORK | _STANDS_ABOVE | {"broadcast": "the notification's"},
            "notifications.Attempt": {
                "delivery": "it stands in this one's attempts",
                "message_hash": "a fingerprint of what was sent",
            },
            "notifications.Event": {"notification": "it stands in this one's events"},
            "notifications.AttachmentContent": {
                "notification_id": "it stands in this one's files",
                "content": "the file itself, which the mail brought",
            },
        },
    ),
    Section("inbox", _inbox, {"notifications.InboxItem": {}}),
    Section("inbox_counter", own(InboxCounter), {"notifications.InboxCounter": {}}),
    Section("outbox", _outbox, {"notifications.OutboxMessage": {}}),
    Section(
        "digests",
        _digests,
        {"notifications.Digest": {}, "notifications.DigestItem": {"digest": "it stands in this one's items"}},
    ),
    Section(
        "broadcast_audiences", _broadcasts, {"notifications.AudienceMember": {"user_id": "a number of ours, theirs"}}
    ),
    Section(
        "receipts",
        _receipts,
        {
            "notifications.ReceiptRecord": {
                "due_at": "how the work is shared out",
                "tries": "how the work is shared out",
            }
        },
    ),
    Section(
        "answered_texts",
        _answered,
        {
            "notifications.AnsweredText": {
                "id": "a number of ours that says nothing",
                "address_index": "a keyed fingerprint of the address, which is told",
            }
        },
    ),
    Section("troubled_addresses", _troubled, {"notifications.TroubledAddress": {}}),
)
