"""Claiming due rows of the queue tables: one statement, many workers, nothing taken twice while a lease holds."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Generic, TypeVar
from uuid import UUID, uuid4

from django.conf import settings
from django.db import connection

from notifications.models import Delivery, Notification

Row = TypeVar("Row", Notification, Delivery)


@dataclass(frozen=True)
class Claim(Generic[Row]):
    """Rows that are ours until the lease ends. `now` is the database's time of the claim."""

    token: UUID
    rows: list[Row]
    now: datetime


def claim(model: type[Row], *, limit: int, channel: str | None = None, lane: int | None = None) -> Claim[Row]:
    """Take up to `limit` due rows, the highest lane and the longest due first.

    A row whose earlier lease ran out counts one recovery: whoever held it died or hung.
    """
    token = uuid4()
    lease = timedelta(seconds=settings.LEASE_SECONDS)
    now, values = _clock()
    where = f"due_at <= {now} AND (leased_until IS NULL OR leased_until <= {now})"
    parameters: list[Any] = [*values, *values]
    for column, wanted in (("channel", channel), ("lane", lane)):
        if wanted is not None:
            where += f" AND {column} = %s"
            parameters.append(wanted)
    until, until_values = _clock(lease)
    locking = "FOR UPDATE SKIP LOCKED" if connection.vendor == "postgresql" else ""
    rows = list(
        model.objects.raw(
            f"""
            UPDATE {model._meta.db_table}
               SET recoveries = recoveries + (CASE WHEN leased_until IS NULL THEN 0 ELSE 1 END),
                   lease = %s, leased_until = {until}
             WHERE id IN (SELECT id FROM {model._meta.db_table} WHERE {where}
                           ORDER BY lane, due_at LIMIT %s {locking})
            RETURNING *
            """,
            [model._meta.get_field("lease").get_db_prep_value(token, connection), *until_values, *parameters, limit],
        )
    )
    rows.sort(key=lambda row: (row.lane, row.due_at, row.id))
    claimed_at = rows[0].leased_until - lease if rows and rows[0].leased_until else datetime.now(tz=UTC)
    return Claim(token, rows, claimed_at)


def still_held(model: type[Row], ids: Iterable[UUID], token: UUID) -> set[UUID]:
    """Lock the rows that the lease still covers, inside the caller's transaction, and return their ids.

    What is missing was taken over, cancelled or erased meanwhile, and is no longer ours to write.
    """
    held = model.objects.select_for_update().filter(id__in=list(ids), lease=token).order_by("id")
    return set(held.values_list("id", flat=True))


def extend(model: type[Row], rows: Sequence[Row], token: UUID) -> None:
    """Renew the lease of rows that wait for their turn."""
    until, values = _clock(timedelta(seconds=settings.LEASE_SECONDS))
    if rows:
        with connection.cursor() as cursor:
            cursor.execute(
                f"UPDATE {model._meta.db_table} SET leased_until = {until} WHERE lease = %s"
                f" AND id IN ({', '.join(['%s'] * len(rows))})",
                [*values, *_plain(model, [token, *(row.id for row in rows)])],
            )


def release(model: type[Row], token: UUID) -> None:
    """Hand back what has not been begun, so that nobody waits for the lease to end."""
    model.objects.filter(lease=token, due_at__isnull=False).update(lease=None, leased_until=None)


def _clock(later: timedelta = timedelta()) -> tuple[str, list[Any]]:
    """Return SQL for the database's time (plus `later`) and its parameters."""
    if connection.vendor == "postgresql":
        return ("clock_timestamp() + %s", [later]) if later else ("clock_timestamp()", [])
    return "%s", [connection.ops.adapt_datetimefield_value(datetime.now(tz=UTC) + later)]


def _plain(model: type[Row], ids: Sequence[UUID]) -> list[Any]:
    key = model._meta.get_field("id")
    return [key.get_db_prep_value(value, connection) for value in ids]
