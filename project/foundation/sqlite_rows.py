"""Many rows into SQLite at once: one prepared statement, run for each row within SQLite itself.

Django's own bulk calls build a statement of a thousand parameters for every few rows, and an update for each one.
"""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from functools import cache
from typing import Any
from uuid import UUID

from django.db import connection, models

from project.foundation import json_text
from project.foundation.columns import Json
from project.foundation.encryption import EncryptedTextField

Write = Callable[[Any], Any]


def insert(rows: Sequence[models.Model]) -> None:
    """Write new rows of one model. A key that exists raises IntegrityError."""
    model = type(rows[0])
    columns = _all_columns(model)
    names = ", ".join(column.quoted for column in columns)
    marks = ", ".join(["%s"] * len(columns))
    with connection.cursor() as cursor:
        cursor.executemany(f"INSERT INTO {_table(model)} ({names}) VALUES ({marks})", _values(rows, columns))
    for row in rows:
        row._state.adding = False


def update(rows: Sequence[models.Model], fields: Sequence[str], *, only_where: Sequence[str]) -> int:
    """Write `fields` of rows whose `only_where` is still what the instances hold; return how many were changed."""
    model = type(rows[0])
    assert model._meta.pk is not None
    new, key = [_column(model, name) for name in fields], _column(model, model._meta.pk.name)
    held = [_column(model, name) for name in only_where]
    sets = ", ".join(f"{column.quoted} = %s" for column in new)
    same = "".join(f" AND {column.quoted} IS %s" for column in held)
    statement = f"UPDATE {_table(model)} SET {sets} WHERE {key.quoted} = %s{same}"
    with connection.cursor() as cursor:
        cursor.executemany(statement, _values(rows, [*new, key, *held]))
        return int(cursor.rowcount)


class _Column:
    """One field of a model, and how its values are kept; None is NULL."""

    def __init__(self, field: Any) -> None:
        self.field = field
        self.name: str = field.attname
        self.quoted: str = connection.ops.quote_name(field.column)
        self._write = _writer(field.target_field if field.is_relation else field)
        self._sealed = isinstance(field, EncryptedTextField)  # never one ciphertext for two rows
        self._sets_itself = bool(getattr(field, "auto_now", False) or getattr(field, "auto_now_add", False))

    def of(self, rows: Sequence[models.Model]) -> list[Any]:
        name, write = self.name, self._write
        if self._sets_itself:
            values = [self.field.pre_save(row, row._state.adding) for row in rows]
        else:
            values = [getattr(row, name) for row in rows]
        first = values[0]
        if (first is None or not self._sealed) and all(value is first for value in values):
            return [None if first is None else write(first)] * len(values)
        return [None if value is None else write(value) for value in values]


def _values(rows: Sequence[models.Model], columns: Sequence[_Column]) -> list[tuple[Any, ...]]:
    return list(zip(*(column.of(rows) for column in columns), strict=True))


def _writer(field: Any) -> Write:
    kind = type(field)
    if kind is models.JSONField and field.encoder is None:
        return _json
    return _WRITERS.get(kind) or (lambda value: field.get_db_prep_save(value, connection))


def _uuid(value: Any) -> str:
    return value.hex if type(value) is UUID else UUID(str(value)).hex


def _moment(value: Any) -> str:
    """Return the time in UTC as Django keeps it: 2026-01-31 08:00:00.000001, without a fraction that is zero."""
    if type(value) is not datetime or value.tzinfo is None:
        raise TypeError(f"{value!r} is no moment with a time zone.")
    return str(value.astimezone(UTC).replace(tzinfo=None))


def _json(value: Any) -> str:
    return str(value) if type(value) is Json else json_text.write(value)


_WRITERS: dict[type, Write] = {
    models.UUIDField: _uuid,
    models.DateTimeField: _moment,
    models.BooleanField: bool,
    **dict.fromkeys((models.CharField, models.SlugField, models.TextField), str),
    **dict.fromkeys(
        (
            models.AutoField,
            models.BigAutoField,
            models.SmallIntegerField,
            models.PositiveSmallIntegerField,
            models.IntegerField,
            models.PositiveIntegerField,
            models.BigIntegerField,
        ),
        int,
    ),
}


@cache
def _column(model: type[models.Model], name: str) -> _Column:
    return _Column(model._meta.get_field(name))


@cache
def _all_columns(model: type[models.Model]) -> list[_Column]:
    return [_column(model, field.name) for field in model._meta.concrete_fields if not field.generated]


def _table(model: type[models.Model]) -> str:
    return connection.ops.quote_name(model._meta.db_table)
