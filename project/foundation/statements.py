"""What `bulk` says to PostgreSQL: one text for each form of an update, so that it is written and planned once."""

from collections.abc import Mapping, Sequence
from functools import cache, lru_cache
from typing import Any, NamedTuple

from django.db import connection, models

from project.foundation import places
from project.foundation.columns import Column


class Form(NamedTuple):
    """What an update of arrays looks like: `varying` are the numbers of those columns that are arrays."""

    table: str
    varying: tuple[int, ...]
    is_locked: bool  # by a query before it, called "mine"
    is_in_order: bool


@lru_cache(maxsize=512)
def updating(
    form: Form, model: type[models.Model], names: tuple[str, ...], only_where: tuple[str, ...], held: tuple[str, ...]
) -> str:
    """Return an UPDATE. In order: it takes the rows' locks in the order of their keys, as it comes by.

    That is so where sequential scans are off. There is but one way to join by ANY then: key by key, as they are sorted.
    """
    columns = key_and(model, (*names, *only_where))
    key, values = columns[0].quoted, _values(columns, form.varying)
    sets = ", ".join(f"{columns[n].quoted} = {values[n]}" for n in range(1, 1 + len(names)))
    arrays = ", ".join(f"%s::{columns[n].type}[]" for n in form.varying)
    named = ", ".join(f"k{n}" for n in form.varying)
    given = f"unnest({arrays}) WITH ORDINALITY AS v({named}, number)"
    # By the key alone: a plan that is kept might read what lies between the keys, and that may be a whole broadcast.
    where = f"t.{key} = v.k0"
    if form.is_in_order:
        given = f"(SELECT * FROM {given} ORDER BY k0 OFFSET 0) AS v"
        where = f"t.{key} = ANY(ARRAY[v.k0])"
    for n in range(1 + len(names), len(columns)):
        where += f" AND t.{columns[n].quoted} IS NOT DISTINCT FROM {values[n]}"
    where += "".join(f" AND t.{column(model, name).quoted} = %s" for name in held)
    if form.is_locked:
        where += f" AND t.{key} IN (SELECT {key} FROM mine)"
    told = " RETURNING v.number" if held or form.is_locked else ""
    return f"UPDATE {quote(form.table)} t SET {sets} FROM {given} WHERE {where}{told}"


def _values(columns: Sequence[Column], varying: Sequence[int]) -> list[str]:
    return [f"v.k{n}" if n in varying else f"%s::{column.type}" for n, column in enumerate(columns)]


def locking(model: type[models.Model], texts: Sequence[str | None], held: Mapping[str, Any]) -> tuple[str, list[Any]]:
    """Return a query that locks rows in the order of their keys, and its parameters."""
    key, table, bounds = key_of(model), place_of(model, texts), list[str]()
    where = f"t.{key.quoted} = ANY(%s::{key.type}[])"
    if key.type == "uuid" and table == model._meta.db_table:
        # So that partitions between which no key lies are not even planned for.
        where, bounds = f"{where} AND t.{key.quoted} BETWEEN %s::uuid AND %s::uuid", _bounds(texts)
    where += "".join(f" AND t.{column(model, name).quoted} = %s" for name in held)
    return (
        f"SELECT t.{key.quoted} FROM {quote(table)} t WHERE {where} ORDER BY t.{key.quoted} FOR UPDATE",
        [key.array(texts), *bounds, *held.values()],
    )


def place_of(model: type[models.Model], keys: Sequence[str | None]) -> str:
    """Return what statements about these rows name: their partition, where they are known to lie in one."""
    table = model._meta.db_table
    return places.of(table, *_bounds(keys)) if key_of(model).type == "uuid" else table


def _bounds(keys: Sequence[str | None]) -> list[str]:
    try:
        return [min(keys), max(keys)]  # type: ignore[type-var, list-item]
    except TypeError:  # None is among them
        return _bounds([key for key in keys if key is not None])


@cache
def key_of(model: type[models.Model]) -> Column:
    assert model._meta.pk is not None
    return column(model, model._meta.pk.name)


@lru_cache(maxsize=512)
def key_and(model: type[models.Model], names: tuple[str, ...]) -> list[Column]:
    return [key_of(model), *(column(model, name) for name in names)]


@cache
def column(model: type[models.Model], name: str) -> Column:
    return Column(model._meta.get_field(name))


@cache
def all_columns(model: type[models.Model]) -> list[Column]:
    return [column(model, field.name) for field in model._meta.concrete_fields if not field.generated]


def quote(name: str) -> str:
    return connection.ops.quote_name(name)
