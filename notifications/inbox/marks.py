"""What a person does to their inbox: seen, read, unread, archive, unarchive, clicked; for one item or for all.

Each mark is one transaction that holds the person's counter, so that what it counts is what it leaves behind. An item
that already is what the mark makes of it is left alone and takes no number.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any
from uuid import UUID

from django.db import connection, transaction
from django.db.models import F, Q, QuerySet, Window
from django.db.models.functions import RowNumber

from notifications import tracking
from notifications.inbox import feed, hub
from notifications.inbox.items import Frame, document, frame
from notifications.models import InboxItem
from project.foundation import clock
from project.foundation.problems import Fault, InvalidRequest, NotFound

RESYNC_ABOVE = 200  # changed items in one go: clients ask again instead of being told of each

NOW, KEEP_OR_NOW, CLEAR = "now", "keep or now", "clear"


@dataclass(frozen=True)
class Mark:
    """Which items a mark changes, and how."""

    changes: Q
    sets: Mapping[str, str]


MARKS: Mapping[str, Mark] = {
    "seen": Mark(Q(seen_at__isnull=True), {"seen_at": NOW}),
    "read": Mark(Q(read_at__isnull=True), {"read_at": NOW, "seen_at": KEEP_OR_NOW}),
    "unread": Mark(Q(read_at__isnull=False), {"read_at": CLEAR}),
    "archive": Mark(Q(archived_at__isnull=True), {"archived_at": NOW}),
    "unarchive": Mark(Q(archived_at__isnull=False), {"archived_at": CLEAR}),
    "clicked": Mark(Q(read_at__isnull=True), {"read_at": NOW, "seen_at": KEEP_OR_NOW}),
}
MARKS_OF_ALL = ("seen", "read", "archive")
_OPENING = {"seen", "read"}  # the person had it before their eyes: its delivery was opened


@dataclass(frozen=True)
class Marked:
    """How many items a mark changed, and how the inbox stands after it."""

    changed: int
    standing: feed.Standing


def mark(user_pk: int, item_id: UUID, act: str, *, action: int | None = None) -> dict[str, Any]:
    """Carry out `act`, a key of MARKS, on one item; return the item as it then is.

    `action`, with "clicked": the index of the action that was clicked, which is then completed.
    Raises NotFound when the person has no such item.
    """
    own = InboxItem.objects.filter(user_id=user_pk, pk=item_id)
    with transaction.atomic():
        _change(user_pk, own, act)
        if action is not None:
            _complete(user_pk, own, action)
        item = own.select_related("category").first()
        if item is None:
            raise NotFound("There is no such item in this inbox.")
        if act == "clicked":
            tracking.record_in_inbox([item.id], tracking.Status.CLICKED, now=clock.now())
    return document(item, category=item.category.key)


def mark_all(user_pk: int, act: str, *, category: str = "") -> Marked:
    """Carry out `act`, one of MARKS_OF_ALL, on everything that is not archived; of one category where given."""
    items = feed.listed(user_pk, category=category).select_related(None)
    with transaction.atomic():
        return _change(user_pk, items, act)


def _change(user_pk: int, items: QuerySet[InboxItem], act: str) -> Marked:
    standing = feed.lock({user_pk: 0})[user_pk]
    now = clock.now()
    changed = _update(items.filter(MARKS[act].changes), MARKS[act].sets, standing.seq, now)
    if changed and act in _OPENING:
        tracking.record_in_inbox(changed, tracking.Status.OPENED, now=now)
    if changed:
        standing = feed.recount(user_pk, seq=standing.seq + len(changed))
        _tell(user_pk, changed, standing)
    return Marked(len(changed), standing)


def _update(items: QuerySet[InboxItem], sets: Mapping[str, str], start: int, now: datetime) -> list[UUID]:
    """Set the columns and give each item a number after `start`, oldest first, in one statement; return their keys."""
    numbered = items.order_by().annotate(number=Window(RowNumber(), order_by=F("id").asc())).values("id", "number")
    inner, inner_values = numbered.query.sql_with_params()
    table = InboxItem._meta.db_table
    columns = ", ".join(f"{column} = {_EXPRESSIONS[how].format(column=column)}" for column, how in sets.items())
    values = [connection.ops.adapt_datetimefield_value(now) for how in sets.values() if how != CLEAR]
    with connection.cursor() as cursor:
        cursor.execute(
            f"UPDATE {table} SET {columns}, seq = %s + numbered.number"
            f" FROM ({inner}) AS numbered WHERE {table}.id = numbered.id RETURNING {table}.id",
            [*values, start, *inner_values],
        )
        return [id if isinstance(id, UUID) else UUID(id) for (id,) in cursor.fetchall()]


_EXPRESSIONS = {NOW: "%s", KEEP_OR_NOW: "COALESCE({column}, %s)", CLEAR: "NULL"}


def _complete(user_pk: int, own: QuerySet[InboxItem], index: int) -> None:
    item = own.first()
    if item is None:
        return
    actions = item.content.get("actions") or []
    if index >= len(actions):
        raise InvalidRequest(errors=[Fault("/action", "invalid_value", f"The item has {len(actions)} actions.")])
    if not actions[index].get("completed"):
        actions[index]["completed"] = True
        item.seq = feed.standing(user_pk).seq + 1
        item.save(update_fields=["content", "seq"])
        _tell(user_pk, [item.pk], feed.recount(user_pk, seq=item.seq))


def _tell(user_pk: int, changed: Sequence[UUID], standing: feed.Standing) -> None:
    frames: list[Frame] = []
    if len(changed) > RESYNC_ABOVE:
        frames.append(frame(user_pk, "resync"))
    else:
        rows = InboxItem.objects.filter(pk__in=changed).select_related("category").order_by("seq")
        frames += [frame(user_pk, "item.updated", item=item) for item in feed.documents(list(rows))]
    frames.append(feed.counts_frame(user_pk, standing))
    transaction.on_commit(partial(hub.publish, frames))
