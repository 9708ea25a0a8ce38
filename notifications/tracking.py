"""The only writer of a delivery's status: one table of legal moves, one timeline, one summary per notification."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import datetime
from functools import cache
from uuid import UUID

from django.db import connection
from msgspec import Struct

from notifications.models import Delivery, Event, Notification
from project.foundation import bulk, ids, prepared

Status = Delivery.Status

_TERMINAL = {Status.CANCELLED, Status.EXPIRED, Status.COMPLAINED}
_BEFORE_SENDING = {Status.SENDING, Status.FAILED, Status.HELD, Status.SKIPPED, Status.CANCELLED, Status.EXPIRED}
_AFTER_SENT = {Status.DELIVERED, Status.OPENED, Status.CLICKED, Status.BOUNCED, Status.COMPLAINED}

# From → to. A receipt may overtake our own "sent", so what follows it may also follow "sending" and "unknown", and what
# was put back or given up on because nobody could tell: the provider can.
MOVES: dict[str, set[str]] = {
    Status.SCHEDULED: {Status.SCHEDULED, Status.QUEUED, *_BEFORE_SENDING},
    Status.QUEUED: {Status.QUEUED, Status.SCHEDULED, *_BEFORE_SENDING, Status.SENT, *_AFTER_SENT},
    Status.HELD: {Status.QUEUED, Status.SCHEDULED, Status.CANCELLED, Status.EXPIRED, Status.UNKNOWN, *_AFTER_SENT},
    Status.SENDING: {
        Status.SENDING,
        Status.SENT,
        Status.QUEUED,
        Status.HELD,
        Status.FAILED,
        Status.UNKNOWN,
        *_AFTER_SENT,
    },
    Status.UNKNOWN: {Status.SENT, Status.QUEUED, Status.FAILED, Status.CANCELLED, *_AFTER_SENT},
    Status.SENT: {Status.FAILED, *_AFTER_SENT},
    Status.DELIVERED: {Status.OPENED, Status.CLICKED, Status.BOUNCED, Status.COMPLAINED},
    Status.OPENED: {Status.CLICKED, Status.COMPLAINED},
    Status.CLICKED: {Status.COMPLAINED},
    Status.BOUNCED: {Status.COMPLAINED},
    Status.FAILED: {Status.QUEUED, *_AFTER_SENT},  # a dead letter sent again
    Status.SKIPPED: {Status.CANCELLED},  # taken out of a digest that was still to come
    **{status: set() for status in _TERMINAL},
}
OPEN = {Status.SCHEDULED, Status.QUEUED, Status.HELD, Status.SENDING, Status.UNKNOWN}
SUCCEEDED = {Status.SENT, Status.DELIVERED, Status.OPENED, Status.CLICKED, Status.COMPLAINED}
# What a notification is, by the first of these that any of its deliveries has.
_PRECEDENCE: tuple[tuple[set[Status], Notification.Status], ...] = (
    (OPEN - {Status.SCHEDULED}, Notification.Status.PROCESSING),
    ({Status.SCHEDULED}, Notification.Status.SCHEDULED),
    (SUCCEEDED, Notification.Status.COMPLETED),
    ({Status.FAILED}, Notification.Status.FAILED),
    ({Status.BOUNCED}, Notification.Status.FAILED),
    ({Status.EXPIRED}, Notification.Status.EXPIRED),
    ({Status.CANCELLED}, Notification.Status.CANCELLED),
)
_WHILE_SENDING = Notification.Status.PROCESSING
_TIMES: dict[str, str] = {
    Status.SENT: "sent_at",
    Status.DELIVERED: "delivered_at",
    Status.OPENED: "opened_at",
    Status.CLICKED: "clicked_at",
}
_WRITTEN = [
    "status", "reason", "error", "dead", "attempts", "due_at", "lease", "leased_until", "recoveries",
    "provider_account", "provider_message_id", "sent_at", "delivered_at", "opened_at", "clicked_at",
]  # fmt: skip


class IllegalMove(Exception):
    """The table of moves does not know this change: a bug of ours, not an answer of a provider."""


class Change(Struct, frozen=True):
    """What happens to one delivery. `due_at` set: it is tried again then. What is None stays as it is."""

    delivery: Delivery
    status: str
    due_at: datetime | None = None
    reason: str = ""
    error: str = ""
    dead: bool = False
    uncounted: bool = False  # the try that ends here was nobody's failure: it does not use up the schedule
    at: datetime | None = None  # when it happened, as a provider says; None: now
    provider_account_id: int | None = None
    provider_message_id: str = ""
    on_record: bool = False  # its attempt tells it, so that it needs no event: see notifications.history


def lock_notifications(deliveries: Iterable[Delivery]) -> None:
    """Take the row locks under which summaries are written, in id order, before any delivery of theirs is changed.

    Two workers that end the last two deliveries of one notification then see each other's work.
    """
    bulk.lock(Notification, {delivery.notification_id for delivery in deliveries})


def begin(deliveries: Sequence[Delivery], *, lease: UUID, until: datetime) -> list[Delivery]:
    """Move deliveries that the lease still covers to "sending" and count the try, inside the caller's transaction.

    They keep their lease, for as long as `until`. Returns those that were ours to move.
    """
    for delivery in deliveries:
        if Status.SENDING not in MOVES[delivery.status]:
            raise IllegalMove(f"{delivery.id}: {delivery.status} → sending")
        delivery.status = Status.SENDING
        delivery.attempts += 1
        delivery.leased_until = until
    return bulk.update_held(deliveries, ["status", "attempts", "leased_until"], lease=lease)


def record(changes: Sequence[Change], *, now: datetime, lease: UUID | None = None) -> set[UUID]:
    """Write the changes, their events and their notifications' summaries, inside the caller's transaction.

    The caller holds the notifications' rows (lock_notifications), and then the deliveries' (leases.still_held) unless
    it names the lease that they must still be under. Returns the deliveries that were changed. A constant number of
    statements. Raises IllegalMove.
    """
    for change in changes:
        _apply(change, now)
    rows = [change.delivery for change in changes]
    if lease is None:
        bulk.update(rows, _WRITTEN)
    else:
        rows = bulk.update_held(rows, _WRITTEN, lease=lease)
    written = {row.id for row in rows}
    bulk.insert(_events([each for each in changes if each.delivery.id in written and not each.on_record], now))
    if rows:
        summarise({row.notification_id for row in rows})
    return written


def record_alone(changes: Sequence[Change], *, now: datetime, lease: UUID) -> set[UUID]:
    """Do as `record` does with deliveries each of which alone says what its notification is: it has no other to go out.

    They were planned under this lease and go out for the first time. What they say is written first, which takes the
    locks of `lock_notifications`, and in its order where the connection is `prepared`. Elsewhere they are taken before.
    """
    if connection.vendor == "postgresql" and not prepared.is_ready():
        lock_notifications([change.delivery for change in changes])
    for change in changes:
        _apply(change, now)
    told = [(change.delivery.notification_id, summary([change.status])) for change in changes]
    new = [bulk.like(_anyone(), id=id, status=status) for id, status in told if status != _WHILE_SENDING]
    bulk.update(new, ["status"])
    rows = bulk.update_held([change.delivery for change in changes], _WRITTEN, lease=lease)
    written = {row.id for row in rows}
    bulk.insert(_events([each for each in changes if each.delivery.id in written and not each.on_record], now))
    overtaken = {each.delivery.notification_id for each in changes if each.delivery.id not in written}
    if wrong := overtaken & {row.id for row in new}:
        summarise(wrong)
    return written


def record_overtaken(changes: Sequence[Change], *, now: datetime) -> None:
    """Write what came too late to move its delivery, or moves none: its event, and its time where none is known.

    As for `record`, the caller holds the rows. Statuses stay as they are.
    """
    for change in changes:
        _tell_time(change, change.at or now)
    bulk.update([change.delivery for change in changes], [*_TIMES.values()])
    bulk.insert(_events(changes, now))


def record_in_inbox(delivery_ids: Sequence[UUID], status: str, *, now: datetime) -> None:
    """Move in-app deliveries on to what the person has just done with their items, inside the caller's transaction.

    No notification changes by it. A constant number of statements.
    """
    before = [each for each in SUCCEEDED if status in MOVES[each]]
    held = Delivery.objects.select_for_update().filter(id__in=delivery_ids, channel="in_app", status__in=before)
    changes = [Change(delivery, status) for delivery in held.order_by("id")]
    if changes:
        for change in changes:
            _apply(change, now)
        bulk.update([change.delivery for change in changes], ["status", *_TIMES.values()])
        bulk.insert(_events(changes, now))


def summary(statuses: Iterable[str]) -> str:
    """Return a planned notification's status, given those of all its deliveries (pure)."""
    found = set(statuses)
    for wanted, outcome in _PRECEDENCE:
        if found & wanted:
            return outcome
    return Notification.Status.COMPLETED


