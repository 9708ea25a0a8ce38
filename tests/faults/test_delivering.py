"""Workers that die, hang or are cut off while they send."""

import os
import signal
import time

import pytest

from tests.faults import ledger
from tests.faults.conftest import MakeStack
from tests.faults.ledger import Book
from tests.faults.load import Load, send
from tests.faults.processes import Process
from tests.faults.sinks import Step
from tests.faults.stack import TIMINGS, Stack

FLUSH_SIZE = int(TIMINGS["FLUSH_SIZE"])
NEVER = Step(then="hang")
BOTH_BROKERS = pytest.mark.parametrize("broker", ["redis", pytest.param("rabbitmq", marks=pytest.mark.faults_all)])


@pytest.mark.faults_all
@BOTH_BROKERS
def test_a_worker_killed_before_it_called_the_provider_has_each_message_sent_once(
    make_stack: MakeStack, book: Book, broker: str
) -> None:
    stack = make_stack(broker)
    stack.mail.greets = False
    worker = stack.worker()
    _accept(stack, book, 30)
    stack.until(lambda: stack.mail.connections, "the worker stands before the provider's door")
    worker.kill()
    stack.mail.hang_up()
    stack.mail.greets = True

    stack.worker()

    stack.until(lambda: len(stack.mail.taken) >= 30, "all mails arrive")
    stack.until_idle()
    ledger.assert_equal(book, stack, repeats=0)


@BOTH_BROKERS
@pytest.mark.parametrize("victim", ["the whole worker", pytest.param("one pool process", marks=pytest.mark.faults_all)])
def test_a_worker_killed_after_the_provider_took_messages_repeats_at_most_those(
    make_stack: MakeStack, book: Book, broker: str, victim: str
) -> None:
    stack = make_stack(broker)
    stack.mail.always(Step(delay=0.3))
    worker = stack.worker()
    _accept(stack, book, 30)
    stack.until(lambda: len(stack.mail.taken) >= 6, "some mails are taken")
    if victim == "the whole worker":
        worker.kill()
        stack.worker()
    else:
        os.kill(_sending_child(worker), signal.SIGKILL)
    stack.mail.always(Step())

    stack.until(lambda: len({call.subject for call in stack.mail.taken}) == 30, "all mails arrive")
    stack.until_idle()
    ledger.assert_equal(book, stack, repeats=FLUSH_SIZE * 2)


def test_marketing_whose_outcome_is_in_doubt_waits_for_an_operator(stack: Stack, book: Book) -> None:
    stack.mail.always(Step(delay=1))
    worker = stack.worker()
    _accept(stack, book, 8, type="OFFER")
    stack.until(lambda: len(stack.mail.taken) >= 3, "some mails are taken")
    worker.kill()
    taken = {call.subject for call in stack.mail.taken}
    stack.mail.always(Step())

    stack.worker()

    stack.until_idle()
    statuses = stack.statuses()
    assert statuses["unknown"] >= len(taken)
    assert set(statuses) <= {"unknown", "sent"}
    ledger.assert_equal(book, stack, repeats=0)


def test_a_worker_that_outlived_its_lease_contradicts_nobody(stack: Stack, book: Book) -> None:
    stack.mail.always(Step(delay=0.5))
    slow = stack.worker(CONCURRENCY="1")
    _accept(stack, book, 10)
    stack.until(lambda: len(stack.mail.taken) >= 3, "some mails are taken")
    slow.freeze()
    stack.mail.always(Step())

    stack.worker()
    stack.until(lambda: len({call.subject for call in stack.mail.taken}) == 10, "the second worker sends all")
    stack.until(lambda: stack.statuses() == {"sent": 10}, "all are sent")
    slow.thaw()
    time.sleep(4)

    assert stack.statuses() == {"sent": 10}
    assert all(row["lease"] is None and row["due_at"] is None for row in stack.deliveries())
    ledger.assert_equal(book, stack, repeats=FLUSH_SIZE)


@pytest.mark.faults_all
def test_a_database_that_falls_silent_holds_nobody_for_ever(stack: Stack, book: Book) -> None:
    web = stack.web()
    stack.worker()
    with stack.client(web) as client:
        for number in range(10):
            send(client, book, f"m{number}", number)
        stack.worker_database.stall()
        for number in range(10, 20):
            send(client, book, f"m{number}", number)
        time.sleep(6)
        stack.worker_database.reset()
        stack.worker_database.heal()

    stack.until(lambda: len({call.subject for call in stack.mail.taken}) == 20, "all mails arrive")
    stack.until_idle()
    ledger.assert_equal(book, stack)


