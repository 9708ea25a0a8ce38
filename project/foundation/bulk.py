"""Many rows in one statement: COPY and UPDATE … FROM unnest(…) on PostgreSQL, prepared statements on SQLite."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, TypeVar
from uuid import UUID

from django.db import connection, models
from django.db.models.base import ModelState

from project.foundation import prepared, sqlite_rows, statements
from project.foundation.columns import Column, Json, Read, reader, texts_of_all

__all__ = [
    "Json", "by_key", "columns", "insert", "like", "lock", "place", "select", "select_together", "update", "update_held"
]  # fmt: skip

Row = TypeVar("Row", bound=models.Model)


def like(row: Row, **fields: Any) -> Row:
    """Return a new, unsaved row with another's values, but for `fields`, named as the columns' attributes are.

    A tenth of what calling the model costs: for rows by the hundred that differ in little.
    """
    new: Row = row.__class__.__new__(row.__class__)
    new.__dict__ = row.__dict__ | fields
    new._state = ModelState()
    return new


def select(model: type[Row], sql: str, parameters: Any) -> list[Row]:
    """Return the rows of a statement whose columns are the model's, as `objects.raw` does, at a third of its cost."""
    if connection.vendor != "postgresql":
        return list(model._default_manager.raw(sql, parameters))
    with prepared.cursor() as cursor:
        cursor.execute(sql, parameters)
        by_column: dict[Any, Any] = {field.column: field for field in model._meta.concrete_fields}
        # A column of the next release, whose migration has run already, is carried along and means nothing here.
        columns = [(column.name, by_column.get(column.name)) for column in cursor.description]
        names = [name if field is None else field.attname for name, field in columns]
        readers = [(n, read) for n, (_, field) in enumerate(columns) if field and (read := reader(field)) is not None]
        database = connection.alias
        return [_stored(model, names, list(values), readers, database) for values in cursor.fetchall()]


def by_key(model: type[Row], keys: Iterable[Any]) -> dict[Any, Row]:
    """Return the rows with these keys, by key, as `in_bulk` does: on PostgreSQL by one prepared statement."""
    wanted = list(keys)
    if connection.vendor != "postgresql" or not wanted:
        return dict(model._default_manager.in_bulk(wanted)) if wanted else {}
    key = statements.key_of(model)
    sql = f"SELECT * FROM {statements.quote(model._meta.db_table)} WHERE {key.quoted} = ANY(%s::{key.type}[])"
    return {row.pk: row for row in select(model, sql, [key.array(key.texts_of(wanted))])}


def columns(model: type[models.Model], alias: str) -> str:
    """Return the model's columns, as a statement of several tables lists them for `select_together`."""
    return ", ".join(f"{alias}.{column.quoted}" for column in statements.all_columns(model))


def select_together(of: Sequence[type[models.Model]], sql: str, parameters: Any) -> list[list[Any]]:
    """Return the rows of a statement that lists the `columns` of several models: an instance each, or None."""
    with prepared.cursor() as cursor:
        cursor.execute(sql, parameters)
        return [list(_split(of, list(values), connection.alias)) for values in cursor.fetchall()]


def _split(of: Sequence[type[models.Model]], values: list[Any], database: str) -> Iterator[models.Model | None]:
    for model in of:
        columns = statements.all_columns(model)
        names = [column.name for column in columns]
        own, values = values[: len(names)], values[len(names) :]
        readers = [(n, read) for n, column in enumerate(columns) if (read := reader(column.field)) is not None]
        yield None if own[0] is None else _stored(model, names, own, readers, database)


def _stored(
    model: type[Row], names: list[str], values: list[Any], readers: list[tuple[int, Read]], database: str
) -> Row:
    for n, read in readers:
        if values[n] is not None:
            values[n] = read(values[n])
    row: Row = model.__new__(model)
    row.__dict__ = dict(zip(names, values, strict=True))
    row._state = ModelState()
    row._state.adding, row._state.db = False, database
    return row


def lock(model: type[models.Model], keys: Iterable[Any], **held: Any) -> list[Any]:
    """Lock rows in the order of their keys, those whose stored columns are as `held` says; return the keys locked.

    One statement, inside the caller's transaction. What is missing is there no more, or was changed by another.
    """
    wanted = list(keys)
    if not wanted:
        return []
    if connection.vendor != "postgresql":
        rows = model._default_manager.select_for_update().filter(pk__in=wanted, **held).order_by("pk")
        return list(rows.values_list("pk", flat=True))
    sql, parameters = statements.locking(model, statements.key_of(model).texts_of(wanted), held)
    with prepared.cursor() as cursor:
        cursor.execute(sql, parameters)
        return [found for (found,) in cursor.fetchall()]


def place(model: type[models.Model], ids: Iterable[UUID]) -> str:
    """Return, quoted, the table that a statement of this moment about these rows names: see `places`. Not for no rows.

    Of rows whose ids were derived from these, too: they share their time. In a whole table name their time as well
    (`ids.time_bounds`), or every partition is asked.
    """
    return statements.quote(statements.place_of(model, [id.hex for id in ids]))