def summarise(notification_ids: set[UUID]) -> None:
    """Bring notifications whose planning is over into line with their deliveries. Their rows are locked already."""
    if connection.vendor == "postgresql":
        _summarise_at_once(notification_ids)
        return
    statuses: dict[UUID, list[str]] = defaultdict(list)
    low, high = ids.time_bounds(list(notification_ids))
    deliveries = Delivery.objects.filter(notification_id__in=notification_ids, id__gte=low, id__lt=high).order_by()
    for notification_id, status in deliveries.values_list("notification_id", "status"):
        statuses[notification_id].append(status)
    outcomes: dict[str, list[UUID]] = defaultdict(list)
    for notification_id in notification_ids:
        outcomes[summary(statuses[notification_id])].append(notification_id)
    for outcome, members in outcomes.items():
        Notification.objects.filter(id__in=members, due_at__isnull=True).exclude(status=outcome).update(status=outcome)


def _summarise_at_once(notification_ids: set[UUID]) -> None:
    """Do it in one statement, by the same order of precedence as `summary`.

    Each notification's deliveries are looked up by themselves: joined, they are found by the range of their ids where a
    plan was made for that, and there lies a whole broadcast.
    """
    low, high = ids.time_bounds(list(notification_ids))
    cases = " ".join(f"WHEN bool_or(d.status = ANY(%s)) THEN '{outcome.value}'" for _, outcome in _PRECEDENCE)
    keys = "{" + ",".join(id.hex for id in notification_ids) + "}"
    with prepared.cursor() as cursor:
        cursor.execute(
            f"""
            UPDATE {bulk.place(Notification, notification_ids)} n SET status = s.status
              FROM (SELECT k.id, (SELECT CASE {cases} ELSE 'completed' END
                                    FROM {bulk.place(Delivery, [low, high])} d
                                   WHERE d.notification_id = k.id AND d.id >= %s AND d.id < %s) AS status
                      FROM unnest(%s::uuid[]) AS k(id) OFFSET 0) s
             WHERE n.id = s.id AND n.due_at IS NULL AND n.status <> s.status
            """,
            [*([*map(str, found)] for found, _ in _PRECEDENCE), low, high, keys],
        )


