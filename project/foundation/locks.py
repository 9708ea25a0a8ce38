"""Locks between processes that end with the transaction."""

import hashlib

from django.db import connection


def try_lock(*parts: object) -> bool:
    """Take the lock named by `parts` until the transaction ends; False when another transaction holds it.

    SQLite has one writer at a time, so there is nothing to wait for: always True.
    """
    if connection.vendor != "postgresql":
        return True
    digest = hashlib.sha256("\x1f".join(map(str, parts)).encode()).digest()
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_xact_lock(%s)", [int.from_bytes(digest[:8], "big", signed=True)])
        return bool(cursor.fetchone()[0])
