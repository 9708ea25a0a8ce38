"""How fast rows are written, against the least that PostgreSQL asks: `python -m tests.benchmarks.rows`.

Deliveries and attempts in a scratch database: project.foundation.bulk beside a bare COPY of the same bytes, and beside
Django's bulk_create and bulk_update. Medians of ROUNDS (5) interleaved rounds of COUNT (500) rows.
"""

import io
import os
import statistics
import sys
import time
from collections import defaultdict
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from uuid import UUID

import psycopg

COUNT, ROUNDS = int(os.environ.get("COUNT", 500)), int(os.environ.get("ROUNDS", 5))
SERVER = os.environ.get("TEST_DATABASE_URL", "postgres://root@127.0.0.1:5432/postgres")
NAME = f"carillon_rows_{os.getpid()}"
os.environ |= {
    "DJANGO_SETTINGS_MODULE": "project.settings",
    "DATABASE_URL": SERVER.rpartition("/")[0] + f"/{NAME}",
    "SECRET_KEY": "for this measurement alone, and of no use anywhere else: long enough",
    "ENCRYPTION_KEYS": "b1:" + "A" * 43 + "=",
    "BLIND_INDEX_KEYS": "b1:" + "B" * 43 + "=",
}

import django  # noqa: E402

django.setup()

from django.core.management import call_command  # noqa: E402
from django.db import connection, connections, models  # noqa: E402

from notifications.models import Attempt, Delivery  # noqa: E402
from project.foundation import bulk, ids  # noqa: E402

WRITTEN = ["status", "due_at", "lease", "leased_until", "sent_at", "provider_message_id"]


def measure() -> bool:
    call_command("migrate", verbosity=0)
    taken: dict[str, list[float]] = defaultdict(list)
    for _ in range(ROUNDS):
        for model, make in ((Delivery, _deliveries), (Attempt, _attempts)):
            rows = make()
            _timed(taken, f"{model.__name__} bulk.insert", lambda rows=rows: bulk.insert(rows))
            content = _content(model)
            _timed(taken, f"{model.__name__} bare COPY", lambda m=model, c=content: _copy(m, c))
            _empty(model)
            rows = make()
            _timed(taken, f"{model.__name__} bulk_create", lambda m=model, r=rows: m.objects.bulk_create(r))
            if model is Delivery:
                sent = _sent(rows)
                _timed(taken, "Delivery bulk.update", lambda r=sent: bulk.update(r, WRITTEN))
                _timed(taken, "Delivery bulk_update", lambda r=sent: Delivery.objects.bulk_update(r, WRITTEN))
            _empty(model)
    for name, seconds in taken.items():
        print(f"{name:24} {COUNT / statistics.median(seconds):9.0f} rows a second")
    ratios = {
        "insert of deliveries × bare COPY": ("Delivery bulk.insert", "Delivery bare COPY"),
        "insert of attempts × bare COPY": ("Attempt bulk.insert", "Attempt bare COPY"),
        "update × bulk_update": ("Delivery bulk.update", "Delivery bulk_update"),
    }
    found = {
        name: statistics.median(slow / fast for fast, slow in zip(taken[ours], taken[theirs], strict=True))
        for name, (ours, theirs) in ratios.items()
    }
    for name, ratio in found.items():
        print(f"{name:34} {ratio:6.2f}")
    return found["insert of deliveries × bare COPY"] > 0.4 and found["update × bulk_update"] > 10


def _deliveries() -> list[Delivery]:
    now = datetime.now(tz=UTC)
    row = Delivery(
        notification_id=ids.new_id(),
        user_id=1,
        type_id=1,
        mode="live",
        lane=2,
        channel="email",
        status="queued",
        due_at=now,
        expires_at=now,
    )
    return [bulk.like(row, id=ids.new_id(), notification_id=ids.new_id(), user_id=n) for n in range(COUNT)]


def _attempts() -> list[Attempt]:
    row = Attempt(number=1, provider_account_id=1, started_at=datetime.now(tz=UTC))
    return [
        bulk.like(
            row,
            id=ids.new_id(),
            delivery_id=ids.new_id(),
            message_hash=bytes(32),
            snapshot={"plan": "pro", "user_id": f"p{n}", "name": f"Person {n}", "email": f"p{n}@example.com"},
        )
        for n in range(COUNT)
    ]


def _sent(rows: Sequence[Delivery]) -> list[Delivery]:
    now = datetime.now(tz=UTC)
    sent = {"status": "sent", "due_at": None, "lease": None, "leased_until": None, "sent_at": now}
    return [bulk.like(row, **sent, provider_message_id=f"<{UUID(int=n)}@example.com>") for n, row in enumerate(rows)]


def _content(model: type[models.Model]) -> bytes:
    """Return what is stored as COPY wrote it, and empty the table."""
    found = io.BytesIO()
    statement = f"COPY (SELECT * FROM {model._meta.db_table}) TO STDOUT"
    with connection.cursor() as cursor, cursor.copy(statement) as copying:
        for block in copying:
            found.write(block)
    _empty(model)
    return found.getvalue()


def _copy(model: type[models.Model], content: bytes) -> None:
    with connection.cursor() as cursor, cursor.copy(f"COPY {model._meta.db_table} FROM STDIN") as copying:
        copying.write(content)


def _empty(model: type[models.Model]) -> None:
    with connection.cursor() as cursor:
        cursor.execute(f"TRUNCATE {model._meta.db_table}")


def _timed(taken: dict[str, list[float]], name: str, act: Callable[[], object]) -> None:
    started = time.perf_counter()
    act()
    taken[name].append(time.perf_counter() - started)


if __name__ == "__main__":
    with psycopg.connect(SERVER, autocommit=True) as server:
        server.execute(f'CREATE DATABASE "{NAME}"')
    good = False
    try:
        good = measure()
    finally:
        connections.close_all()
        with psycopg.connect(SERVER, autocommit=True) as server:
            server.execute(f'DROP DATABASE "{NAME}" WITH (FORCE)')
    sys.exit(not good)
