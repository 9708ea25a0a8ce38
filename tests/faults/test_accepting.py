"""Web processes that die, and services that are away, while requests come in."""

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import pytest

from tests.faults import ledger
from tests.faults.conftest import MakeStack
from tests.faults.ledger import Book
from tests.faults.load import Load, body, send
from tests.faults.stack import Stack

STORED = r'INSERT INTO "?notifications_notification"?\b'


@pytest.mark.parametrize("before", [False, True], ids=["after its commit", "inside its transaction"])
@pytest.mark.parametrize("way", ["one statement", "a transaction"])
def test_a_request_whose_web_process_was_killed_can_be_repeated_and_goes_out_once(
    stack: Stack, book: Book, before: bool, way: str
) -> None:
    web = stack.web()
    # A request that brings its person along takes several statements; any other is one, which commits by itself.
    fields: dict[str, Any] = {"user_id": "p137"}
    if way == "a transaction":
        fields["user"] = {"name": "Person 137"}
    ends_with = "p137" if way == "one statement" else "COMMIT"  # its values come after it was prepared
    with stack.client(web) as client:
        catch = stack.web_database.catch(STORED, ends_with, before=before)
        cut_off = threading.Thread(target=_send_and_be_cut_off, args=(client, "interrupted", fields))
        cut_off.start()
        assert catch.caught.wait(15), "the request reaches its commit"
        web.kill()
        cut_off.join(15)
    stack.web_database.reset()
    stack.until(lambda: not _in_transaction(stack), "PostgreSQL has ended the transaction")
    stored = stack.database.rows("SELECT id FROM notifications_notification ORDER BY id")
    assert len(stored) == (0 if before else 1)

    second = stack.web()
    with stack.client(second) as client:
        notification_id = send(client, book, "interrupted", **fields)
        send(client, book, "after", 1)
    stack.worker()

    stack.until(lambda: len(stack.mail.taken) == 2, "both mails arrive")
    stack.until_idle()
    assert before or notification_id == str(stored[0]["id"])
    assert len(stack.database.rows("SELECT id FROM notifications_notification")) == 2
    ledger.assert_equal(book, stack, repeats=0)


@pytest.mark.parametrize("fault", ["drop", pytest.param("stall", marks=pytest.mark.faults_all)])
@pytest.mark.parametrize("broker", ["redis", pytest.param("rabbitmq", marks=pytest.mark.faults_all)])
def test_a_broker_that_is_away_costs_the_caller_less_than_a_second_and_loses_nothing(
    make_stack: MakeStack, book: Book, broker: str, fault: str
) -> None:
    stack = make_stack(broker)
    web = stack.web()
    stack.worker()
    with stack.client(web) as client:
        usual = _slowest_of(client, book, "before")
        stack.until(lambda: len(stack.mail.taken) == 10, "the first mails arrive")
        getattr(stack.broker, fault)()

        slowest = _slowest_of(client, book, "away")
        ready = httpx.get(f"http://127.0.0.1:{web.port}/readyz", timeout=15)

    stack.until(lambda: len(stack.mail.taken) == 20, "the sweep sends what no doorbell announced")
    assert slowest < usual + 1
    assert (ready.status_code, ready.json()["status"], ready.json()["broker"]) == (200, "degraded", "down")
    stack.broker.heal()
    stack.until_idle()
    ledger.assert_equal(book, stack, repeats=0)


@pytest.mark.parametrize("broker", ["redis", pytest.param("rabbitmq", marks=pytest.mark.faults_all)])
def test_a_broker_that_loses_all_its_messages_delays_by_a_sweep_alone(
    make_stack: MakeStack, book: Book, broker: str
) -> None:
    stack = make_stack(broker)
    web = stack.web()
    with stack.client(web) as client:
        for number in range(20):
            send(client, book, f"m{number}", number)
    time.sleep(1)  # the last doorbell has rung
    web.kill()
    stack.lose_broker_messages()

    stack.worker()

    stack.until(lambda: len(stack.mail.taken) == 20, "all mails arrive")
    stack.until_idle()
    ledger.assert_equal(book, stack, repeats=0)


def test_a_database_that_is_away_answers_503_and_nothing_accepted_is_lost(stack: Stack, book: Book) -> None:
    web = stack.web()
    stack.worker()
    with Load(stack, book, [web]) as load:
        load.until_accepted(20)
        for fault in ("drop", "reset", "drop"):
            for proxy in (stack.web_database, stack.worker_database):
                getattr(proxy, fault)()
            time.sleep(2)
            for proxy in (stack.web_database, stack.worker_database):
                proxy.heal()
            load.until_accepted(10)

    stack.until_idle()
    assert book.answers[503] > 0
    assert set(book.answers) <= {202, 409, 503}
    ledger.assert_equal(book, stack)