def insert(rows: Sequence[models.Model]) -> None:
    """Write new rows of one model, ids already set, inside the caller's transaction.

    COPY moves five times what INSERT does, and knows no ON CONFLICT: a key that exists raises IntegrityError.
    """
    if not rows:
        return
    if connection.vendor == "postgresql":
        _copy(rows)
    else:
        sqlite_rows.insert(rows)


def update(rows: Sequence[models.Model], fields: Sequence[str], *, only_where: Sequence[str] = ()) -> int:
    """Write `fields` of existing rows of one model in one statement; return how many rows were changed.

    `only_where` names fields whose stored value must still be what the instance holds, compared after the write's lock:
    a row that another process has taken meanwhile is left alone.
    """
    if not rows:
        return 0
    model = type(rows[0])
    if connection.vendor == "postgresql":
        return _write(model, rows, fields, only_where=only_where)[0]
    return sqlite_rows.update(rows, fields, only_where=only_where)


def update_held(rows: Sequence[Row], fields: Sequence[str], **held: Any) -> list[Row]:
    """Write `fields` of those rows whose stored columns still are as `held` says; return these rows.

    On PostgreSQL one statement, which takes the rows' locks in the order of their keys: on a connection that is
    `prepared` row by row while it writes, on others before it does.
    """
    if not rows:
        return []
    model = type(rows[0])
    if connection.vendor == "postgresql":
        count, numbers = _write(model, rows, fields, held=held)
        return list(rows) if count == len(rows) else [rows[number - 1] for number in sorted(numbers)]
    mine = model._default_manager.select_for_update().filter(pk__in=[row.pk for row in rows], **held)
    still = set(mine.values_list("pk", flat=True))
    kept = [row for row in rows if row.pk in still]
    update(kept, fields)
    return kept


def _copy(rows: Sequence[models.Model]) -> None:
    """Columns that are the same in all rows are written out once, last; those that are NULL in all are not named."""
    model = type(rows[0])
    columns = statements.all_columns(model)
    texts = texts_of_all(columns, rows)
    told = [
        (column, found)
        for column, found in zip(columns, texts, strict=True)
        if not (found == [None] and _null_anyway(column))
    ]
    told.sort(key=lambda each: len(each[1]), reverse=True)
    if len(told[0][1]) < len(rows):
        told[0] = told[0][0], told[0][1] * len(rows)
    varying = [column.for_copy(found) for column, found in told if len(found) == len(rows)]
    end = "".join("\t" + column.for_copy(found)[0] for column, found in told[len(varying) :]) + "\n"
    names = ", ".join(column.quoted for column, _ in told)
    place = statements.place_of(model, texts[columns.index(statements.key_of(model))])
    statement = f"COPY {statements.quote(place)} ({names}) FROM STDIN"
    with prepared.cursor() as cursor, connection.wrap_database_errors, cursor.copy(statement) as copying:
        copying.write(end.join(map("\t".join, zip(*varying, strict=True))) + end)
    for row in rows:
        row._state.adding = False


def _null_anyway(column: Column) -> bool:
    """Tell whether a column that is not named becomes NULL, or what the database numbers rows with."""
    return column.field.primary_key or not column.field.has_db_default()


def _write(
    model: type[models.Model],
    rows: Sequence[models.Model],
    names: Sequence[str],
    *,
    only_where: Sequence[str] = (),
    held: Mapping[str, Any] | None = None,
) -> tuple[int, list[int]]:
    """Write from arrays beside the keys what differs between rows, and once what does not.

    Returns how many rows were written and, where `held` is asked for and that is not all of them, their numbers from 1.
    """
    columns = statements.key_and(model, (*names, *only_where))
    texts = texts_of_all(columns, rows)
    varying = tuple(n for n, found in enumerate(texts) if n == 0 or (len(found) > 1 and len(set(found)) > 1))
    new, same = range(1, 1 + len(names)), range(1 + len(names), len(columns))
    held = held or {}
    first, locking = "", list[Any]()
    is_ready = prepared.is_ready()
    if held and not is_ready:
        mine, locking = statements.locking(model, texts[0], held)
        first, held = f"WITH mine AS MATERIALIZED ({mine}) ", {}
    form = statements.Form(statements.place_of(model, texts[0]), varying, bool(first), is_ready)
    with prepared.cursor() as cursor:
        cursor.execute(
            first + statements.updating(form, model, tuple(names), tuple(only_where), tuple(held)),
            [
                *locking,
                *(texts[n][0] for n in new if n not in varying),
                *(columns[n].array(texts[n]) for n in varying),
                *(texts[n][0] for n in same if n not in varying),
                *held.values(),
            ],
        )
        count = int(cursor.rowcount)
        is_told = (held or locking) and count < len(rows)
        return count, [number for (number,) in cursor.fetchall()] if is_told else []
