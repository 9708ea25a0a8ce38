"""Statements that PostgreSQL parses and plans once a connection: for processes that ask the same thousands of times.

What a queue asks is planned longer than it is executed: its tables are partitioned. A process that works through one
says so with `get_ready`; all others, SQLite, and connections behind a pooler that lends them by the transaction
(DISABLE_SERVER_SIDE_CURSORS) go on as Django does.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from weakref import WeakSet

import psycopg
from django.db import connection

_AFTER = 1  # executions
_ready: "WeakSet[psycopg.Connection[Any]]" = WeakSet()


def get_ready() -> None:
    """Let this thread's connection keep the plans of what goes through `cursor`. Nothing to do when it does already.

    Sequential scans are off for it: a plan that was made while a table was all but empty would go on reading it whole,
    and everything that such a process asks is served by an index.
    """
    if connection.vendor != "postgresql" or connection.settings_dict.get("DISABLE_SERVER_SIDE_CURSORS"):
        return
    connection.ensure_connection()
    raw = connection.connection
    if raw in _ready or connection.in_atomic_block:
        return
    with connection.cursor() as cursor:
        cursor.execute("SET enable_seqscan = off")
    raw.prepare_threshold = _AFTER
    _ready.add(raw)


@contextmanager
def cursor() -> Iterator[Any]:
    """Yield a cursor like Django's, of a connection that is ready one whose parameters travel beside the statement."""
    connection.ensure_connection()
    raw = connection.connection
    if raw in _ready:
        own: Any
        with psycopg.Cursor(raw) as own:
            yield connection.make_debug_cursor(own) if connection.queries_logged else connection.make_cursor(own)
    else:
        with connection.cursor() as plain:
            yield plain
