from datetime import UTC, datetime

import pytest
from django.db import DataError, connection
from django.db.backends.postgresql.base import TIMESTAMPTZ_OID
from psycopg.pq import Format

from project.foundation import prepared
from project.foundation.moments import MomentLoader

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def postgresql_only():
    if connection.vendor != "postgresql":
        pytest.skip("SQLite keeps texts, which Django reads")


def read(sql, **settings):
    with connection.cursor() as cursor:
        for name, value in settings.items():
            cursor.execute(f"SET LOCAL {name} = '{value}'")
        cursor.execute(f"SELECT {sql}::timestamptz")
        return cursor.fetchone()[0]


@pytest.mark.parametrize(
    ("written", "moment"),
    [
        ("2026-01-02 03:04:05.678901+00", datetime(2026, 1, 2, 3, 4, 5, 678901, UTC)),
        ("2026-01-02 03:04:05.6+00", datetime(2026, 1, 2, 3, 4, 5, 600000, UTC)),
        ("2026-01-02 03:04:05+00", datetime(2026, 1, 2, 3, 4, 5, 0, UTC)),
        ("2026-07-02 00:30:00+05:30", datetime(2026, 7, 1, 19, 0, 0, 0, UTC)),
        ("0001-01-01 00:00:00+00", datetime(1, 1, 1, tzinfo=UTC)),
        ("9999-12-31 23:59:59.999999+00", datetime(9999, 12, 31, 23, 59, 59, 999999, UTC)),
    ],
)
def test_a_moment_is_read_as_it_was_written_and_in_utc(written, moment):
    found = read(f"'{written}'")

    assert (found, found.tzinfo) == (moment, UTC)


@pytest.mark.parametrize("zone", ["Asia/Kolkata", "America/St_Johns"])
def test_the_zone_of_the_session_does_not_change_it(zone):
    assert read("'2026-01-02 03:04:05.5+00'", timezone=zone) == datetime(2026, 1, 2, 3, 4, 5, 500000, UTC)


@pytest.mark.parametrize("beyond", ["infinity", "-infinity", "10000-01-01 00:00:00+00", "0044-03-15 00:00:00+00 BC"])
def test_what_python_has_no_moment_for_is_refused_as_before(beyond):
    with pytest.raises((DataError, ValueError, OverflowError)):
        read(f"'{beyond}'")


def test_every_cursor_reads_so():
    with connection.cursor() as cursor, prepared.cursor() as other:
        for each in (cursor, other):
            assert each.adapters.get_loader(TIMESTAMPTZ_OID, Format.TEXT) is MomentLoader
