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

    made = partitions.make_ahead("notifications_event", today=today)

    assert made == [f"notifications_event_{month}" for month in ("2031_11", "2031_12", "2032_01", "2032_02")]
    assert partitions.make_ahead("notifications_event", today=today) == []
    assert partitions.months_left("notifications_event", today=today) == 3


def test_a_row_lies_in_the_partition_of_its_id_and_in_the_default_one_otherwise():
    needs_postgresql()
    partitions.make_ahead("notifications_event", today=datetime(2031, 11, 15, tzinfo=UTC))
    event_at(datetime(2031, 12, 31, 23, 59, tzinfo=UTC))
    event_at(datetime(2040, 1, 1, tzinfo=UTC))

    assert places() == ["notifications_event_2031_12", "notifications_event_default"]


def test_rows_that_came_before_their_partition_are_moved_into_it():
    needs_postgresql()
    for _ in range(3):
        event_at(datetime(2031, 11, 3, tzinfo=UTC))
    event_at(datetime(2040, 1, 1, tzinfo=UTC))

    partitions.make_ahead("notifications_event", today=datetime(2031, 11, 15, tzinfo=UTC))

    assert places() == ["notifications_event_2031_11"] * 3 + ["notifications_event_default"]


def test_a_fresh_database_has_its_partitions_from_the_migration():
    needs_postgresql()

    for table in HISTORY_TABLES:
        assert partitions.months_left(table, today=datetime.now(tz=UTC)) >= 2


def event_at(moment):
    id = ids.derived_id(ids.first_id_at(moment), ids.new_id())
    Event.objects.create(id=id, notification_id=ids.new_id(), kind="test", at=moment)


def places():
    with connection.cursor() as cursor:
        cursor.execute("SELECT tableoid::regclass::text FROM notifications_event ORDER BY id")
        return [name for (name,) in cursor.fetchall()]


def test_without_partitions_nothing_is_missing():
    if connection.vendor == "postgresql":
        pytest.skip("SQLite has plain tables")

    assert partitions.make_ahead("notifications_event", today=datetime(2031, 1, 1, tzinfo=UTC)) == []
    assert partitions.months_left("notifications_event", today=datetime(2031, 1, 1, tzinfo=UTC)) == 3


def test_every_partition_of_the_queue_leaves_room_for_updates():
    needs_postgresql()
    partitions.make_ahead("notifications_delivery", today=datetime(2031, 11, 15, tzinfo=UTC))

    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT DISTINCT c.reloptions FROM pg_class c JOIN pg_inherits i ON i.inhrelid = c.oid"
            " WHERE i.inhparent = 'notifications_delivery'::regclass"
        )
        assert cursor.fetchall() == [(["fillfactor=50"],)]
