"""Many rows in one statement: COPY and UPDATE … FROM (VALUES …) on PostgreSQL, Django's own bulk calls elsewhere."""

from collections.abc import Iterable, Sequence
from typing import Any

from django.db import connection, models


def insert(rows: Sequence[models.Model]) -> None:
    """Write new rows of one model, ids already set, inside the caller's transaction.

    COPY moves five times what INSERT does, and knows no ON CONFLICT: a key that exists raises IntegrityError.
    """
    if not rows:
        return
    if connection.vendor == "postgresql":
        _copy(rows)
    else:
        type(rows[0])._default_manager.bulk_create(rows)


def update(rows: Sequence[models.Model], fields: Sequence[str], *, only_where: Sequence[str] = ()) -> int:
    """Write `fields` of existing rows of one model in one statement; return how many rows were changed.

    `only_where` names fields whose stored value must still be what the instance holds, compared after the write's lock:
    a row that another process has taken meanwhile is left alone.
    """
    if not rows:
        return 0
    model = type(rows[0])
    if connection.vendor == "postgresql":
        return _update_from_values(model, rows, fields, only_where)
    changed = 0
    # The columns of foreign keys, not the rows they point to, which would be fetched one by one.
    new, held = _columns(model, fields), _columns(model, only_where)
    for row in rows:
        same = model._default_manager.filter(pk=row.pk, **{name: getattr(row, name) for name in held})
        changed += same.update(**{name: getattr(row, name) for name in new})
    return changed


def _columns(model: type[models.Model], names: Iterable[str]) -> list[str]:
    found: list[Any] = [model._meta.get_field(name) for name in names]
    return [field.attname for field in found]


def _copy(rows: Sequence[models.Model]) -> None:
    model = type(rows[0])
    fields = [field for field in model._meta.concrete_fields if not field.generated]
    columns = ", ".join(_quote(field.column) for field in fields)
    with connection.cursor() as cursor:
        with cursor.copy(f"COPY {_quote(model._meta.db_table)} ({columns}) FROM STDIN") as copy:
            for row in rows:
                copy.write_row(_values(row, fields))
        for row in rows:
            row._state.adding = False


def _update_from_values(
    model: type[models.Model], rows: Sequence[models.Model], names: Sequence[str], only_where: Sequence[str]
) -> int:
    key = model._meta.pk
    assert key is not None
    new = [model._meta.get_field(name) for name in names]
    held = [model._meta.get_field(name) for name in only_where]
    fields: list[Any] = [key, *new, *held]
    # unnest keeps the statement's text the same for any number of rows, so that it is planned once.
    arrays = ", ".join(f"%s::{field.db_type(connection)}[]" for field in fields)
    names_in = ", ".join(f"k{n}" for n in range(len(fields)))
    sets = ", ".join(f"{_quote(field.column)} = v.k{n}" for n, field in enumerate(fields[1 : 1 + len(new)], 1))
    same = "".join(
        f" AND t.{_quote(field.column)} IS NOT DISTINCT FROM v.k{n}"
        for n, field in enumerate(fields[1 + len(new) :], 1 + len(new))
    )
    columns = list(zip(*(_values(row, fields) for row in rows), strict=True))
    with connection.cursor() as cursor:
        cursor.execute(
            f"UPDATE {_quote(model._meta.db_table)} t SET {sets} FROM unnest({arrays}) AS v({names_in})"
            f" WHERE t.{_quote(key.column)} = v.k0{same}",
            [list(column) for column in columns],
        )
        return int(cursor.rowcount)


def _values(row: models.Model, fields: Iterable[Any]) -> list[Any]:
    return [_plain(field.get_db_prep_save(field.pre_save(row, row._state.adding), connection)) for field in fields]


def _plain(value: Any) -> Any:
    return bytes(value) if isinstance(value, memoryview) else value


def _quote(name: str | None) -> str:
    assert name is not None, "A concrete field has a column."
    return connection.ops.quote_name(name)