def test_one_key_asked_fifty_times_at_once_is_one_notification(stack: Stack, book: Book) -> None:
    web = stack.web(IDEMPOTENCY_TTL="6s")
    stack.worker()
    asked = {"json": body("once") | {"notification_id": str(uuid4())}, "headers": {"Idempotency-Key": "once"}}
    with stack.client(web) as client, ThreadPoolExecutor(50) as pool:
        answers = list(pool.map(lambda _: client.post("/notifications/send", **asked), range(50)))
        statuses = {answer.status_code for answer in answers}
        ids = {answer.json()["notification_id"] for answer in answers if answer.status_code == 202}
        assert statuses <= {202, 409} and len(ids) == 1, statuses
        book.note("once", ids.pop())
        other = client.post("/notifications/send", json=body("other"), headers=asked["headers"])
        assert (other.status_code, other.json()["code"]) == (422, "idempotency_key_reused")
    web.kill()

    with stack.client(stack.web(IDEMPOTENCY_TTL="6s")) as client:
        again = client.post("/notifications/send", **asked)
        assert again.headers["Idempotent-Replayed"] == "true"
        book.note("once", again.json()["notification_id"])
        time.sleep(6)
        after_expiry = client.post("/notifications/send", **asked)
        book.note("once", after_expiry.json()["notification_id"])

    stack.until_idle()
    ledger.assert_equal(book, stack, repeats=0)


@pytest.mark.faults_all
def test_a_full_disk_is_answered_503_and_passes_without_repair(stack: Stack, book: Book) -> None:
    web = stack.web(output=Path("/dev/full"))  # whatever it logs meets a full disk as well
    stack.start("worker", output=Path("/dev/full"))
    with stack.client(web) as client:
        send(client, book, "before")
        stack.until(lambda: stack.mail.taken, "the first mail arrives")
        _fill_disk(stack, "notifications_notification")
        answer = client.post("/notifications/send", json=body("full"))
        assert (answer.status_code, answer.json()["code"]) == (503, "unavailable")
        assert int(answer.headers["Retry-After"]) >= 1
        _free_disk(stack, "notifications_notification")

        _fill_disk(stack, "notifications_attempt")
        for number in range(5):
            send(client, book, f"full-{number}", number)
        time.sleep(4)
        assert len(stack.mail.taken) == 1
        _free_disk(stack, "notifications_attempt")

    stack.until(lambda: len(stack.mail.taken) == 6, "all mails arrive once there is room")
    stack.until_idle()
    ledger.assert_equal(book, stack, repeats=0)


@pytest.mark.faults_all
def test_columns_are_added_while_the_code_before_them_runs(stack: Stack, book: Book) -> None:
    web = stack.web()
    stack.worker()
    with Load(stack, book, [web]) as load:
        load.until_accepted(10)
        for table in ("notification", "delivery", "attempt", "event", "idempotencyrecord", "provideraccount"):
            stack.database.run(f"ALTER TABLE notifications_{table} ADD COLUMN of_the_next_release text")
            load.until_accepted(5)

    stack.until_idle()
    assert set(book.answers) == {202}
    ledger.assert_equal(book, stack, repeats=0)


def test_a_rolling_restart_of_the_web_role_costs_no_request(stack: Stack, book: Book) -> None:
    webs = [stack.web(), stack.web()]
    with Load(stack, book, webs, pause=0) as load:
        load.until_accepted(20)
        for old in list(webs):
            fresh = stack.web()
            webs[webs.index(old)] = fresh  # the load balancer knows first
            old.terminate()
            load.until_accepted(20)
            assert old.popen.wait(30) == 0
        assert book.broken == 0
    assert set(book.answers) == {202}


def _slowest_of(client: httpx.Client, book: Book, word: str) -> float:
    """Send ten, one every 200 ms, and return the seconds that the slowest took."""
    took = []
    for number in range(10):
        started = time.monotonic()
        send(client, book, f"{word}-{number}", number)
        took.append(time.monotonic() - started)
        time.sleep(0.2)
    return max(took)


def _send_and_be_cut_off(client: httpx.Client, word: str, fields: dict[str, Any]) -> None:
    with suppress(httpx.TransportError):
        client.post("/notifications/send", json=body(word, **fields), headers={"Idempotency-Key": word})


def _in_transaction(stack: Stack) -> bool:
    query = "SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND state LIKE 'idle in transaction%%'"
    return bool(stack.database.rows(query))


def _fill_disk(stack: Stack, table: str) -> None:
    """Make PostgreSQL refuse rows as it does when its disk is full: SQLSTATE 53100."""
    stack.database.run(
        """CREATE OR REPLACE FUNCTION disk_is_full() RETURNS trigger LANGUAGE plpgsql AS
           $$ BEGIN RAISE EXCEPTION 'could not extend file: No space left on device' USING ERRCODE = '53100'; END $$"""
    )
    stack.database.run(
        f"CREATE TRIGGER disk_is_full BEFORE INSERT ON {table} FOR EACH ROW EXECUTE FUNCTION disk_is_full()"
    )


def _free_disk(stack: Stack, table: str) -> None:
    stack.database.run(f"DROP TRIGGER disk_is_full ON {table}")
