"""What a worker weighs: the parent and its two children, while they tell ten thousand people and while a million."""

import time

from django.core.management import call_command
from django.db import connection

from notifications import broadcasts
from notifications.models import Broadcast, Delivery
from preferences.models import User
from templates_app.models import Type
from tests.benchmarks import fleet, harness, people
from tests.benchmarks.harness import Measured, Part, Ratio, tell
from tests.benchmarks.sink import Sink

FEW, MANY = 10_000, 1_000_000
TIMES = 3  # that the few are told: until each child has had its turn, and is as heavy as work makes it
WITH_ADDRESS = 40_000  # of the million, and the first to be told
SECONDS = 75.0  # of telling the million; then it is cancelled
_EVERY = 0.25  # seconds between two looks: reading a process's memory costs it a few milliseconds


def measure() -> Part:
    part = Part("memory", "What a worker weighs")
    call_command("migrate", verbosity=0)
    sink = Sink()
    try:
        type_ = people.make(WITH_ADDRESS, port=sink.port).by_mail
        with fleet.worker(2, {}) as worker:
            before = _settled(worker)
            few = max(_highest(worker, type_, FEW, seconds=300) for _ in range(TIMES))
            _multiply(MANY)
            many = _highest(worker, type_, MANY, seconds=SECONDS)
    finally:
        sink.close()
    part.measured = [
        Measured("worker at rest: parent and two children", "MB", [before]),
        Measured(f"at most while telling {FEW:,} people {TIMES} times", "MB", [few]),
        Measured(f"at most while telling {MANY:,} people, first {SECONDS:.0f} s", "MB", [many]),
    ]
    part.ratios = [
        Ratio("parent and two children, at most", [max(few, many)], unit="MB", must=160, aim=140, less_is_better=True),
        Ratio(f"{MANY:,} people more than {FEW:,}", [many - few], unit="MB", must=10, aim=10, less_is_better=True),
    ]
    return part


def _settled(worker: fleet.Worker) -> float:
    time.sleep(3)
    return worker.megabytes()


def _highest(worker: fleet.Worker, type_: Type, count: int, *, seconds: float) -> float:
    """Return the most that the worker weighed while it told `count` people, or for as long as it is watched."""
    audience = {"all": True} if count == MANY else {"topic": people.topic(count)}
    request = broadcasts.Request(type=type_, payload=people.PAYLOAD, audience=audience)
    broadcast = broadcasts.accept(request, actor="bench").broadcast
    highest = 0.0
    with harness.stopwatch() as taken:
        while taken() < seconds and not _is_over(broadcast):
            highest = max(highest, worker.megabytes())
            time.sleep(_EVERY)
    sent = Delivery.objects.filter(broadcast=broadcast, status=Delivery.Status.SENT).count()
    tell(f"{count:,} people: {highest:.0f} MB at most, {broadcast.noted:,} noted, {sent:,} sent")
    if not broadcast.total or not sent:
        raise harness.LedgerDiffers(f"Nobody of {count} was told while the worker was watched.")
    if broadcast.status != Broadcast.Status.COMPLETED:
        broadcasts.cancel(broadcast, actor="bench")
    return highest


def _is_over(broadcast: Broadcast) -> bool:
    broadcast.refresh_from_db()
    return broadcast.status == Broadcast.Status.COMPLETED


def _multiply(count: int) -> None:
    """Make people without addresses, all alike, until there are `count`; those with one stay the first."""
    columns = [field.column for field in User._meta.concrete_fields if not field.primary_key]
    values = ", ".join("'more' || n" if column == "user_id" else f's."{column}"' for column in columns)
    names = ", ".join(f'"{column}"' for column in columns)
    table = User._meta.db_table
    with connection.cursor() as cursor:
        cursor.execute(
            f'INSERT INTO "{table}" ({names}) SELECT {values} FROM (SELECT * FROM "{table}" LIMIT 1) s,'
            " generate_series(%s, %s) n",
            [User.objects.count() + 1, count],
        )
        cursor.execute(f'ANALYZE "{table}"')
