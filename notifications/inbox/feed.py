"""A person's inbox: what is put in, and what is read from it. Marks are in `marks`.

`seq` is a per-person change number: every change to an item takes the next one from the person's counter row, whose
lock is held until the commit, so that numbers are without gaps and become visible in their order.
"""

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import connection
from django.db.models import Count, Q, QuerySet

from notifications.inbox.items import Frame, document, frame
from notifications.models import InboxCounter, InboxItem
from project.foundation import bulk

OPEN = Q(archived_at__isnull=True)  # what the inbox shows when nothing else is asked for
STATUSES: Mapping[str, Q] = {
    "unread": OPEN & Q(read_at__isnull=True),
    "read": OPEN & Q(read_at__isnull=False),
    "archived": Q(archived_at__isnull=False),
    "all": Q(),
}
_COUNTS = {
    "unread": Count("pk", filter=STATUSES["unread"]),
    "unseen": Count("pk", filter=STATUSES["unread"] & Q(seen_at__isnull=True)),
    "total": Count("pk", filter=OPEN),
}
NO_COUNTS: Mapping[str, int] = dict.fromkeys(_COUNTS, 0)


@dataclass(frozen=True)
class NewItem:
    """One item to put into a person's inbox."""

    id: UUID  # that of the in_app delivery
    user_pk: int
    notification_id: UUID
    type_key: str
    category_id: int
    category_key: str
    priority: str
    content: Mapping[str, Any]  # {"title", "body", "link", "actions": [{"label", "url", "primary"}]}
    why: str
    created_at: datetime


@dataclass(frozen=True)
class Changes:
    """What changed after a number, oldest first, and the number the inbox is at."""

    items: list[dict[str, Any]]
    seq: int
    more: bool  # there is more after the last item


def add_items(items: Sequence[NewItem]) -> list[Frame]:
    """Put items into their people's inboxes, inside the caller's transaction; return the frames to publish after it.

    Repeat-safe: an item whose id is there already is left alone and has no frame. Four statements for any number of
    items, a fifth when some were there already. Call it once a transaction: counters are locked in the order of the
    people's keys, so two batches wait for each other and never deadlock.
    """
    if not items:
        return []
    wanted = Counter(item.user_pk for item in items)
    last = take_seqs(wanted)
    fresh = _not_there_yet(items)
    if len(fresh) < len(items):
        # Their counters are locked by us: what the repeated items took can be given back.
        surplus = wanted - Counter(item.user_pk for item in fresh)
        last |= take_seqs({user_pk: -count for user_pk, count in surplus.items()})
    rows = _rows(fresh, last)
    bulk.insert(rows)
    keys = {item.category_id: item.category_key for item in fresh}
    frames = [frame(row.user_id, "item.created", item=document(row, category=keys[row.category_id])) for row in rows]
    for user_pk, counted in counts({row.user_id for row in rows}).items():
        frames.append(frame(user_pk, "counts", counts=counted, seq=last[user_pk]))
    return frames


def take_seqs(wanted: Mapping[int, int]) -> dict[int, int]:
    """Take `count` numbers from each person's counter, made where missing; return {user pk: the last one taken}.

    One statement. Locks the counters in the order of the keys until the transaction ends; a count of 0 only locks.
    """
    table = InboxCounter._meta.db_table
    people = sorted(wanted)
    values = ", ".join(["(%s, %s)"] * len(people))
    with connection.cursor() as cursor:
        cursor.execute(
            f"INSERT INTO {table} (user_id, seq) VALUES {values}"
            f" ON CONFLICT (user_id) DO UPDATE SET seq = {table}.seq + excluded.seq RETURNING user_id, seq",
            [value for user_pk in people for value in (user_pk, wanted[user_pk])],
        )
        return dict(cursor.fetchall())


def listed(user_pk: int, *, status: str = "", category: str = "") -> QuerySet[InboxItem]:
    """Return the person's items, newest first. `status` is a key of STATUSES; "" = all that is not archived."""
    items = InboxItem.objects.filter(STATUSES[status] if status else OPEN, user_id=user_pk)
    if category:
        items = items.filter(category__key=category)
    return items.select_related("category")


def documents(items: Sequence[InboxItem]) -> list[dict[str, Any]]:
    """Return items of `listed` as the wire contract has them."""
    return [document(item, category=item.category.key) for item in items]


def counts(user_pks: Collection[int]) -> dict[int, dict[str, int]]:
    """Return each person's {"unread", "unseen", "total"} of what is not archived, in one query.

    Seen comes before read: what was read counts as seen.
    """
    found = InboxItem.objects.filter(user_id__in=user_pks).order_by().values("user_id").annotate(**_COUNTS)
    counted = dict.fromkeys(user_pks, dict(NO_COUNTS))
    for user_pk, *numbers in found.values_list("user_id", *_COUNTS):
        counted[user_pk] = dict(zip(_COUNTS, numbers, strict=True))
    return counted


def count_each(user_pk: int, filters: Sequence[tuple[str, str]]) -> list[int]:
    """Return how many items each (status, category) lists, in one query; "" as in `listed`."""
    columns = {
        f"n{number}": Count("pk", filter=(STATUSES[status] if status else OPEN) & _in_category(category))
        for number, (status, category) in enumerate(filters)
    }
    row = InboxItem.objects.filter(user_id=user_pk).aggregate(**columns)
    return [row[name] for name in columns]


def seq(user_pk: int) -> int:
    """Return the number of the person's latest change; 0 before the first."""
    return InboxCounter.objects.filter(user_id=user_pk).values_list("seq", flat=True).first() or 0


def changes(user_pk: int, *, since: int, limit: int) -> Changes:
    """Return what changed after `since`: each item once, as it is now. Two queries.

    The counter is read first: whatever is committed between the two is in the items, and asking again from
    `seq` repeats it rather than missing it.
    """
    at = seq(user_pk)
    if since >= at:
        return Changes(items=[], seq=at, more=False)
    changed = InboxItem.objects.filter(user_id=user_pk, seq__gt=since).select_related("category").order_by("seq")
    rows = list(changed[: limit + 1])
    return Changes(items=documents(rows[:limit]), seq=at, more=len(rows) > limit)


def _not_there_yet(items: Sequence[NewItem]) -> list[NewItem]:
    taken = set(InboxItem.objects.filter(pk__in=[item.id for item in items]).values_list("pk", flat=True))
    fresh = []
    for item in items:
        if item.id not in taken:
            taken.add(item.id)
            fresh.append(item)
    return fresh


def _rows(items: Sequence[NewItem], last: Mapping[int, int]) -> list[InboxItem]:
    left = Counter(item.user_pk for item in items)
    rows = []
    for item in items:
        left[item.user_pk] -= 1
        rows.append(
            InboxItem(
                id=item.id,
                user_id=item.user_pk,
                notification_id=item.notification_id,
                seq=last[item.user_pk] - left[item.user_pk],
                type_key=item.type_key,
                category_id=item.category_id,
                priority=item.priority,
                content=dict(item.content),
                why=item.why,
                created_at=item.created_at,
            )
        )
    return rows


def _in_category(category: str) -> Q:
    return Q(category__key=category) if category else Q()
