"""Indexes made on tables in use, whatever an earlier try has left."""

import pytest
from django.db import connection, models
from django.db.migrations.loader import MigrationLoader

from project.foundation.indexes import AddIndexOnline

PARTITION = "notifications_event_default_probe"


@pytest.fixture
def probe():
    """An index of each kind of table: one of its own, and one of a table in partitions."""
    tables = {"event": "notifications_event", "receiptcall": "notifications_receiptcall"}
    added = [AddIndexOnline(name, models.Index(fields=["id"], name=_name(name))) for name in tables]
    yield added
    with connection.cursor() as cursor:
        for name in tables:
            cursor.execute(f"DROP INDEX IF EXISTS {_name(name)}")


def _name(model):
    return "probe" if model == "event" else "probe_of_calls"


@pytest.mark.django_db(transaction=True)
def test_an_index_that_was_broken_off_is_made_anew(probe):
    if connection.vendor != "postgresql":
        pytest.skip("only PostgreSQL makes indexes beside its writers")
    _break_off("probe_of_calls", "notifications_receiptcall")
    _break_off(PARTITION, "notifications_event_default")

    _migrate(probe)

    assert _valid("probe%") == {"probe": True, "probe_of_calls": True}
    parts = _valid("notifications_event%probe")
    assert parts[PARTITION] and set(parts.values()) == {True}


def _break_off(name, table):
    with connection.cursor() as cursor:
        cursor.execute(f"CREATE INDEX {name} ON {table} (id)")
        cursor.execute("UPDATE pg_index SET indisvalid = false WHERE indexrelid = to_regclass(%s)", [name])


def _migrate(operations):
    state = MigrationLoader(connection).project_state()
    for operation in operations:
        after = state.clone()
        operation.state_forwards("notifications", after)
        with connection.schema_editor(atomic=False) as editor:
            operation.database_forwards("notifications", editor, state, after)


def _valid(names):
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT c.relname, i.indisvalid FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid"
            " WHERE c.relname LIKE %s",
            [names],
        )
        return dict(cursor.fetchall())
