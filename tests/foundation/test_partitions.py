from datetime import UTC, datetime

import pytest
from django.db import connection

from notifications.housekeeping import HISTORY_TABLES
from notifications.models import Event
from project.foundation import ids, partitions

pytestmark = pytest.mark.django_db


def needs_postgresql():
    if connection.vendor != "postgresql":
        pytest.skip("only PostgreSQL has partitions")


def test_partitions_are_made_three_months_ahead_once():
    needs_postgresql()
    today = datetime(2031, 11, 15, tzinfo=UTC)

    made = partitions.make_ahead(HISTORY_TABLES, today=today)

    assert len(made) == 4 * len(HISTORY_TABLES)
    assert "notifications_event_2032_02" in made
    assert partitions.make_ahead(HISTORY_TABLES, today=today) == []
    assert partitions.months_left("notifications_event", today=today) == 3


def test_a_row_lies_in_the_partition_of_its_id_and_in_the_default_one_otherwise():
    needs_postgresql()
    partitions.make_ahead(["notifications_event"], today=datetime(2031, 11, 15, tzinfo=UTC))
    for moment in (datetime(2031, 12, 31, 23, 59, tzinfo=UTC), datetime(2040, 1, 1, tzinfo=UTC)):
        Event.objects.create(id=ids.first_id_at(moment), notification_id=ids.new_id(), kind="test", at=moment)

    with connection.cursor() as cursor:
        cursor.execute("SELECT tableoid::regclass::text FROM notifications_event ORDER BY id")
        assert [name for (name,) in cursor.fetchall()] == ["notifications_event_2031_12", "notifications_event_default"]


def test_without_partitions_nothing_is_missing():
    if connection.vendor == "postgresql":
        pytest.skip("SQLite has plain tables")

    assert partitions.make_ahead(HISTORY_TABLES, today=datetime(2031, 1, 1, tzinfo=UTC)) == []
    assert partitions.months_left("notifications_event", today=datetime(2031, 1, 1, tzinfo=UTC)) == 3
