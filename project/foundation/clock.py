"""One clock for decisions: the database's, so that machines that disagree about the time still agree on what is due."""

from datetime import UTC, datetime

from django.db import connection


def now() -> datetime:
    """Return the database's time (PostgreSQL: one round trip; SQLite: this machine's, which is the same)."""
    if connection.vendor != "postgresql":
        return datetime.now(tz=UTC)
    with connection.cursor() as cursor:
        cursor.execute("SELECT clock_timestamp()")
        moment: datetime = cursor.fetchone()[0]
        return moment.astimezone(UTC)