def test_a_worker_that_is_asked_to_end_leaves_nothing_in_doubt_and_no_lease(stack: Stack, book: Book) -> None:
    stack.mail.always(Step(delay=0.4))
    long_leases = {"LEASE_SECONDS": "600", "PROVIDER_TIMEOUT_SECONDS": "10"}
    worker = stack.worker(**long_leases)
    _accept(stack, book, 120)
    stack.until(lambda: len(stack.mail.taken) >= 5, "some mails are taken")

    assert worker.stop() == 0

    assert len(stack.mail.taken) < 120, "it takes up nothing new"
    leased = [row for row in stack.deliveries() if row["leased_until"] is not None]
    assert [row["status"] for row in leased] == []
    stack.mail.always(Step())
    stack.worker(**long_leases)
    stack.until(lambda: len(stack.mail.taken) >= 120, "the next worker sends the rest at once", seconds=30)
    stack.until_idle()
    ledger.assert_equal(book, stack, repeats=0)


@BOTH_BROKERS
def test_a_broker_that_goes_away_while_a_worker_is_at_work_does_not_end_the_worker(
    make_stack: MakeStack, book: Book, broker: str
) -> None:
    stack = make_stack(broker)
    web = stack.web()
    worker = stack.worker()
    with stack.client(web) as client:
        send(client, book, "before")
        stack.until(lambda: stack.mail.taken, "the worker is up")
        stack.mail.always(Step(delay=1))
        for number in range(8):
            send(client, book, f"m{number}", number)
        stack.until(lambda: len(stack.mail.taken) >= 2, "a task is under way")
        stack.broker.drop()
        time.sleep(4)
        stack.mail.always(Step())
        for number in range(8, 12):
            send(client, book, f"m{number}", number)

        stack.until(lambda: len({call.subject for call in stack.mail.taken}) == 13, "all mails arrive", seconds=40)
    assert worker.is_running, worker.output
    stack.broker.heal()
    stack.until_idle()
    ledger.assert_equal(book, stack)


@pytest.mark.faults_all
def test_workers_replaced_one_after_the_other_under_load_lose_and_repeat_nothing(stack: Stack, book: Book) -> None:
    web = stack.web()
    long_leases = {"LEASE_SECONDS": "600", "PROVIDER_TIMEOUT_SECONDS": "10"}
    stack.mail.always(Step(delay=0.02))
    worker = stack.worker(**long_leases)
    with Load(stack, book, [web]) as load:
        for _ in range(4):
            load.until_accepted(30)
            fresh = stack.worker(**long_leases)
            stack.until(lambda fresh=fresh: len(fresh.children()) == 2, "the next worker is up")
            assert worker.stop() == 0
            worker = fresh
    stack.until_idle()
    ledger.assert_equal(book, stack, repeats=0)


@pytest.mark.faults_all
def test_two_schedulers_or_none_send_each_message_once(stack: Stack, book: Book) -> None:
    stack.worker(DOORBELLS="false", SWEEP_SECONDS="3600")
    beats = [stack.start("beat"), stack.start("beat")]
    _accept(stack, book, 10)
    stack.until(lambda: stack.database.rows("SELECT 1 FROM notifications_delivery"), "the schedulers wake the planner")
    for beat in beats:
        beat.kill()
    stack.worker()
    _accept(stack, book, 10, start=10)

    stack.until(lambda: len(stack.mail.taken) >= 20, "all mails arrive")
    stack.until_idle()
    ledger.assert_equal(book, stack, repeats=0)


def _accept(stack: Stack, book: Book, count: int, *, start: int = 0, **fields: object) -> None:
    """Have requests accepted by a web process that then ends: what remains is the workers' affair."""
    web = stack.web()
    with stack.client(web) as client:
        for number in range(start, start + count):
            send(client, book, f"m{number}", number, **fields)
    web.kill()


def _sending_child(worker: Process) -> int:
    """Return the pool process that talks to the mail stand-in: the one with most sockets open."""

    def sockets(pid: int) -> int:
        directory = f"/proc/{pid}/fd"
        return sum(os.readlink(f"{directory}/{name}").startswith("socket:") for name in os.listdir(directory))

    return max(worker.children(), key=sockets)
