"""History tables: range-partitioned by their UUIDv7 id on PostgreSQL, one partition a month; plain tables elsewhere."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from django.db import connection, migrations

from project.foundation import ids

MONTHS_AHEAD = 3


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


def make_ahead(tables: Sequence[str], *, today: datetime) -> list[str]:
    """Make the partitions of this month and the next MONTHS_AHEAD where missing; return the new ones' names."""
    if connection.vendor != "postgresql":
        return []
    made = []
    with connection.cursor() as cursor:
        for table in tables:
            for month in _months(today, MONTHS_AHEAD + 1):
                name = f"{table}_{month:%Y_%m}"
                cursor.execute("SELECT to_regclass(%s)", [name])
                if cursor.fetchone()[0] is None:
                    low, high = ids.first_id_at(month), ids.first_id_at(_next_month(month))
                    cursor.execute(
                        f"CREATE TABLE \"{name}\" PARTITION OF \"{table}\" FOR VALUES FROM ('{low}') TO ('{high}')"
                    )
                    made.append(name)
    return made


def months_left(table: str, *, today: datetime) -> int:
    """Return how many months after this one have their partition already (elsewhere than PostgreSQL: all)."""
    if connection.vendor != "postgresql":
        return MONTHS_AHEAD
    with connection.cursor() as cursor:
        names = [f"{table}_{month:%Y_%m}" for month in _months(today, MONTHS_AHEAD + 1)[1:]]
        cursor.execute("SELECT count(*) FROM unnest(%s::text[]) AS name WHERE to_regclass(name) IS NOT NULL", [names])
        return int(cursor.fetchone()[0])


def _months(start: datetime, count: int) -> list[datetime]:
    month = datetime(start.year, start.month, 1, tzinfo=UTC)
    months = [month]
    while len(months) < count:
        months.append(_next_month(months[-1]))
    return months


def _next_month(month: datetime) -> datetime:
    return datetime(month.year + month.month // 12, month.month % 12 + 1, 1, tzinfo=UTC)
