"""Writing rows that are still held, beside others who write and lock the same ones, and wherever the rows lie."""

import random
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime

import psycopg
import pytest
from django.db import connection, transaction

from notifications.models import Event
from project.foundation import bulk, ids, partitions, places, prepared

pytestmark = pytest.mark.django_db(transaction=True)

NOW, FAR = datetime.now(tz=UTC), datetime(2091, 1, 1, tzinfo=UTC)
NEXT = partitions.next_month(datetime(NOW.year, NOW.month, 1, tzinfo=UTC))
TABLE = "notifications_event"


@pytest.fixture(params=["ready", "not ready"])
def readiness(request):
    """Both kinds of connections; on SQLite there is but one."""
    connection.close()
    if request.param == "ready":
        prepared.get_ready()
    yield request.param
    connection.close()


@pytest.fixture
def ready():
    if connection.vendor != "postgresql":
        pytest.skip("SQLite has one writer and plain tables")
    connection.close()
    prepared.get_ready()
    yield
    connection.close()


def events(count, moment=NOW, kind="mine"):
    rows = [
        Event(id=ids.derived_id(ids.first_id_at(moment), kind, n), notification_id=ids.new_id(), kind=kind, at=NOW)
        for n in range(count)
    ]
    with transaction.atomic():
        bulk.insert(rows)
    return rows


def details():
    return sorted(Event.objects.values_list("kind", "detail"))


@pytest.mark.usefixtures("readiness")
def test_rows_are_written_in_whichever_partitions_they_lie():
    rows = [*events(2), *events(1, NEXT), *events(1, FAR)]
    for n, row in enumerate(rows):
        row.detail = f"new {n}"

    with transaction.atomic():
        written = bulk.update_held(rows, ["detail"], kind="mine")

    assert written == rows
    assert details() == [("mine", f"new {n}") for n in range(4)]


@pytest.mark.usefixtures("readiness")
@pytest.mark.parametrize("count", [1, 3])
def test_what_is_no_longer_held_is_left_alone(count):
    mine, other = events(count), events(1, kind="another's")
    for row in [*mine, *other]:
        row.detail = "new"

    with transaction.atomic():
        assert bulk.update_held([*other, *mine], ["detail"], kind="mine") == mine
        assert bulk.lock(Event, [row.id for row in [*other, *mine]], kind="mine") == sorted(row.id for row in mine)

    assert details() == [("another's", ""), *[("mine", "new")] * count]


def test_a_ready_connection_names_the_partition_that_all_rows_lie_in(ready, monkeypatch):
    rows, partition = events(3), f"{TABLE}_{NOW:%Y_%m}"

    one, two = sent(monkeypatch, rows), sent(monkeypatch, [*rows, *events(1, NEXT)])

    assert f'UPDATE "{partition}"' in one and f'UPDATE "{TABLE}"' in two


def test_a_partition_is_known_once_it_is_there(ready, monkeypatch):
    later = datetime(2091, 3, 1, tzinfo=UTC)
    low, high = ids.first_id_at(FAR).hex, ids.derived_id(ids.first_id_at(FAR)).hex
    assert places.of(TABLE, low, high) == TABLE
    partitions.make_ahead(TABLE, today=FAR)
    try:
        prepared.get_ready()
        assert places.of(TABLE, low, high) == TABLE

        monkeypatch.setattr(places, "_LOOK_AGAIN_SECONDS", 0)
        prepared.get_ready()

        assert places.of(TABLE, low, high) == f"{TABLE}_2091_01"
        assert places.of(TABLE, low, ids.first_id_at(later).hex) == TABLE
    finally:
        for month in range(1, 5):
            partitions.drop([TABLE], datetime(2091, month, 1, tzinfo=UTC))


def test_a_held_update_of_a_ready_connection_goes_key_by_key(ready, monkeypatch):
    """Whatever PostgreSQL thinks of the table's size: it is empty here, and then not."""
    for rows in (events(2, FAR), events(300), [*events(300, NEXT, "mixed"), *events(1, kind="mixed")]):
        plan = explained(monkeypatch, rows)
        assert not any(word in plan for word in ("Hash", "Merge", "Seq Scan", "Bitmap")), plan
        outer, inner = plan.split("Nested Loop", 1)[1].split("Index Scan", 1)
        assert "Sort Key: v_1.k0" in outer and "ANY (ARRAY[v.k0])" in inner, plan


def test_overlapping_writes_and_locks_never_wait_in_a_circle(ready):
    rows = [*events(30), *events(10, NEXT)]

    def work(seed):
        try:
            if seed % 4:
                prepared.get_ready()
            chance = random.Random(seed)
            for _ in range(40):
                some = chance.sample(rows, 20)
                with transaction.atomic():
                    if seed % 2:
                        done = bulk.update_held(
                            [bulk.like(row, detail=str(seed)) for row in some], ["detail"], kind="mine"
                        )
                    else:
                        done = bulk.lock(Event, [row.id for row in some], kind="mine")
                assert len(done) == 20
        finally:
            connection.close()
        return True

    with ThreadPoolExecutor(6) as pool:
        assert all(pool.map(work, range(6)))


def _watched(monkeypatch, rows):
    found = []
    execute = psycopg.Cursor.execute
    with monkeypatch.context() as patched:
        patched.setattr(
            psycopg.Cursor, "execute", lambda *args, **more: found.append(args[1:]) or execute(*args, **more)
        )
        with transaction.atomic():
            bulk.update_held(rows, ["detail"], kind="mine")
    return next(each for each in found if "UPDATE" in each[0])


def sent(monkeypatch, rows):
    return _watched(monkeypatch, rows)[0]


def explained(monkeypatch, rows):
    sql, parameters = _watched(monkeypatch, rows)
    found = connection.connection.execute(f"EXPLAIN (COSTS OFF) {sql}", parameters)
    return "\n".join(line for (line,) in found)


def test_a_place_can_be_named_in_a_statement_of_ones_own(ready):
    rows = [*events(1), *events(1, FAR)]
    near, far = [[row.id] for row in rows]

    assert bulk.place(Event, near) == f'"{TABLE}_{NOW:%Y_%m}"'
    assert bulk.place(Event, far) == bulk.place(Event, near + far) == f'"{TABLE}"'

    connection.close()
    assert bulk.place(Event, near) == f'"{TABLE}"'
