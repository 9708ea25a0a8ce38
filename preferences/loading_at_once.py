"""People with their choices, silences and addresses in one statement of PostgreSQL: what the pipeline reads most."""

from collections.abc import Callable, Iterable
from functools import cache
from operator import itemgetter
from typing import Any

from django.db import connection
from psycopg import ClientCursor
from psycopg.pq import Format

from preferences.decisions import ContactPointFacts, Muted, Person
from preferences.models import Category, ContactPoint, Mute, Preference, Suppression, User
from project.foundation import ids, json_text, prepared

# One line of what is stored of a person: their key, the kind of line, and what `statement` has such lines say.
Row = tuple[Any, ...]

_USER, _POINT, _CHOICE, _MUTE = range(4)
_order = itemgetter(1, 2, 3)


def rows(user_pks: Iterable[int]) -> dict[int, list[Row]]:
    """Return what is stored of the people behind these keys, by key, sealed and unread, for `reader`. One statement.

    Each begins with the person's own line; then come their addresses and silences, oldest first.
    Rows that are equal say the same of a person.
    """
    found: dict[int, list[Row]] = {}
    with prepared.cursor() as cursor:
        if not isinstance(cursor.cursor, ClientCursor):
            cursor.cursor.format = Format.BINARY  # what is sealed comes as it is, and not as hexadecimal digits
        cursor.execute(statement(), {"keys": "{" + ",".join(map(str, user_pks)) + "}"})
        for row in cursor.fetchall():
            found.setdefault(row[0], []).append(row)
    for own in found.values():
        if len(own) > 2 or own[0][1] != _USER:  # by far the most have one address, and have chosen nothing
            own.sort(key=_order)
    return found


def reader() -> Callable[[list[Row]], Person]:
    """Return what makes people of their rows, for as long as one look at them takes."""
    name, attributes = _opener(User, "name"), _opener(User, "attributes")
    address, secret = _opener(ContactPoint, "address"), _opener(ContactPoint, "secret")

    def read_point(row: Row) -> ContactPointFacts:
        _, _, id, _, channel, disabled_reason, suppressed, sealed, signing, verified, disabled, _, _ = row
        return ContactPointFacts(
            ids.of_int(int.from_bytes(id, "big")),
            channel,
            address(sealed),
            not (disabled or suppressed),
            suppressed or "",
            disabled_reason if disabled else "",
            verified,
            secret(signing) if signing else "",
        )

    def read(rows: list[Row]) -> Person:
        pk, _, _, generation, user_id, locale, timezone, sealed, more, erased, _, _, wishes = rows[0]
        points, choices, mutes = [], {}, []
        for row in rows[1:]:
            if row[1] == _POINT:
                points.append(read_point(row))
            elif row[1] == _CHOICE:
                choices[row[5] or "", row[4]] = row[9]
            else:
                mutes.append(Muted(row[5] or "", row[4], row[11]))
        quiet_hours, caps, priority, digests, digest_at = json_text.read(wishes) if wishes else ({}, (), (), {}, "")
        return Person(
            pk,
            user_id,
            name(sealed),
            locale,
            timezone,
            attributes(more) or {},
            erased,
            choices,
            tuple(mutes),
            tuple(points),
            quiet_hours,
            tuple(caps),
            tuple(priority),
            digests,
            digest_at,
            generation,
            rows,
        )

    return read


def _opener(model: Any, name: str) -> Callable[[bytes], Any]:
    opener: Callable[[bytes], Any] = model._meta.get_field(name).opener()
    return opener


@cache
def statement() -> str:
    """Lines of all kinds below each other: lists of a person in subqueries cost PostgreSQL twice as much.

    Look-ups in subqueries and no joins: a plan that was made while a table was empty might read all of it.
    """
    users, points, choices, mutes, categories, suppressions = (
        connection.ops.quote_name(model._meta.db_table)
        for model in (User, ContactPoint, Preference, Mute, Category, Suppression)
    )
    return f"""
        SELECT u.id, {_USER}, NULL::bytea, u.link_generation::bigint, u.user_id, u.locale, u.timezone, u.name,
               u.attributes, u.erased_at IS NOT NULL, NULL::boolean, NULL::timestamptz,
               CASE WHEN u.quiet_hours <> '{{}}' OR u.frequency_caps <> '[]' OR u.channel_priority <> '[]'
                      OR u.digests <> '{{}}' OR u.digest_at <> ''
                    THEN json_build_array(u.quiet_hours, u.frequency_caps, u.channel_priority,
                                          u.digests, u.digest_at)::text END
          FROM {users} u WHERE u.id = ANY(%(keys)s::bigint[])
        UNION ALL
        SELECT p.user_id, {_POINT}, uuid_send(p.id), 0, p.channel, p.disabled_reason,
               (SELECT s.reason FROM {suppressions} s
                 WHERE s.channel = p.channel AND s.address_index = p.address_index),
               p.address, CASE WHEN p.channel = 'webhook' THEN p.secret END, -- no other channel has one
               p.confirmed_at IS NOT NULL, p.disabled_at IS NOT NULL, NULL, NULL
          FROM {points} p WHERE p.user_id = ANY(%(keys)s::bigint[])
        UNION ALL
        SELECT p.user_id, {_CHOICE}, NULL, 0, p.channel,
               (SELECT c.key FROM {categories} c WHERE c.id = p.category_id),
               NULL, NULL, NULL, p.enabled, NULL, NULL, NULL
          FROM {choices} p WHERE p.user_id = ANY(%(keys)s::bigint[])
        UNION ALL
        SELECT m.user_id, {_MUTE}, NULL, m.id, m.type_key,
               (SELECT c.key FROM {categories} c WHERE c.id = m.category_id),
               NULL, NULL, NULL, NULL, NULL, m.until, NULL
          FROM {mutes} m WHERE m.user_id = ANY(%(keys)s::bigint[])
        """
