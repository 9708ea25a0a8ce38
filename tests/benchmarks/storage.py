"""Writing history: our bulk writer beside a bare COPY, our statuses beside bulk_update, planning beside a long past."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import partial

import psycopg
from django.core.management import call_command
from django.db import connection, models, transaction

from notifications import planning
from notifications.models import Delivery, Lane, Mode, Notification
from preferences.models import User
from project.foundation import bulk, ids
from templates_app.models import Type
from tests.benchmarks import harness, past, people, scratch
from tests.benchmarks.harness import Part, must_equal, ratio, tell

CHUNK = 500
ROWS = 2000 if scratch.QUICK else 10_000
ROWS_OF_BULK_UPDATE = 1000
PLANNED = 1000 if scratch.QUICK else 2000  # notifications planned in one measurement
SHORT, LONG = (2000, 50_000) if scratch.QUICK else (10_000, 1_000_000)


def measure() -> Part:
    part = Part("storage", "Writing history")
    call_command("migrate", verbosity=0)
    type_ = people.make(PLANNED, port=1).by_mail
    _writing(part, type_)
    _changing(part, type_)
    _planning(part, type_)
    return part


def _writing(part: Part, type_: Type) -> None:
    user = User.objects.first()
    assert user is not None

    def ours() -> float:
        rows = [_delivery(user.pk, type_) for _ in range(ROWS)]
        return _rate(ROWS, lambda chunk: bulk.insert(rows[chunk : chunk + CHUNK]))

    def bare() -> float:
        fields = Delivery._meta.concrete_fields
        rows = [_values(_delivery(user.pk, type_), fields) for _ in range(ROWS)]
        columns = ", ".join(f'"{field.column}"' for field in fields)
        return _rate(ROWS, lambda chunk: _copy(Delivery._meta.db_table, columns, rows[chunk : chunk + CHUNK]))

    before = Delivery.objects.count()
    found = harness.interleaved({"bulk.insert, deliveries by 500": ours, "bare COPY, the same rows": bare}, _rounds())
    must_equal(rows_written=Delivery.objects.count() - before, asked=2 * ROWS * _rounds())
    part.measured += found.values()
    part.ratios.append(ratio("bulk.insert : bare COPY", *found.values(), must=0.6, aim=0.9))


def _changing(part: Part, type_: Type) -> None:
    user = User.objects.first()
    assert user is not None
    rows = [_delivery(user.pk, type_) for _ in range(ROWS)]
    bulk.insert(rows)
    fields = ["status", "sent_at", "provider_message_id", "due_at"]

    def ours() -> float:
        _mark(rows)
        return _rate(ROWS, lambda chunk: bulk.update(rows[chunk : chunk + CHUNK], fields))

    def django() -> float:
        some = rows[:ROWS_OF_BULK_UPDATE]
        _mark(some)
        return _rate(len(some), lambda chunk: Delivery.objects.bulk_update(some[chunk : chunk + CHUNK], fields))

    found = harness.interleaved(
        {"bulk.update, statuses by 500": ours, "Django's bulk_update by 500": django}, _rounds()
    )
    stored = Delivery.objects.filter(id__in=[row.id for row in rows], provider_message_id=rows[0].provider_message_id)
    must_equal(rows_of_the_last_round=stored.count(), asked=_with_the_id_of(rows))
    part.measured += found.values()
    part.ratios.append(ratio("bulk.update : Django's bulk_update", *found.values(), must=15, aim=30))


def _planning(part: Part, type_: Type) -> None:
    """Plan the same number of notifications beside a short past and, in a copy of the database, beside a long one."""
    users = list(User.objects.order_by("pk").values_list("pk", flat=True)[:PLANNED])
    _plan_once(type_, users)  # what is kept after the first time, such as the template, is kept
    with _copy_of_the_database() as long:
        short = connection.settings_dict["NAME"]

        def beside(database: str) -> float:
            _turn_to(database)
            return _plan_once(type_, users)

        for database, rows in ((short, SHORT), (long, LONG)):
            _turn_to(database)
            past.fill(rows)
            tell(f"{rows:,} rows written")
        cases = {f"planning beside {rows:,} rows": partial(beside, d) for d, rows in ((short, SHORT), (long, LONG))}
        found = harness.interleaved(cases, _rounds() + 2)
        _turn_to(short)
    part.measured += found.values()
    few, many = found.values()
    part.ratios.append(ratio(f"planning beside {LONG:,} rows : beside {SHORT:,}", many, few, must=0.9, aim=1))


@contextmanager
def _copy_of_the_database() -> Iterator[str]:
    name = connection.settings_dict["NAME"]
    connection.close()
    with psycopg.connect(scratch.SERVER, autocommit=True) as server:
        server.execute(f'CREATE DATABASE "{name}_long" TEMPLATE "{name}"')
    try:
        yield f"{name}_long"
    finally:
        connection.close()
        with psycopg.connect(scratch.SERVER, autocommit=True) as server:
            server.execute(f'DROP DATABASE "{name}_long" WITH (FORCE)')


def _turn_to(database: str) -> None:
    connection.close()
    connection.settings_dict["NAME"] = database


def _plan_once(type_: Type, users: list[int]) -> float:
    now = datetime.now(tz=UTC)
    due = [_notification(type_, pk, now) for pk in users]
    bulk.insert(due)
    with harness.stopwatch() as seconds:
        while planning.plan_due(lane=Lane.NORMAL):
            pass
        taken = seconds()
    planned = Notification.objects.filter(id__in=[each.id for each in due], due_at=None)
    must_equal(planned=planned.count(), asked=len(users))
    Delivery.objects.filter(due_at__isnull=False).update(due_at=None, status=Delivery.Status.SENT)
    return len(users) / taken


def _rounds() -> int:
    return scratch.ROUNDS


def _rate(rows: int, write: Callable[[int], object]) -> float:
    """Return rows a second, each chunk committed by itself."""
    with harness.stopwatch() as seconds:
        for start in range(0, rows, CHUNK):
            with transaction.atomic():
                write(start)
        return rows / seconds()


def _copy(table: str, columns: str, rows: list[tuple[object, ...]]) -> None:
    with connection.cursor() as cursor, cursor.copy(f'COPY "{table}" ({columns}) FROM STDIN') as copy:
        for row in rows:
            copy.write_row(row)


def _values(row: models.Model, fields: list[models.Field]) -> tuple[object, ...]:
    return tuple(field.get_db_prep_save(getattr(row, field.attname), connection) for field in fields)


def _mark(rows: list[Delivery]) -> None:
    """Give the rows new statuses: every round really changes something."""
    now, id = datetime.now(tz=UTC), f"<{ids.new_id()}@bench>"
    for row in rows:
        row.status, row.sent_at, row.provider_message_id, row.due_at = Delivery.Status.SENT, now, id, None


def _with_the_id_of(rows: list[Delivery]) -> int:
    return sum(row.provider_message_id == rows[0].provider_message_id for row in rows)


def _delivery(user_pk: int, type_: Type) -> Delivery:
    return Delivery(
        id=ids.new_id(),
        notification_id=ids.new_id(),
        user_id=user_pk,
        type_id=type_.pk,
        mode=Mode.LIVE,
        lane=Lane.BULK,
        channel="email",
        contact_point_id=ids.new_id(),
        status=Delivery.Status.QUEUED,
        expires_at=datetime.now(tz=UTC),
    )


def _notification(type_: Type, user_pk: int, now: datetime) -> Notification:
    return Notification(
        id=ids.new_id(),
        mode=Mode.LIVE,
        user_id=user_pk,
        type_id=type_.pk,
        priority="MEDIUM",
        lane=Lane.NORMAL,
        payload=people.PAYLOAD,
        due_at=now,
    )
