"""Reading a great deal as it stood at one moment, without keeping anybody from writing."""

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import connection, transaction

# A reader who asks for nothing more for so long is cut off: meanwhile PostgreSQL can clear away no dead row.
STALL_SECONDS = 60


@contextmanager
def snapshot() -> Iterator[None]:
    """Let every query inside see the same moment: in a transaction of the caller's, what that one sees.

    Nothing can be written. Read queries with `iterator()`, or all their rows are held at once.
    """
    if connection.in_atomic_block:
        yield
    elif connection.vendor == "postgresql":
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
            cursor.execute(f"SET LOCAL idle_in_transaction_session_timeout = '{STALL_SECONDS}s'")
            yield
    else:
        with _reading_in_sqlite():
            yield


@contextmanager
def _reading_in_sqlite() -> Iterator[None]:
    """Hold a read transaction: Django's own are IMMEDIATE and would keep every writer out."""
    with connection.cursor() as cursor:
        cursor.execute("BEGIN DEFERRED")
        try:
            yield
        finally:
            cursor.execute("COMMIT")
