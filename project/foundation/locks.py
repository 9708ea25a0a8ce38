"""Locks between processes that end with the transaction."""

import hashlib

from django.db import connection


def try_lock(*parts: object) -> bool:
    """Take the lock named by `parts` until the transaction ends; False when another transaction holds it.

    SQLite has one writer at a time, so there is nothing to wait for: always True.
    """
    if connection.vendor != "postgresql":
        return True
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_xact_lock(%s)", [number(*parts)])
        return bool(cursor.fetchone()[0])


def number(*parts: object) -> int:
    """Return the number by which PostgreSQL knows the lock that is named by `parts`."""
    digest = hashlib.sha256("\x1f".join(map(str, parts)).encode()).digest()
    return int.from_bytes(digest[:8], "big", signed=True)
