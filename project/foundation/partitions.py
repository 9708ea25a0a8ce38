"""History tables: range-partitioned by their UUIDv7 id on PostgreSQL, one partition a month; plain tables elsewhere."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from django.db import connection, migrations, transaction

from project.foundation import ids
from project.foundation.locks import try_lock

MONTHS_AHEAD = 3
_WAIT_TO_DROP = "500ms"


class CreateHistoryTable(migrations.CreateModel):
    """CreateModel whose table is partitioned by `id`, with a DEFAULT partition behind the monthly ones.

    The primary key is the partition key, so that a look-up by id alone touches one partition, and retention is
    DROP PARTITION.
    """

    def database_forwards(self, app_label: str, schema_editor: Any, from_state: Any, to_state: Any) -> None:
        if schema_editor.connection.vendor != "postgresql":
            super().database_forwards(app_label, schema_editor, from_state, to_state)
            return
        schema_editor.sql_create_table = type(schema_editor).sql_create_table + " PARTITION BY RANGE (id)"
        try:
            super().database_forwards(app_label, schema_editor, from_state, to_state)
        finally:
            del schema_editor.sql_create_table
        table = to_state.apps.get_model(app_label, self.name)._meta.db_table
        schema_editor.execute(f'CREATE TABLE "{table}_default" PARTITION OF "{table}" DEFAULT')
        for month in _months(datetime.now(tz=UTC), MONTHS_AHEAD + 1):
            name = _name(table, month)
            schema_editor.execute(f'CREATE TABLE "{name}" PARTITION OF "{table}" {_bounds(month)}')


def make_ahead(table: str, *, today: datetime) -> list[str]:
    """Make a table's partitions of this month and the next MONTHS_AHEAD where missing; return the new ones' names.

    Rows that fell into the default partition meanwhile are moved to where they belong.
    """
    if connection.vendor != "postgresql":
        return []
    with transaction.atomic(), connection.cursor() as cursor:
        if not try_lock("partitions", table):
            return []  # another process is at it
        missing = [month for month in _months(today, MONTHS_AHEAD + 1) if not _exists(cursor, _name(table, month))]
        for month in missing:
            _make(cursor, table, month)
    return [_name(table, month) for month in missing]


def _exists(cursor: Any, name: str) -> bool:
    cursor.execute("SELECT to_regclass(%s)", [name])
    return cursor.fetchone()[0] is not None


def _make(cursor: Any, table: str, month: datetime) -> None:
    """Make one partition, stored as the default one is, and fill it before it is attached.

    PostgreSQL refuses to attach one whose rows lie in the default.
    """
    name, low, high = _name(table, month), ids.first_id_at(month), ids.first_id_at(next_month(month))
    cursor.execute(f'LOCK TABLE "{table}_default" IN ACCESS EXCLUSIVE MODE')
    cursor.execute("SELECT array_to_string(reloptions, ', ') FROM pg_class WHERE relname = %s", [f"{table}_default"])
    options = cursor.fetchone()[0]
    cursor.execute(f'CREATE TABLE "{name}" (LIKE "{table}" INCLUDING ALL)' + (f" WITH ({options})" if options else ""))
    cursor.execute(
        f"WITH moved AS (DELETE FROM \"{table}_default\" WHERE id >= '{low}' AND id < '{high}' RETURNING *)"
        f' INSERT INTO "{name}" SELECT * FROM moved'
    )
    cursor.execute(f'ALTER TABLE "{table}" ATTACH PARTITION "{name}" {_bounds(month)}')


def months_left(table: str, *, today: datetime) -> int:
    """Return how many months after this one have their partition already (elsewhere than PostgreSQL: all)."""
    if connection.vendor != "postgresql":
        return MONTHS_AHEAD
    with connection.cursor() as cursor:
        names = [_name(table, month) for month in _months(today, MONTHS_AHEAD + 1)[1:]]
        cursor.execute("SELECT count(*) FROM unnest(%s::text[]) AS name WHERE to_regclass(name) IS NOT NULL", [names])
        return int(cursor.fetchone()[0])


def next_month(month: datetime) -> datetime:
    """Return the month after one."""
    return datetime(month.year + month.month // 12, month.month % 12 + 1, 1, tzinfo=UTC)


def months_before(table: str, bound: datetime) -> list[datetime]:
    """Return the months of a table's partitions that end by `bound`, oldest first (elsewhere than PostgreSQL: none)."""
    return [month for month in _present(table) if next_month(month) <= bound]


def oldest_month(table: str) -> datetime | None:
    """Return the first month that has a partition of its own; None where there are none."""
    return next(iter(_present(table)), None)


def drop(tables: Sequence[str], month: datetime) -> None:
    """Drop one month's partitions of several tables, or none. Raises OperationalError where they are in use for long.

    Whoever waits for the lock makes all others wait, so that we do not wait for long.
    """
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SELECT set_config('lock_timeout', %s, true)", [_WAIT_TO_DROP])
        for table in tables:
            cursor.execute(f'DROP TABLE IF EXISTS "{_name(table, month)}"')


def _present(table: str) -> list[datetime]:
    if connection.vendor != "postgresql":
        return []
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT c.relname FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid"
            " WHERE i.inhparent = %s::regclass AND c.relname ~ '_[0-9]{4}_[0-9]{2}$'",
            [table],
        )
        names = [name.removeprefix(f"{table}_") for (name,) in cursor.fetchall()]
    return sorted(datetime.strptime(name, "%Y_%m").replace(tzinfo=UTC) for name in names)


def _name(table: str, month: datetime) -> str:
    return f"{table}_{month:%Y_%m}"


def _bounds(month: datetime) -> str:
    return f"FOR VALUES FROM ('{ids.first_id_at(month)}') TO ('{ids.first_id_at(next_month(month))}')"


def _months(start: datetime, count: int) -> list[datetime]:
    month = datetime(start.year, start.month, 1, tzinfo=UTC)
    months = [month]
    while len(months) < count:
        months.append(next_month(months[-1]))
    return months
