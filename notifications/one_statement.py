"""Acceptance in one prepared statement, for PostgreSQL: what `acceptance.accept` does in several, where nothing is odd.

The statement finds the user, checks that the type is still the one that was read, takes the locks, and writes what the
request is registered under and the notification: all or nothing, in one commit and one round trip.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

import psycopg
from django.db import DEFAULT_DB_ALIAS, IntegrityError, OperationalError, connection, connections, models

from notifications.models import CallerNotificationId, IdempotencyRecord, Notification
from preferences.models import User
from project.foundation import locks, prepared
from templates_app.models import Type

Values = dict[str, Any]

# The columns that an accepted request fills; all others keep their model's default.
_GIVEN = (
    *("id", "caller_id", "mode", "type_id", "caller_notification_id", "priority", "lane", "locale"),
    *("payload", "metadata", "channels_preferred", "occurred_at"),
)
_PREPARE_AFTER = 0  # executions


@dataclass(frozen=True)
class Registration:
    """What a repeat is known by: the values of a row by column, but for the time, and the name of its lock."""

    lock: tuple[object, ...]
    values: Values


def insert(
    values: Values,
    *,
    user_id: str,
    type_version: tuple[str, str],
    answer: Registration | None,
    own_id: Registration | None,
) -> bool:
    """Store a notification, its `values` by column, with an `answer` to give again and the caller's `own_id` for it.

    Returns False, with nothing stored, when the user, the type's version, a lock or a registration is not as a new
    request finds it: the long way then tells what is wrong. A connection that broke while it lay idle is replaced
    once; the notification's id is given, so that nothing is stored twice.
    """
    statement, parameters = _statement(answer is not None, own_id is not None)
    parameters = parameters | values | {"user_key": user_id, "type_at": type_version[0], "type_by": type_version[1]}
    for prefix, registration in (("a_", answer), ("o_", own_id)):
        if registration is not None:
            parameters |= {prefix + name: value for name, value in registration.values.items()}
            parameters[f"{prefix}lock"] = locks.number(*registration.lock)
    database: Any = connections[DEFAULT_DB_ALIAS]  # itself: each look through `connection` costs
    was_kept = database.connection is not None and not database.in_atomic_block
    try:
        return _execute(database, statement, parameters)
    except IntegrityError:
        if database.in_atomic_block:
            raise
        return False  # another request has just registered the same
    except OperationalError:
        if not was_kept:
            raise
    database.close()
    try:
        return _execute(database, statement, parameters)
    except IntegrityError:
        return answer is None and own_id is None  # stored by the first try, whose answer was lost


def _execute(database: Any, statement: bytes, parameters: Mapping[str, Any]) -> bool:
    database.ensure_connection()
    raw = database.connection
    assert isinstance(raw, psycopg.Connection)
    # Behind a pooler that gives each transaction another connection, a prepared statement may be nowhere.
    prepare = not database.settings_dict.get("DISABLE_SERVER_SIDE_CURSORS")
    if prepare and raw.prepare_threshold is None:
        raw.prepare_threshold = _PREPARE_AFTER
    with database.wrap_database_errors:
        if prepare:
            prepared.renew(raw)
    with database.wrap_database_errors, psycopg.Cursor(raw) as cursor:
        cursor.execute(statement, parameters, prepare=prepare)
        return cursor.rowcount == 1


@cache
def _statement(with_answer: bool, with_own_id: bool) -> tuple[bytes, Values]:
    """Return the statement and the parameters that are always the same."""
    locked, fresh, steps, sources = ["TRUE"], [""], [], ["target"]
    registrations: list[tuple[str, type[models.Model], str]] = []
    registrations += [("a_", IdempotencyRecord, "answered")] if with_answer else []
    registrations += [("o_", CallerNotificationId, "registered")] if with_own_id else []
    for number, (prefix, model, name) in enumerate(registrations):
        columns = {field.column: _placeholder(field, prefix) for field in _filled(model)}
        unique = model._meta.total_unique_constraints[0]
        keys = [_column(model, field) for field in unique.fields]
        same = " AND ".join(f"{_quoted(key)} = {columns[key]}" for key in keys)
        fresh.append(f" AND NOT EXISTS (SELECT FROM {_table(model)} WHERE {same})")
        locked.append(f"pg_try_advisory_xact_lock(%({prefix}lock)s::bigint)")
        columns["created_at"] = "statement_timestamp()"
        # Who commits between our snapshot and our lock makes us do nothing; after the first step, fail as a whole.
        tail = " RETURNING 1" if number else " ON CONFLICT DO NOTHING RETURNING 1"
        steps.append(f", {name} AS ({_insert(model, columns, sources)} WHERE free{tail})")
        sources.append(name)
    columns, constants = _of_notification()
    text = (
        f"WITH target AS MATERIALIZED (SELECT u.id, {' AND '.join(locked)} AS free FROM {_table(User)} u,"
        f" {_table(Type)} t WHERE u.user_id = %(user_key)s AND u.erased_at IS NULL AND t.id = %(type_id)s::bigint"
        f" AND t.ctid = %(type_at)s::tid AND t.xmin = %(type_by)s::xid{''.join(fresh)})"
        f"{''.join(steps)} {_insert(Notification, columns, sources)} WHERE free"
    )
    return text.encode(), constants


def _of_notification() -> tuple[dict[str, str], Values]:
    """Return each column's expression, and the defaults among them by parameter."""
    columns, constants = {"user_id": "target.id", "due_at": "statement_timestamp()"}, {}
    for field in Notification._meta.concrete_fields:
        if field.column in _GIVEN:
            columns[field.column] = _placeholder(field, "")
        elif field.column and field.column not in columns and (default := field.get_default()) is not None:
            columns[field.column] = _placeholder(field, "default_")
            constants[f"default_{field.column}"] = field.get_db_prep_save(default, connection)
    return columns, constants


def _insert(model: type[models.Model], columns: Mapping[str, str], sources: list[str]) -> str:
    names = ", ".join(map(_quoted, columns))
    return f"INSERT INTO {_table(model)} ({names}) SELECT {', '.join(columns.values())} FROM {', '.join(sources)}"


def _placeholder(field: Any, prefix: str) -> str:
    kind = field.db_type(connection)
    return f"%({prefix}{field.column})b" if kind == "bytea" else f"%({prefix}{field.column})s::{kind}"


def _filled(model: type[models.Model]) -> list[Any]:
    return [field for field in model._meta.concrete_fields if not field.primary_key and field.column != "created_at"]


def _column(model: type[models.Model], name: str) -> str:
    column: str = model._meta.get_field(name).column  # type: ignore[union-attr, assignment]
    return column


def _table(model: type[models.Model]) -> str:
    return _quoted(model._meta.db_table)


def _quoted(name: str) -> str:
    return connection.ops.quote_name(name)
