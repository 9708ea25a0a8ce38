"""What history takes on disk: tables with their indexes, and with what updates have left behind until now."""

from django.db import connection, models
from django.db.backends.utils import CursorWrapper

from notifications.models import Attempt, AudienceMember, Delivery, Event, InboxItem, Notification

_TABLES: tuple[type[models.Model], ...] = (Notification, Delivery, Attempt, Event, AudienceMember, InboxItem)


def of_rows() -> str:
    """Return the bytes of one row of each table, in words; each table is vacuumed first."""
    with connection.cursor() as cursor:
        found = [(model._meta.verbose_name, _bytes(cursor, model), model._default_manager.count()) for model in _TABLES]
    return ", ".join(f"{name} {size / rows:,.0f} ({rows:,} rows)" for name, size, rows in found if rows)


def _bytes(cursor: CursorWrapper, model: type[models.Model]) -> int:
    table = model._meta.db_table
    cursor.execute(f'VACUUM (ANALYZE) "{table}"')
    cursor.execute(
        "SELECT sum(pg_total_relation_size(part.relid)) FROM"
        " (SELECT %s::regclass AS relid UNION SELECT relid FROM pg_partition_tree(%s::regclass)) AS part",
        [table, table],
    )
    return int(cursor.fetchone()[0])
