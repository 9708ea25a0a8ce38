"""Is this process alive, and can the installation do its work?"""

from datetime import datetime
from typing import Any

from django.core.cache import cache
from django.db import DatabaseError, InterfaceError, connection
from django.db.migrations.executor import MigrationExecutor
from django.db.models import Min
from django.http import HttpRequest, JsonResponse
from django.views.decorators.cache import never_cache
from kombu.exceptions import OperationalError as BrokerError

from notifications import housekeeping
from notifications.models import Delivery, Notification
from project.celery import app
from project.foundation import clock, partitions

BROKER_SECONDS = 1  # how long the broker may take to answer
BROKER_REMEMBERED = 5  # seconds that its answer is kept, so that probes do not become its load

_migrated = False


@never_cache
def live(request: HttpRequest) -> JsonResponse:
    return JsonResponse({"status": "ok"})


@never_cache
def ready(request: HttpRequest) -> JsonResponse:
    """200 while requests can be accepted; `degraded` then says that something behind is missing. 503 otherwise.

    The broker is only a doorbell: without it messages wait for the next sweep.
    """
    try:
        found = _database()
    except (DatabaseError, InterfaceError):
        return JsonResponse({"status": "down", "database": "down"}, status=503)
    if found["migrations"] != "ok":
        return JsonResponse({"status": "down"} | found, status=503)
    found |= _queue() | {"broker": _broker()}
    whole = found["broker"] == "ok" and found["partition_months_ahead"] > 0
    return JsonResponse({"status": "ok" if whole else "degraded"} | found)


def _database() -> dict[str, Any]:
    global _migrated
    connection.ensure_connection()
    if not _migrated:  # once so, always so: code and migrations are those of this process
        executor = MigrationExecutor(connection)
        _migrated = not executor.migration_plan(executor.loader.graph.leaf_nodes())
    else:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    return {"database": "ok", "migrations": "ok" if _migrated else "missing"}


def _queue() -> dict[str, Any]:
    now = clock.now()
    ages = []
    for model in (Notification, Delivery):
        oldest: datetime | None = model.objects.filter(due_at__lte=now).aggregate(oldest=Min("due_at"))["oldest"]
        ages.append((now - oldest).total_seconds() if oldest else 0.0)
    months = min(partitions.months_left(table, today=now) for table in housekeeping.HISTORY_TABLES)
    return {"oldest_due_seconds": round(max(ages), 1), "partition_months_ahead": months}


def _broker() -> str:
    known = cache.get("health.broker")
    if known is None:
        known = _ask_broker()
        cache.set("health.broker", known, BROKER_REMEMBERED)
    return str(known)


def _ask_broker() -> str:
    try:
        with app.connection_for_write(connect_timeout=BROKER_SECONDS) as broker:
            broker.ensure_connection(max_retries=1, interval_start=0, timeout=BROKER_SECONDS)
    except (BrokerError, OSError):
        return "down"
    return "ok"
