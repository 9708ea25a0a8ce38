"""What the whole suite shares. A service that is absent skips its tests by name; where CI is set, it fails them."""

import gc
import os
from collections.abc import Iterator

import pytest
from django.db import connection
from pytest_django import DjangoDbBlocker

from notifications import known_types
from tests import server, services


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[None]:
    """Let PostgreSQL drop the test database though a thread of some test has left its connection to the collector."""
    yield
    with django_db_blocker.unblock():
        gc.collect()
        if connection.vendor == "postgresql":
            with connection.cursor() as cursor:
                cursor.execute(
                    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                    " WHERE datname = current_database() AND pid <> pg_backend_pid()"
                )


@pytest.fixture(autouse=True)
def nothing_known_from_before(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let no test meet the types of another: a new process knows none either."""
    monkeypatch.setattr(known_types, "_known", {})


@pytest.fixture(scope="session")
def postgresql() -> str:
    return _find("postgresql")


@pytest.fixture(scope="session")
def redis_url() -> str:
    return _find("redis")


@pytest.fixture(scope="session")
def rabbitmq_url() -> str:
    return _find("rabbitmq")


@pytest.fixture(scope="session")
def chromium() -> str:
    """Return the path of a Chromium to drive."""
    return _find("chromium")


@pytest.fixture(scope="session")
def carillon_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[server.Server]:
    """A whole installation, as `make run` starts it, for all tests of this process to share."""
    running = server.start(tmp_path_factory.mktemp("carillon"))
    yield running
    assert running.stop() == 0, running.output


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Keep the tests that share the one server in one process, so that it is started once."""
    for item in items:
        if "carillon_server" in getattr(item, "fixturenames", ()):
            item.add_marker(pytest.mark.process)
            item.add_marker(pytest.mark.xdist_group("server"))


def _find(name: str) -> str:
    try:
        return services.FINDERS[name]()
    except services.Absent as absence:
        if os.environ.get("CI"):
            pytest.fail(f"needs {absence}", pytrace=False)
        pytest.skip(f"needs {absence}")
