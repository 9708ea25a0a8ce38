"""Statements that PostgreSQL parses and plans once a connection: for processes that ask the same thousands of times.

What a queue asks is planned longer than it is executed: its tables are partitioned. A process that works through one
says so with `get_ready`; all others, SQLite, and connections behind a pooler that lends them by the transaction
(DISABLE_SERVER_SIDE_CURSORS) go on as Django does.
"""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from weakref import WeakKeyDictionary

import psycopg
from django.db import connection

_AFTER = 1  # executions
_PLANS_LAST_SECONDS = 1.0
_ready: "WeakKeyDictionary[psycopg.Connection[Any], float]" = WeakKeyDictionary()  # and when its plans were made


def get_ready() -> None:
    """Let this thread's connection keep the plans of what goes through `cursor`, for a second each. Call it often.

    A plan fits the tables as they were when it was made. While they fill, what was right for a hundred rows reads a
    hundred thousand: so plans are made anew again and again, sequential scans are off, as all that such a process asks
    is served by an index, and nothing is compiled for costs that are only feigned by that.
    """
    if connection.vendor != "postgresql" or connection.settings_dict.get("DISABLE_SERVER_SIDE_CURSORS"):
        return
    connection.ensure_connection()
    raw = connection.connection
    made = _ready.get(raw)
    if connection.in_atomic_block or (made is not None and time.monotonic() < made + _PLANS_LAST_SECONDS):
        return
    with connection.cursor() as cursor:
        cursor.execute("DISCARD PLANS" if made is not None else "SET enable_seqscan = off; SET jit = off")
    raw.prepare_threshold = _AFTER
    _ready[raw] = time.monotonic()


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
