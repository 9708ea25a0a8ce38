"""How long an urgent message takes while a large broadcast is being sent: `python -m tests.benchmarks.lanes`.

Real workers on PostgreSQL and Redis, real SMTP to a stand-in in this process. Prints the percentiles from acceptance to
the stand-in. COUNT messages of bulk (100,000), URGENT of the high lane (100), WORKERS workers (2) of CONCURRENCY (2).
"""

import os
import subprocess
import sys
import time
from uuid import uuid4

import psycopg

COUNT, URGENT = int(os.environ.get("COUNT", 100_000)), int(os.environ.get("URGENT", 100))
WORKERS, CONCURRENCY = int(os.environ.get("WORKERS", 2)), os.environ.get("CONCURRENCY", "2")
SERVER = os.environ.get("TEST_DATABASE_URL", "postgres://root@127.0.0.1:5432/postgres")
NAME = f"carillon_lanes_{os.getpid()}"
os.environ |= {
    "DJANGO_SETTINGS_MODULE": "project.settings",
    "DATABASE_URL": SERVER.rpartition("/")[0] + f"/{NAME}",
    "BROKER_URL": os.environ.get("TEST_REDIS_URL", "redis://127.0.0.1:6379/11"),
    "REDIS_URL": os.environ.get("TEST_REDIS_URL", "redis://127.0.0.1:6379/11"),
    "SECRET_KEY": "for this measurement alone, and of no use anywhere else: long enough",
    "ENCRYPTION_KEYS": "b1:" + "A" * 43 + "=",
    "BLIND_INDEX_KEYS": "b1:" + "B" * 43 + "=",
    "LOG_FORMAT": "plain",
    "LOG_LEVEL": "WARNING",
}
with psycopg.connect(SERVER, autocommit=True) as connection:
    connection.execute(f'CREATE DATABASE "{NAME}"')

import django  # noqa: E402

django.setup()

from django.core.management import call_command  # noqa: E402
from django.db import connections  # noqa: E402
from django.utils import timezone  # noqa: E402

from notifications import acceptance  # noqa: E402
from notifications.models import Delivery, Lane, Notification, ProviderAccount  # noqa: E402
from preferences.models import Category, ContactPoint, User  # noqa: E402
from project.foundation import bulk, ids  # noqa: E402
from project.foundation.encryption import blind_index  # noqa: E402
from templates_app.models import Type  # noqa: E402
from tests.faults.background import Background  # noqa: E402
from tests.faults.sinks import MailSink  # noqa: E402

PAYLOAD = {"title": "Hello", "body": "It works.", "link": "", "template_variables": {}}


def measure() -> bool:
    call_command("migrate", verbosity=0)
    background = Background()
    sink = MailSink(background)
    mail = {"host": "127.0.0.1", "port": sink.port, "security": "none", "from": "shop@example.com"}
    ProviderAccount.objects.create(name="mail", provider="smtp", channel="email", options=mail)
    category = Category.objects.create(key="orders", name="Orders")
    type_ = Type.objects.create(key="ORDER_SHIPPED", name="Order shipped", category=category)
    people = _people(min(COUNT, 1000))
    for start in range(0, COUNT, 5000):
        bulk.insert([_bulk(people[n % 1000], type_) for n in range(start, min(start + 5000, COUNT))])
    workers = [_worker(number) for number in range(WORKERS)]
    try:
        return _urgent(sink, type_)
    finally:
        for worker in workers:
            worker.terminate()
        started = time.monotonic()
        for worker in workers:
            worker.wait(60)
        leased = Delivery.objects.exclude(leased_until=None).count()
        print(f"SIGTERM: over after {time.monotonic() - started:.1f} s, {leased} leases left")
        sink.close()


def _people(count: int) -> list[User]:
    people = User.objects.bulk_create([User(user_id=f"p{n}", name=f"P{n}") for n in range(count)])
    ContactPoint.objects.bulk_create(_point(user) for user in people)
    return people


def _point(user: User) -> ContactPoint:
    address = f"{user.user_id}@example.com"
    return ContactPoint(user=user, channel="email", address=address, address_index=blind_index("email", address))


def _bulk(user: User, type_: Type) -> Notification:
    return Notification(
        id=ids.new_id(),
        mode="live",
        user=user,
        type=type_,
        priority="LOW",
        lane=Lane.BULK,
        payload=PAYLOAD,
        channels_preferred=["email"],
        due_at=timezone.now(),
    )


def _worker(number: int) -> subprocess.Popen[bytes]:
    command = [sys.executable, "manage.py", "worker", "--concurrency", CONCURRENCY, "--log-level", "ERROR"]
    return subprocess.Popen([*command, "--name", f"lanes{number}-{uuid4()}@%h"])


def _urgent(sink: MailSink, type_: Type) -> bool:
    while len(sink.calls) < min(500, COUNT):
        time.sleep(0.1)
    urgent = User.objects.create(user_id="urgent", name="Urgent")
    _point(urgent).save()
    taken, begin, before = [], time.monotonic(), len(sink.calls)
    for number in range(URGENT):
        started = time.monotonic()
        acceptance.accept(
            acceptance.Request(
                user=urgent,
                type=type_,
                priority="HIGH",
                channels_preferred=["email"],
                payload=PAYLOAD | {"title": f"Urgent {number}"},
            )
        )
        while not (found := [call for call in sink.to("urgent@example.com") if call.subject == f"Urgent {number}"]):
            time.sleep(0.01)
        taken.append(found[0].at - started)
        time.sleep(0.1)
    rate = (len(sink.calls) - before) / (time.monotonic() - begin)
    left = Notification.objects.filter(lane=Lane.BULK, due_at__isnull=False).count()
    left += Delivery.objects.filter(lane=Lane.BULK, due_at__isnull=False).count()
    taken.sort()
    p50, p95, worst = taken[len(taken) // 2], taken[int(len(taken) * 0.95)], taken[-1]
    print(f"urgent: p50 {p50:.3f} s, p95 {p95:.3f} s, worst {worst:.3f} s; bulk: {rate:.0f}/s, {left} of {COUNT} left")
    return p95 < 1 and left > 0


if __name__ == "__main__":
    try:
        good = measure()
    finally:
        connections.close_all()
        with psycopg.connect(SERVER, autocommit=True) as connection:
            connection.execute(f'DROP DATABASE "{NAME}" WITH (FORCE)')
    sys.exit(not good)
