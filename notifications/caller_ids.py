"""What callers' own ids for their requests stand for: many of them at once."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from functools import cache
from operator import attrgetter
from typing import Any
from uuid import UUID

from django.db import connection

from notifications.models import CallerNotificationId
from project.foundation import bulk
from project.foundation.columns import Column

_OF_THESE = "caller_id = %s AND mode = %s AND key = ANY(%s::uuid[])"
_KNOWN = f"SELECT * FROM notifications_callernotificationid WHERE {_OF_THESE}"
_FORGET = f"DELETE FROM notifications_callernotificationid WHERE {_OF_THESE} AND created_at < %s"
_ADD = (
    "INSERT INTO notifications_callernotificationid (caller_id, mode, created_at, key, notification_id, body_hash)"
    " SELECT %s, %s, %s, * FROM unnest(%s::uuid[], %s::uuid[], %s::bytea[]) ON CONFLICT DO NOTHING RETURNING key"
)


def known(caller_id: int, mode: str, keys: Iterable[UUID]) -> dict[UUID, CallerNotificationId]:
    """Return what a caller's ids stand for, those among `keys` that are known. One query."""
    if connection.vendor == "postgresql":
        rows = bulk.select(CallerNotificationId, _KNOWN, [caller_id, mode, _array("key", list(keys))])
    else:
        rows = list(CallerNotificationId.objects.filter(caller_id=caller_id, mode=mode, key__in=list(keys)))
    return {row.key: row for row in rows}


def register(
    fresh: Mapping[UUID, CallerNotificationId], *, now: datetime, oldest: datetime
) -> dict[UUID, CallerNotificationId]:
    """Store new ids of one caller and mode; return what each stands for: what was stored earlier wins.

    What is older than `oldest` counts no more. An id that another transaction is storing is waited for.
    """
    if not fresh:
        return {}
    # In one order, so that two calls with the same ids wait for each other instead of deadlocking.
    rows = [fresh[key] for key in sorted(fresh, key=attrgetter("int"))]
    first = rows[0]
    if connection.vendor == "postgresql":
        added = _add(rows, now, oldest)
        earlier = fresh.keys() - added
        return {**fresh, **known(first.caller_id, first.mode, earlier)} if earlier else dict(fresh)
    scope = {"caller_id": first.caller_id, "mode": first.mode, "key__in": list(fresh)}
    CallerNotificationId.objects.filter(**scope, created_at__lt=oldest).delete()
    CallerNotificationId.objects.bulk_create(rows, ignore_conflicts=True)
    return known(first.caller_id, first.mode, fresh)


def _add(rows: Sequence[CallerNotificationId], now: datetime, oldest: datetime) -> set[UUID]:
    """Return the ids that were not there."""
    caller_id, mode = rows[0].caller_id, rows[0].mode
    keys = _array("key", [row.key for row in rows])
    notification_ids = _array("notification_id", [row.notification_id for row in rows])
    hashes = _array("body_hash", [row.body_hash for row in rows])
    with connection.cursor() as cursor:
        cursor.execute(_FORGET, [caller_id, mode, keys, oldest])
        cursor.execute(_ADD, [caller_id, mode, now, keys, notification_ids, hashes])
        return {key for (key,) in cursor.fetchall()}


def _array(name: str, values: Sequence[Any]) -> str:
    column = _column(name)
    texts = column.texts_of(values)
    return column.array(texts if len(texts) == len(values) else texts * len(values))


@cache
def _column(name: str) -> Column:
    return Column(CallerNotificationId._meta.get_field(name))
