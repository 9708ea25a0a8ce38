"""What the fault tests stand on. The slow ones run with FAULTS=all, as `make faults` sets it."""

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import pytest

from tests.faults import databases
from tests.faults.databases import Template
from tests.faults.ledger import Book
from tests.faults.stack import Stack

MakeStack = Callable[..., Stack]


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out what is slow. Several may run at once: each has a database, a queue and ports of its own."""
    here = Path(__file__).parent
    mine = [item for item in items if here in item.path.parents]
    for item in mine:
        item.add_marker(pytest.mark.process)
    if os.environ.get("FAULTS") != "all":
        slow = [item for item in mine if item.get_closest_marker("faults_all")]
        config.hook.pytest_deselected(items=slow)
        items[:] = [item for item in items if item not in slow]


@pytest.fixture(scope="session")
def template(postgresql: str) -> Iterator[Template]:
    made = databases.make_template(postgresql)
    yield made
    databases.drop(postgresql, urlunsplit(urlsplit(postgresql)._replace(path=f"/{made.name}")))


@pytest.fixture
def make_stack(
    template: Template, redis_url: str, request: pytest.FixtureRequest, tmp_path: Path
) -> Iterator[MakeStack]:
    """Return a function that makes an installation; its keywords are further environment variables."""
    made: list[Stack] = []
    own_redis = _own_redis(redis_url)

    def make(broker: str = "redis", **environment: str) -> Stack:
        broker_url = own_redis if broker == "redis" else request.getfixturevalue("rabbitmq_url")
        directory = tmp_path / f"stack{len(made)}"
        directory.mkdir()
        stack = Stack(
            database=template.copy(),
            broker_url=broker_url,
            redis_url=own_redis,
            api_key=template.api_key,
            directory=directory,
            **environment,
        )
        made.append(stack)
        return stack

    yield make
    for stack in made:
        stack.close()
        databases.drop(template.server, stack.database.url)


@pytest.fixture
def stack(make_stack: MakeStack) -> Stack:
    return make_stack()


@pytest.fixture
def book() -> Book:
    return Book()


def _own_redis(url: str) -> str:
    """Return a database of the Redis server that is most likely nobody else's: tests empty it."""
    worker = os.environ.get("PYTEST_XDIST_WORKER", "").removeprefix("gw")
    number = int(worker) if worker else os.getpid()
    return urlunsplit(urlsplit(url)._replace(path=f"/{10 + number % 6}"))