def _apply(change: Change, now: datetime) -> None:
    delivery = change.delivery
    if change.status not in MOVES[delivery.status]:
        raise IllegalMove(f"{delivery.id}: {delivery.status} → {change.status}")
    delivery.status = change.status
    delivery.reason = change.reason
    delivery.error = change.error[:500]
    delivery.dead = change.dead
    delivery.due_at = change.due_at
    delivery.lease, delivery.leased_until = None, None
    delivery.recoveries = 0
    delivery.attempts -= change.uncounted
    if change.provider_account_id is not None:
        delivery.provider_account_id = change.provider_account_id
    if change.provider_message_id:
        delivery.provider_message_id = change.provider_message_id[:255]
    _tell_time(change, change.at or now)
    if change.status in _AFTER_SENT and delivery.sent_at is None:  # a receipt was quicker than our own "sent"
        delivery.sent_at = change.at or now


def _tell_time(change: Change, moment: datetime) -> None:
    field = _TIMES.get(change.status)
    if field is not None and (change.at is None or getattr(change.delivery, field) is None):
        setattr(change.delivery, field, moment)


def event(delivery: Delivery, kind: str, at: datetime, detail: str) -> Event:
    """Return a line for a delivery's timeline."""
    return bulk.like(
        _blank(),
        id=ids.new_id(),
        notification_id=delivery.notification_id,
        delivery_id=delivery.id,
        kind=kind,
        at=at,
        detail=detail[:500],
    )


@cache
def _blank() -> Event:
    return Event()


@cache
def _anyone() -> Notification:
    return Notification()


def _events(changes: Iterable[Change], now: datetime) -> list[Event]:
    return [event(each.delivery, each.status, each.at or now, each.error or each.reason) for each in changes]
