"""A long past, made in the database: copies of one row of each history table, under ids of this month."""

from contextlib import suppress
from datetime import UTC, datetime

from django.db import ProgrammingError, connection, models

from notifications.models import Delivery, Event, Notification
from preferences.models import User

# The n-th id: its time, then "7", then what md5 makes of n and a word, with the variant's bits (RFC 9562 §5.7).
_ID = """(lpad(to_hex((%(first)s + n * %(step)s)::bigint), 12, '0') || '7' || substr(md5('{word}' || n), 1, 3)
 || '8' || substr(md5('{word}' || n), 4, 15))::uuid"""
_TABLES: tuple[tuple[type[models.Model], dict[str, str]], ...] = (
    (Notification, {"id": "notification"}),
    (Delivery, {"id": "delivery", "notification_id": "notification"}),
    (Event, {"id": "event", "notification_id": "notification", "delivery_id": "delivery"}),
)


def fill(rows: int) -> None:
    """Bring each history table to at least `rows` rows, all of this month, so that they lie in one partition."""
    now = datetime.now(tz=UTC)
    month = datetime(now.year, now.month, 1, tzinfo=UTC)
    span = (now - month).total_seconds() * 1000 * 0.99  # milliseconds, all of them past
    people = list(User.objects.order_by("pk").values_list("pk", flat=True))
    with connection.cursor() as cursor:
        for model, derived in _TABLES:
            have = model._default_manager.count()
            if have >= rows:
                continue
            values = {
                "first": month.timestamp() * 1000,
                "step": span / rows,
                "from": have,
                "to": rows,
                "people": len(people),
                "first_person": people[0],
            }
            cursor.execute(_statement(model, derived), values)
    with connection.cursor() as cursor:
        for model, _ in _TABLES:
            cursor.execute(f'VACUUM (ANALYZE) "{model._meta.db_table}"')
    _settle()


def _settle() -> None:
    """Have written out what filling left in memory, or the measurement would wait for it now and then."""
    with suppress(ProgrammingError), connection.cursor() as cursor:  # the role may not be allowed to
        cursor.execute("CHECKPOINT")


def _statement(model: type[models.Model], derived: dict[str, str]) -> str:
    table = model._meta.db_table
    columns = [field.column for field in model._meta.concrete_fields]
    found = {column: f's."{column}"' for column in columns}
    found |= {column: _ID.format(word=word) for column, word in derived.items()}
    if "user_id" in found:
        found["user_id"] = "%(first_person)s + n %% %(people)s"
    for column in {"due_at", "lease", "leased_until"} & set(found):
        found[column] = "NULL"
    names = ", ".join(f'"{column}"' for column in columns)
    return (
        f'INSERT INTO "{table}" ({names}) SELECT {", ".join(found[column] for column in columns)}'
        f' FROM (SELECT * FROM "{table}" LIMIT 1) s, generate_series(%(from)s + 1, %(to)s) n'
    )
