"""Everything at once: callers send, and every few seconds something is killed."""

import os
import random
import signal
import time
from collections import Counter
from collections.abc import Callable

import pytest

from tests.faults import ledger
from tests.faults.conftest import MakeStack
from tests.faults.ledger import Book
from tests.faults.load import Load
from tests.faults.processes import Process
from tests.faults.sinks import Step
from tests.faults.stack import Stack

BROKERS = ["redis", "rabbitmq"]
MINUTES = float(os.environ.get("SOAK_MINUTES", "2")) / len(BROKERS)
ROLES = ["web", "web", "worker", "worker", "beat"]


@pytest.mark.faults_all
@pytest.mark.parametrize("broker", BROKERS)
def test_an_installation_where_something_dies_every_few_seconds_loses_nothing(
    make_stack: MakeStack, book: Book, broker: str
) -> None:
    seed = int(os.environ.get("SOAK_SEED", str(random.randrange(10**6))))
    dice = random.Random(seed)
    stack = make_stack(broker, RETRY_SCHEDULE=",".join(["0s", *["2s"] * 40]))
    stack.mail.always(Step(delay=0.02))
    running = [stack.web() if role == "web" else stack.start(role) for role in ROLES]
    webs = [process for process in running if process.role == "web"]
    struck: Counter[str] = Counter()
    with Load(stack, book, webs, pause=0.05) as load:
        ends = time.monotonic() + MINUTES * 60
        while time.monotonic() < ends:
            time.sleep(dice.uniform(5, 15))
            blow = dice.choice(_BLOWS)
            struck[blow.__name__.strip("_").replace("_", " ")] += 1
            blow(stack, running, webs, dice)
        load.until_accepted(10)

    stack.until_idle(180)
    found = ledger.close(book, stack)
    print(f"\nsoak on {broker}, {MINUTES:g} minutes, SOAK_SEED={seed}")
    print(f"struck: {', '.join(f'{name} {count}' for name, count in sorted(struck.items()))}")
    print(f"answers: {dict(book.answers)}, connections that broke: {book.broken}")
    print(f"ledger: {found}")
    assert found.is_equal, f"{found!r}\n{stack.report()}"
    in_flight = int(stack.environment["FLUSH_SIZE"]) * 2
    assert found.repeats <= in_flight * sum(struck.values())


def _kill_a_process(stack: Stack, running: list[Process], webs: list[Process], dice: random.Random) -> None:
    victim = dice.choice(running)
    victim.kill()
    fresh = stack.web() if victim.role == "web" else stack.start(victim.role)
    running[running.index(victim)] = fresh
    if victim in webs:
        webs[webs.index(victim)] = fresh


def _kill_a_child(stack: Stack, running: list[Process], webs: list[Process], dice: random.Random) -> None:
    if children := [child for process in running for child in process.children()]:
        os.kill(dice.choice(children), signal.SIGKILL)


def _freeze_a_worker(stack: Stack, running: list[Process], webs: list[Process], dice: random.Random) -> None:
    victim = dice.choice([process for process in running if process.role == "worker"])
    victim.freeze()
    time.sleep(dice.uniform(1, 2 * float(stack.environment["LEASE_SECONDS"])))
    victim.thaw()


def _cut_the_database(stack: Stack, running: list[Process], webs: list[Process], dice: random.Random) -> None:
    dice.choice([stack.web_database, stack.worker_database]).reset()


def _restart_the_database(stack: Stack, running: list[Process], webs: list[Process], dice: random.Random) -> None:
    proxies = (stack.web_database, stack.worker_database)
    for proxy in proxies:
        proxy.drop()
    time.sleep(dice.uniform(0.5, 3))
    for proxy in proxies:
        proxy.heal()


def _lose_the_broker(stack: Stack, running: list[Process], webs: list[Process], dice: random.Random) -> None:
    stack.broker.drop()
    stack.lose_broker_messages()
    time.sleep(dice.uniform(0.5, 3))
    stack.broker.heal()


def _cut_the_provider(stack: Stack, running: list[Process], webs: list[Process], dice: random.Random) -> None:
    stack.mail_line.reset()


# Killing is what it is about: it comes up twice as often as all else.
_BLOWS: list[Callable[[Stack, list[Process], list[Process], random.Random], None]] = [
    *[_kill_a_process] * 6,
    *[_kill_a_child] * 6,
    _freeze_a_worker,
    _cut_the_database,
    _restart_the_database,
    _lose_the_broker,
    _cut_the_provider,
]
