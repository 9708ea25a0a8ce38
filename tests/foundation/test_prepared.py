import pytest
from django.db import DataError, OperationalError, connection
from psycopg.pq import Format

from project.foundation import prepared

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def postgresql():
    """A connection of the test's own, which nobody has made ready."""
    if connection.vendor != "postgresql":
        pytest.skip("SQLite prepares by itself")
    connection.close()
    yield
    connection.close()


def ask(number: int) -> int:
    with prepared.cursor() as cursor:
        cursor.execute("SELECT %s::int + 1 AS answer", [number])
        return int(cursor.fetchone()[0])


def known() -> int:
    """Return how many of these statements PostgreSQL has parsed for the connection."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM pg_prepared_statements WHERE statement LIKE '%AS answer'")
        return int(cursor.fetchone()[0])


def setting(name: str) -> str:
    with connection.cursor() as cursor:
        cursor.execute(f"SHOW {name}")
        return str(cursor.fetchone()[0])


def test_what_a_ready_connection_asks_again_and_again_is_parsed_once(postgresql):
    prepared.get_ready()

    assert [ask(number) for number in range(5)] == [1, 2, 3, 4, 5]
    assert known() == 1


def test_other_connections_go_on_as_django_does(postgresql):
    assert [ask(number) for number in range(5)] == [1, 2, 3, 4, 5]
    assert known() == 0
    assert setting("enable_seqscan") == "on"


def test_behind_a_pooler_nothing_is_kept(postgresql, monkeypatch):
    monkeypatch.setitem(connection.settings_dict, "DISABLE_SERVER_SIDE_CURSORS", True)
    prepared.get_ready()

    assert [ask(number) for number in range(5)] == [1, 2, 3, 4, 5]
    assert known() == 0


def test_plans_are_made_anew_each_second_and_not_more_often(postgresql, monkeypatch):
    now = 1000.0
    monkeypatch.setattr(prepared.time, "monotonic", lambda: now)
    prepared.get_ready()
    asked: list[str] = []
    monkeypatch.setattr(connection.connection, "execute", asked.append)
    prepared.get_ready()
    assert asked == []

    now += 1.1
    prepared.get_ready()
    prepared.get_ready()
    assert asked == ["DISCARD PLANS"]


def test_a_connection_that_was_replaced_is_made_ready_anew(postgresql):
    prepared.get_ready()
    connection.close()
    prepared.get_ready()

    assert setting("enable_seqscan") == "off"
    assert ask(1) == ask(1) == 2 and known() == 1


def test_rows_are_counted_like_all_other_statements(postgresql, django_assert_num_queries):
    prepared.get_ready()
    with django_assert_num_queries(1):
        ask(1)


def test_a_connection_that_the_server_ended_is_told_of_as_django_tells_it(postgresql, monkeypatch):
    now = 1000.0
    monkeypatch.setattr(prepared.time, "monotonic", lambda: now)
    prepared.get_ready()
    with pytest.raises(OperationalError), connection.cursor() as cursor:
        cursor.execute("SELECT pg_terminate_backend(pg_backend_pid())")
    now += 2

    with pytest.raises(OperationalError):
        prepared.get_ready()


def test_a_cursor_that_is_in_use_is_not_lent_again(postgresql):
    prepared.get_ready()
    assert ask(1) == 2
    with prepared.cursor() as cursor:
        cursor.execute("SELECT generate_series(1, 3)")
        assert ask(2) == 3
        assert cursor.fetchall() == [(1,), (2,), (3,)]
    assert ask(3) == 4


def test_what_goes_wrong_is_told_as_django_does_and_the_next_statement_goes_on(postgresql):
    prepared.get_ready()
    assert ask(1) == 2
    with pytest.raises(DataError), prepared.cursor() as cursor:
        cursor.execute("SELECT 1 / %s::int", [0])

    assert ask(2) == 3


def test_a_cursor_that_was_asked_for_binary_answers_the_next_one_in_text(postgresql):
    prepared.get_ready()
    with prepared.cursor() as cursor:
        cursor.cursor.format = Format.BINARY
        cursor.execute("SELECT 1")
    with prepared.cursor() as cursor:
        cursor.execute("SELECT '[1]'::jsonb")
        assert cursor.fetchone() == ("[1]",)
