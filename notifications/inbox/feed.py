"""A person's inbox: what is put in, and what is read from it. Marks are in `marks`.

`seq` is a per-person change number: every change to an item takes the next one from the person's counter row, whose
lock is held until the commit, so that numbers are without gaps and become visible in their order. The row also keeps
the counts: counting thousands of inboxes for each batch would cost more than filling them.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import connection
from django.db.models import Count, Q, QuerySet

from notifications.inbox.items import Frame, document, frame
from notifications.models import InboxCounter, InboxItem
from project.foundation import bulk
from templates_app.models import Type

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
_COLUMNS = ("seq", *_COUNTS)


@dataclass(frozen=True)
class Standing:
    """How a person's inbox stands: the number of its latest change, and how much of what is not archived there is."""

    seq: int = 0
    unread: int = 0
    unseen: int = 0  # what was read counts as seen
    total: int = 0

    @property
    def counts(self) -> dict[str, int]:
        return {"unread": self.unread, "unseen": self.unseen, "total": self.total}


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


def why(type_: Type) -> str:
    """Return "Why am I getting this?", answered in words."""
    return f"You get this because of {type_.category.name} in your notification settings."[:300]


@dataclass(frozen=True)
class Changes:
    """What changed after a number, oldest first, and the number the inbox is at."""

    items: list[dict[str, Any]]
    seq: int
    more: bool  # there is more after the last item


def add_items(items: Sequence[NewItem]) -> list[Frame]:
    """Put items into their people's inboxes, inside the caller's transaction; return the frames to publish after it.

    Repeat-safe: an item whose id is there already is left alone and has no frame. Three statements for any number of
    items, a fourth when some were there already. Call it once a transaction: counters are locked in the order of the
    people's keys, so two batches wait for each other and never deadlock.
    """
    if not items:
        return []
    wanted = Counter(item.user_pk for item in items)
    standings = lock(wanted)
    fresh = _not_there_yet(items)
    if len(fresh) < len(items):
        # Their counters are locked by us: what the repeated items took can be given back.
        surplus = wanted - Counter(item.user_pk for item in fresh)
        standings |= lock({user_pk: -count for user_pk, count in surplus.items()})
    rows = _rows(fresh, standings)
    bulk.insert(rows)
    keys = {item.category_id: item.category_key for item in fresh}
    frames = [frame(row.user_id, "item.created", item=document(row, category=keys[row.category_id])) for row in rows]
    return frames + [counts_frame(user_pk, standings[user_pk]) for user_pk in {row.user_id: None for row in rows}]


def lock(added: Mapping[int, int]) -> dict[int, Standing]:
    """Count so many new unread items into each person's counter, made where missing; return how they then stand.

    One statement. Locks the counters in the order of the keys until the transaction ends; 0 only locks.
    """
    table = InboxCounter._meta.db_table
    people = sorted(added)
    values = ", ".join(["(%s, %s, %s, %s, %s)"] * len(people))
    sets = ", ".join(f"{column} = {table}.{column} + excluded.{column}" for column in _COLUMNS)
    names = ", ".join(_COLUMNS)
    with connection.cursor() as cursor:
        cursor.execute(
            f"INSERT INTO {table} (user_id, {names}) VALUES {values}"
            f" ON CONFLICT (user_id) DO UPDATE SET {sets} RETURNING user_id, {names}",
            [value for user_pk in people for value in (user_pk, *[added[user_pk]] * len(_COLUMNS))],
        )
        return {user_pk: Standing(*numbers) for user_pk, *numbers in cursor.fetchall()}


def recount(user_pk: int, *, seq: int) -> Standing:
    """Write into the person's counter, which the caller has locked, `seq` and what there is now; two statements."""
    standing = Standing(seq=seq, **InboxItem.objects.filter(user_id=user_pk).aggregate(**_COUNTS))
    InboxCounter.objects.filter(user_id=user_pk).update(seq=seq, **standing.counts)
    return standing


def standing(user_pk: int) -> Standing:
    """Return how the person's inbox stands, in one query."""
    row = InboxCounter.objects.filter(user_id=user_pk).values_list(*_COLUMNS).first()
    return Standing(*row) if row else Standing()


def counts_frame(user_pk: int, standing: Standing) -> Frame:
    return frame(user_pk, "counts", counts=standing.counts, seq=standing.seq)


def listed(user_pk: int, *, status: str = "", category: str = "") -> QuerySet[InboxItem]:
    """Return the person's items, newest first. `status` is a key of STATUSES; "" = all that is not archived."""
    items = InboxItem.objects.filter(STATUSES[status] if status else OPEN, user_id=user_pk)
    if category:
        items = items.filter(category__key=category)
    return items.select_related("category")


def documents(items: Sequence[InboxItem]) -> list[dict[str, Any]]:
    """Return items of `listed` as the wire contract has them."""
    return [document(item, category=item.category.key) for item in items]


def count_each(user_pk: int, filters: Sequence[tuple[str, str]]) -> list[int]:
    """Return how many items each (status, category) lists, in one query; "" as in `listed`."""
    aggregates = {
        f"n{number}": Count("pk", filter=(STATUSES[status] if status else OPEN) & _in_category(category))
        for number, (status, category) in enumerate(filters)
    }
    row = InboxItem.objects.filter(user_id=user_pk).aggregate(**aggregates)
    return [row[name] for name in aggregates]


def changes(user_pk: int, *, since: int, limit: int) -> Changes:
    """Return what changed after `since`: each item once, as it is now. Two queries.

    The counter is read first: whatever is committed between the two is in the items, and asking again from
    `seq` repeats it rather than missing it.
    """
    at = standing(user_pk).seq
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


def _rows(items: Sequence[NewItem], standings: Mapping[int, Standing]) -> list[InboxItem]:
    left = Counter(item.user_pk for item in items)
    rows = []
    empty = InboxItem()
    for item in items:
        left[item.user_pk] -= 1
        rows.append(
            bulk.like(
                empty,
                id=item.id,
                user_id=item.user_pk,
                notification_id=item.notification_id,
                seq=standings[item.user_pk].seq - left[item.user_pk],
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
