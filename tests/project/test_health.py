from collections.abc import Iterator
from datetime import timedelta

import pytest
from django.core.cache import cache
from django.db import OperationalError, connection
from django.test import Client
from kombu import Connection

from notifications.models import Notification
from project import health
from project.celery import app
from project.foundation import clock

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def nothing_remembered() -> Iterator[None]:
    cache.delete("health.broker")
    yield
    cache.delete("health.broker")


def test_a_process_that_answers_is_alive(client: Client) -> None:
    assert client.get("/livez").json() == {"status": "ok"}


def test_an_installation_in_order_is_ready(client: Client) -> None:
    answer = client.get("/readyz")

    assert answer.status_code == 200
    assert answer.json() == {
        "status": answer.json()["status"],
        "database": "ok",
        "migrations": "ok",
        "oldest_due_seconds": 0.0,
        "partition_months_ahead": answer.json()["partition_months_ahead"],
        "broker": "ok",
    }


def test_the_age_of_the_oldest_work_is_told(client: Client) -> None:
    late = clock.now() - timedelta(minutes=10)
    Notification.objects.create(user_id=1, type_id=1, mode="live", priority="HIGH", lane=0, payload={}, due_at=late)

    assert 600 <= client.get("/readyz").json()["oldest_due_seconds"] < 660


def test_without_its_database_it_is_down(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse() -> None:
        raise OperationalError("connection refused")

    monkeypatch.setattr(connection, "ensure_connection", refuse)
    answer = client.get("/readyz")

    assert (answer.status_code, answer.json()) == (503, {"status": "down", "database": "down"})


def test_with_migrations_missing_it_is_down(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(health, "_migrated", False)
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM django_migrations WHERE app = 'preferences'")
    answer = client.get("/readyz")

    assert (answer.status_code, answer.json()["migrations"]) == (503, "missing")


@pytest.mark.parametrize("broker", ["redis://127.0.0.1:1/0", "amqp://guest:guest@127.0.0.1:1//"])
def test_without_its_broker_it_is_degraded_and_takes_requests(
    client: Client, monkeypatch: pytest.MonkeyPatch, broker: str
) -> None:
    monkeypatch.setattr(app, "connection_for_write", lambda **options: Connection(broker, **options))
    answer = client.get("/readyz")

    assert answer.status_code == 200
    assert (answer.json()["status"], answer.json()["broker"]) == ("degraded", "down")
