"""Statements that PostgreSQL parses and plans once a connection: for processes that ask the same thousands of times.

What a queue asks is planned longer than it is executed: its tables are partitioned. A process that works through one
says so with `get_ready`; all others, SQLite, and connections behind a pooler that lends them by the transaction
(DISABLE_SERVER_SIDE_CURSORS) go on as Django does.
"""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from weakref import WeakKeyDictionary, WeakSet

import psycopg
from django.db import DEFAULT_DB_ALIAS, connection, connections
from psycopg.pq import Format

from project.foundation import places

_AFTER = 1  # executions
_PLANS_LAST_SECONDS = 1.0
_ready: "WeakSet[psycopg.Connection[Any]]" = WeakSet()
_planned: "WeakKeyDictionary[psycopg.Connection[Any], float]" = WeakKeyDictionary()  # when
_unused: "WeakKeyDictionary[Any, psycopg.Cursor[Any]]" = WeakKeyDictionary()  # by Django's connection


def get_ready() -> None:
    """Let this thread's connection keep the plans of what goes through `cursor`, for a second each. Call it often.

    Sequential scans are off for it, as all that such a process asks is served by an index, and nothing is compiled for
    costs that are only feigned by that.
    """
    if connection.vendor != "postgresql" or connection.settings_dict.get("DISABLE_SERVER_SIDE_CURSORS"):
        return
    connection.ensure_connection()
    raw = connection.connection
    if connection.in_atomic_block:
        return
    if raw not in _ready:
        with connection.cursor() as cursor:
            cursor.execute("SET enable_seqscan = off; SET jit = off")
        raw.prepare_threshold = _AFTER
        _ready.add(raw)
    with connection.wrap_database_errors:
        places.learn(raw)
        renew(raw)


def is_ready() -> bool:
    """Tell whether this thread's connection keeps plans, which then are made without sequential scans."""
    return connections[DEFAULT_DB_ALIAS].connection in _ready


def renew(raw: "psycopg.Connection[Any]") -> None:
    """Have a connection's kept plans made anew when they are a second old.

    A plan fits the tables as they were when it was made. While they fill, what was right for a hundred rows reads a
    hundred thousand, and goes on doing so until PostgreSQL's own statistics tell it.
    """
    now = time.monotonic()
    if raw in _planned and now >= _planned[raw] + _PLANS_LAST_SECONDS:
        raw.execute("DISCARD PLANS")
    elif raw in _planned:
        return
    _planned[raw] = now


@contextmanager
def cursor() -> Iterator[Any]:
    """Yield a cursor like Django's, of a connection that is ready one whose parameters travel beside the statement.

    It is lent: what it found is gone with the next one that is asked for.
    """
    own = connections[DEFAULT_DB_ALIAS]  # `connection` looks for it at each word
    if own.connection is None:
        own.ensure_connection()
    raw: Any = own.connection
    if raw in _ready:
        kept: Any = _unused.pop(own, None)
        if kept is None or kept.connection is not raw:
            kept = psycopg.Cursor(raw)
        kept.format = Format.TEXT  # whoever had it last may have asked for another
        yield own.make_debug_cursor(kept) if own.queries_logged else own.make_cursor(kept)
        _unused[own] = kept  # unless something went wrong
    else:
        with own.cursor() as plain:
            yield plain
