"""Claiming due rows of the queue tables: one statement, many workers, nothing taken twice while a lease holds."""

import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Generic, TypeVar
from uuid import UUID, uuid4

from django.conf import settings
from django.db import connection

from notifications.models import Delivery, Lane, Notification
from preferences.channels import CHANNELS
from project.foundation import bulk, prepared

TOGETHER_AFTER_A_LOSS = 10

Row = TypeVar("Row", Notification, Delivery)


@dataclass(frozen=True)
class Claim(Generic[Row]):
    """Rows that are ours until the lease ends. `now` is the database's time of the claim."""

    token: UUID
    rows: list[Row]
    now: datetime
    since: float = field(default_factory=time.monotonic)

    @property
    def age(self) -> timedelta:
        return timedelta(seconds=time.monotonic() - self.since)

    def by_now(self) -> datetime:
        """Return the database's time, told by how much has passed here since the claim. No query."""
        return self.now + self.age

    def extended(self) -> datetime:
        """Return until when the lease of a row may last that is begun with now."""
        return self.by_now() + timedelta(seconds=settings.LEASE_SECONDS)

    def part(self, rows: list[Row]) -> "Claim[Row]":
        """Return a claim of some of the rows, as of now."""
        return Claim(self.token, rows, self.by_now())


def claim(
    model: type[Row],
    *,
    limit: int,
    channel: str | None = None,
    lane: int | None = None,
    mode: str | None = None,
) -> Claim[Row]:
    """Take up to `limit` due rows, the highest lane and the longest due first.

    A row whose earlier lease ran out counts one recovery: whoever held it died or hung. After a first loss rows are
    taken few together, after a second one alone: what ends a process is found without its neighbours, and a batch that
    merely met a killed worker is not done row by row.
    """
    token = uuid4()
    lease = timedelta(seconds=settings.LEASE_SECONDS)
    now, until = _now_sql(), _now_sql("later")
    where = f"due_at <= {now} AND (leased_until IS NULL OR leased_until <= {now})"
    parameters: dict[str, Any] = {**_times(lease), "limit": limit}
    for column, wanted in (("channel", channel), ("lane", lane), ("mode", mode)):
        if wanted is not None:
            where += f" AND {column} = %({column})s"
            parameters[column] = wanted
    locking = "FOR UPDATE SKIP LOCKED" if connection.vendor == "postgresql" else ""
    table = model._meta.db_table
    parameters["token"] = model._meta.get_field("lease").get_db_prep_value(token, connection)
    rows = bulk.select(
        model,
        f"""
            WITH due AS (SELECT id, lane, due_at,
                                recoveries + (CASE WHEN leased_until IS NULL THEN 0 ELSE 1 END) AS losses
                           FROM {table} WHERE {where}
                          ORDER BY lane, due_at LIMIT %(limit)s {locking}),
                 suspect AS (SELECT id FROM due WHERE losses > 1 ORDER BY lane, due_at, id LIMIT 1),
                 shaken AS (SELECT id FROM due WHERE losses = 1 AND NOT EXISTS (SELECT 1 FROM suspect)
                             ORDER BY lane, due_at, id LIMIT {TOGETHER_AFTER_A_LOSS})
            UPDATE {table}
               SET recoveries = recoveries + (CASE WHEN leased_until IS NULL THEN 0 ELSE 1 END),
                   lease = %(token)s, leased_until = {until}
             WHERE id IN (SELECT id FROM suspect UNION ALL SELECT id FROM shaken
                           UNION ALL SELECT id FROM due WHERE NOT EXISTS (SELECT 1 FROM due WHERE losses > 0))
            RETURNING *
            """,
        parameters,
    )
    rows.sort(key=lambda row: (row.lane, row.due_at, row.id))
    claimed_at = rows[0].leased_until - lease if rows and rows[0].leased_until else datetime.now(tz=UTC)
    return Claim(token, rows, claimed_at)


def taken_up(rows: list[Delivery], now: datetime) -> Claim[Delivery]:
    """Put new rows under a lease of ours before they are written."""
    found = Claim(uuid4(), rows, now)
    until = now + timedelta(seconds=settings.LEASE_SECONDS)
    for row in rows:
        row.lease, row.leased_until = found.token, until
    return found


@dataclass(frozen=True)
class Due:
    """Where there is work to take up now, by lane."""

    planning: frozenset[int]
    channels: Mapping[int, list[str]]


def look(lanes: Iterable[Lane]) -> Due:
    """Return what is due in these lanes, of all channels. One statement, a look into the index for each."""
    wanted = list(lanes)
    found = _found_due(wanted)
    planning = frozenset(lane for lane, channel in found if channel is None)
    by_lane = {lane.value: [channel for at, channel in found if at == lane and channel is not None] for lane in wanted}
    return Due(planning, by_lane)


def _found_due(lanes: Sequence[Lane]) -> list[tuple[int, str | None]]:
    """Subqueries with a limit, which the planner does not turn into a join that reads the tables whole."""
    now = _now_sql()
    channels = {f"c{number}": channel for number, channel in enumerate(CHANNELS)}
    listed = ", ".join(f"(%({name})s)" for name in channels)
    numbers = ", ".join(f"({lane.value})" for lane in lanes)
    free = f"due_at <= {now} AND (leased_until IS NULL OR leased_until <= {now}) LIMIT 1) IS NOT NULL"
    with prepared.cursor() as cursor:
        cursor.execute(
            f"""
            WITH lanes(lane) AS (VALUES {numbers}), known(channel) AS (VALUES {listed})
            SELECT lane, NULL FROM lanes
             WHERE (SELECT 1 FROM {Notification._meta.db_table} n WHERE n.lane = lanes.lane AND {free}
            UNION ALL
            SELECT lane, channel FROM lanes, known
             WHERE (SELECT 1 FROM {Delivery._meta.db_table} d
                     WHERE d.lane = lanes.lane AND d.channel = known.channel AND {free}
            """,
            {**_times(timedelta()), **channels},
        )
        return list(cursor.fetchall())


def still_held(model: type[Row], ids: Iterable[UUID], token: UUID) -> set[UUID]:
    """Lock the rows that the lease still covers, inside the caller's transaction, and return their ids.

    What is missing was taken over, cancelled or erased meanwhile, and is no longer ours to write.
    """
    return set(bulk.lock(model, ids, lease=token))


def put_back(rows: Sequence[Delivery], token: UUID, *, due_at: datetime) -> None:
    """Hand back deliveries that were not tried, to be taken up again at `due_at`."""
    if rows:
        mine = Delivery.objects.filter(id__in=[row.id for row in rows], lease=token)
        mine.update(lease=None, leased_until=None, due_at=due_at)


def release(model: type[Row], token: UUID) -> None:
    """Hand back what has not been begun, so that nobody waits for the lease to end."""
    model.objects.filter(lease=token, due_at__isnull=False).update(lease=None, leased_until=None)


def _now_sql(name: str = "now") -> str:
    """Return SQL for the database's time: "now", or "later" by the lease.

    statement_timestamp() and not clock_timestamp(), whose value may change between rows, so that no index serves it.
    """
    if connection.vendor != "postgresql":
        return f"%({name})s"
    return "statement_timestamp()" if name == "now" else "statement_timestamp() + %(lease)s"


def _times(lease: timedelta) -> dict[str, Any]:
    now, adapt = datetime.now(tz=UTC), connection.ops.adapt_datetimefield_value
    if connection.vendor == "postgresql":
        return {"lease": lease}
    return {"now": adapt(now), "later": adapt(now + lease)}
