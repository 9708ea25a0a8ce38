"""People with their choices, silences and addresses in one statement of PostgreSQL: what the pipeline reads most."""

from collections.abc import Iterable
from datetime import datetime
from functools import cache
from typing import Any, NamedTuple
from uuid import UUID

from django.db import connection

from preferences.decisions import Muted
from preferences.models import Category, ContactPoint, Mute, Preference, Suppression, User
from project.foundation import json_text, prepared
from project.foundation.columns import Read, reader


class Stored(NamedTuple):
    """One person as stored."""

    fields: list[Any]  # of the user, as they were asked for
    points: list[tuple[Any, ...]]  # (id, channel, address, secret, verified, disabled, disabled_reason), oldest first
    choices: dict[tuple[str, str], bool]
    mutes: list[Muted]


def rows(user_pks: Iterable[int], names: tuple[str, ...]) -> list[tuple[Any, ...]]:
    """Return what is stored of the people behind these keys, sealed and unread, for `stored`. One statement.

    Rows that are equal say the same of a person.
    """
    sql, _ = _statement(names)
    with prepared.cursor() as cursor:
        cursor.execute(sql, ["{" + ",".join(map(str, user_pks)) + "}"])
        found: list[tuple[Any, ...]] = cursor.fetchall()
        return found


def stored(row: tuple[Any, ...], names: tuple[str, ...]) -> Stored:
    """Return one of `rows` read, its fields as they are named."""
    *fields, points, choices, mutes = row
    for n, read in _statement(names)[1]:
        fields[n] = read(fields[n])
    return Stored(
        fields,
        [_point(*point) for point in _list(points)],
        {(category, channel): enabled for category, channel, enabled in _list(choices)},
        [
            Muted(category, type_key, until and datetime.fromisoformat(until))
            for category, type_key, until in _list(mutes)
        ],
    )


@cache
def _statement(names: tuple[str, ...]) -> tuple[str, list[tuple[int, Read]]]:
    """Aggregated by person in subqueries: a join of several lists would multiply them.

    Suppressions by a look-up each, too: a plan that was made while there were none might read all of them.
    """
    fields: list[Any] = [User._meta.get_field(name) for name in names]
    columns = ", ".join(f"u.{connection.ops.quote_name(field.column)}" for field in fields)
    users, points, choices, mutes, categories, suppressions = (
        model._meta.db_table for model in (User, ContactPoint, Preference, Mute, Category, Suppression)
    )
    sql = f"""
        SELECT {columns},
               (SELECT json_agg(json_build_array(p.id, p.channel, p.address, p.secret, p.confirmed_at IS NOT NULL,
                                                 p.disabled_at IS NOT NULL, p.disabled_reason,
                                                 COALESCE((SELECT s.reason FROM {suppressions} s
                                                            WHERE s.channel = p.channel
                                                              AND s.address_index = p.address_index), ''))
                                ORDER BY p.id)::text
                  FROM {points} p WHERE p.user_id = u.id),
               (SELECT json_agg(json_build_array(COALESCE(c.key, ''), p.channel, p.enabled))::text
                  FROM {choices} p LEFT JOIN {categories} c ON c.id = p.category_id WHERE p.user_id = u.id),
               (SELECT json_agg(json_build_array(COALESCE(c.key, ''), m.type_key, m.until) ORDER BY m.id)::text
                  FROM {mutes} m LEFT JOIN {categories} c ON c.id = m.category_id WHERE m.user_id = u.id)
          FROM {users} u WHERE u.id = ANY(%s::bigint[])
        """
    found = [(n, read) for n, field in enumerate(fields) if (read := reader(field)) is not None]
    return sql, found


def _list(text: str | None) -> Any:
    return json_text.read(text) if text else ()


def _point(id: str, channel: str, address: str, secret: str, *rest: Any) -> tuple[Any, ...]:
    signing = _unsealed("secret", secret) if channel == "webhook" else ""  # no other channel has one
    return UUID(id), channel, _unsealed("address", address), signing, *rest


def _unsealed(name: str, text: str) -> str:
    """Open a sealed column that came inside JSON, where bytea is `\\x…`."""
    field: Any = ContactPoint._meta.get_field(name)
    opened: str = field.from_db_value(bytes.fromhex(text[2:]), None, connection)
    return opened
