"""What a broadcast of e-mails costs, stage by stage: `python -m tests.benchmarks.pipeline`.

PEOPLE (5,000) with addresses and choices are told through fan-out, planning and delivery, by workers' own rounds, in a
scratch database. First in this process, with a provider that accepts at once (SINK=instant), or with real SMTP to the
benchmarks' sink (SINK=smtp) or to Postfix's (SINK=postfix): microseconds a message and statements, by stage. Then by
WORKERS (2) processes at once: messages a second from the first to the last, and what each process came to hold.
"""

import multiprocessing
import os
import shutil
import socket
import subprocess
import sys
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import wraps
from typing import Any

import psycopg

from tests.benchmarks import scratch

PEOPLE, WORKERS = int(os.environ.get("PEOPLE", 5000)), int(os.environ.get("WORKERS", 2))
SINK, ROUNDS = os.environ.get("SINK", "instant"), int(os.environ.get("ROUNDS", 1))


def measure() -> bool:
    from django.core.management import call_command

    from notifications import accounts
    from tests.benchmarks import people

    call_command("migrate", verbosity=0)
    good = True
    with _sink() as port:
        given = people.make(PEOPLE, port=port or 1)
        if not port:
            accounts.send = _accept  # type: ignore[assignment]
        for _ in range(ROUNDS):
            good &= _stages(given.by_mail)
            good &= WORKERS == 0 or _together(given.by_mail)
    return good


def _accept(account: Any, messages: Sequence[Any]) -> list[Any]:
    from notifications.providers.base import Outcome

    return [Outcome.accepted(str(message.delivery_id)) for message in messages]


@contextmanager
def _sink() -> Iterator[int]:
    """Start a mail server; yield its port, 0 for none."""
    if SINK == "smtp":
        from tests.benchmarks.sink import Sink

        sink = Sink()
        try:
            yield sink.port
        finally:
            sink.close()
    elif SINK == "postfix":
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        program = shutil.which("smtp-sink") or "/usr/sbin/smtp-sink"
        process = subprocess.Popen([program, "-u", "nobody", f"127.0.0.1:{port}", "1000"], stderr=subprocess.DEVNULL)
        time.sleep(0.5)
        try:
            yield port
        finally:
            process.terminate()
            process.wait(5)
    else:
        yield 0


def _broadcast(type_: Any) -> Any:
    from django.utils import timezone

    from notifications.models import Broadcast
    from tests.benchmarks import people

    return Broadcast.objects.create(
        mode="live",
        type=type_,
        template_version=type_.template.published,
        payload=people.PAYLOAD,
        priority="LOW",
        audience={"all": True},
        status=Broadcast.Status.MATERIALISING,
        due_at=timezone.now(),
    )


class Clock:
    """Adds up what functions take, without what they call that is measured too, and the statements they send."""

    def __init__(self) -> None:
        self.wall: dict[str, float] = defaultdict(float)
        self.cpu: dict[str, float] = defaultdict(float)
        self.statements: Counter[str] = Counter()
        self.calls: Counter[str] = Counter()
        self._within = ["the rest"]
        self._since = time.perf_counter(), time.process_time()
        self._undo: list[Callable[[], None]] = []

    def watch(self, owner: Any, name: str, stage: str) -> None:
        def measured(act: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
            self._switch()
            self._within.append(stage)
            self.calls[stage] += 1
            try:
                return act(*args, **kwargs)
            finally:
                self._switch()
                self._within.pop()

        self._replace(owner, name, measured)

    def count(self, owner: Any, name: str) -> None:
        def counted(act: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
            self.statements[self._within[-1]] += 1
            return act(*args, **kwargs)

        self._replace(owner, name, counted)

    def stop(self) -> None:
        self._switch()
        for undo in reversed(self._undo):
            undo()

    def _replace(self, owner: Any, name: str, by: Callable[..., Any]) -> None:
        original = getattr(owner, name)

        @wraps(original)
        def instead(*args: Any, **kwargs: Any) -> Any:
            return by(original, *args, **kwargs)

        setattr(owner, name, instead)
        self._undo.append(lambda: setattr(owner, name, original))

    def _switch(self) -> None:
        now = time.perf_counter(), time.process_time()
        self.wall[self._within[-1]] += now[0] - self._since[0]
        self.cpu[self._within[-1]] += now[1] - self._since[1]
        self._since = now


def _watched() -> Clock:
    from notifications import audience, cases, clearance, delivery, fanout, leases, messages, planning, rounds

    clock = Clock()
    for owner, name, stage in (
        (audience, "write", "audience"),
        (fanout, "_advance", "fan-out"),
        (planning, "plan_due", "plan: the rest"),
        (planning, "load_people", "plan: load"),
        (planning, "_plan", "plan: decide"),
        (planning, "_store", "plan: store"),
        (delivery, "deliver_due", "deliver: the rest"),
        (clearance, "sort", "deliver: sort"),
        (clearance, "sort_as_planned", "deliver: sort"),
        (cases, "holds", "deliver: re-check"),
        (cases, "load_people", "deliver: load"),
        (cases, "look_again", "deliver: load"),
        (messages, "compose", "deliver: render"),
        (delivery, "_begin", "deliver: attempts"),
        (delivery, "_make_ready", "deliver: the rest"),
        (delivery, "_finish", "deliver: flush"),
        (rounds, "_deliver_written", "deliver: the rest"),
        (leases, "claim", "claims"),
    ):
        clock.watch(owner, name, stage)
    for name in ("execute", "executemany", "copy"):
        clock.count(psycopg.Cursor, name)
    return clock


def _stages(type_: Any) -> bool:
    from notifications import rounds
    from notifications.models import Delivery

    broadcast, served, clock = _broadcast(type_), _server_seconds(), _watched()
    while rounds.sweep():
        continue
    clock.stop()
    served = _server_seconds() - served
    sent = Delivery.objects.filter(broadcast=broadcast, status="sent").count() or 1
    wall, cpu = sum(clock.wall.values()), sum(clock.cpu.values())
    print(f"One process ({SINK}): {sent / wall:.0f} a second, {sent} sent. Microseconds a message:")
    print(
        f"  {'all':18} {wall / sent * 1e6:8.1f}, CPU {cpu / sent * 1e6:8.1f} and PostgreSQL's {served / sent * 1e6:.0f}"
    )
    for stage in sorted(clock.wall, key=lambda stage: -clock.cpu[stage]):
        wall, cpu = clock.wall[stage] / sent * 1e6, clock.cpu[stage] / sent * 1e6
        calls, statements = clock.calls[stage], clock.statements[stage]
        print(f"  {stage:18} {wall:8.1f}, CPU {cpu:8.1f} {calls:6} calls {statements:6} statements")
    return _agrees(broadcast)


def _server_seconds() -> float:
    """Return the CPU time of the process that PostgreSQL has for our connection, where it runs on this machine."""
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        pid = cursor.fetchone()[0]
    try:
        with open(f"/proc/{pid}/stat") as stat:
            user, system = stat.read().rpartition(")")[2].split()[11:13]
    except OSError:
        return 0.0
    return (int(user) + int(system)) / os.sysconf("SC_CLK_TCK")


def _agrees(broadcast: Any) -> bool:
    """Tell whether everybody was put to the rules once, and the records of what was sent say the same."""
    from notifications.models import Attempt, Delivery, Notification

    broadcast.refresh_from_db()
    sent = Delivery.objects.filter(broadcast=broadcast, status="sent").count()
    attempts = Attempt.objects.filter(delivery__broadcast=broadcast, outcome="accepted").count()
    done = Notification.objects.filter(broadcast=broadcast, status="completed").count()
    good = bool(broadcast.status == "completed" and sent == attempts > PEOPLE / 2 and done == PEOPLE)
    if not good:
        print(f"FAULT: {broadcast.status}, {sent} sent, {attempts} attempts, {done} completed of {PEOPLE}")
    return good


def _together(type_: Any) -> bool:
    from django.db import connections

    from notifications.models import Delivery

    broadcast = _broadcast(type_)
    connections.close_all()
    fork = multiprocessing.get_context("fork")
    memory = fork.SimpleQueue()
    workers = [fork.Process(target=_work, args=(broadcast.pk, memory)) for _ in range(WORKERS)]
    started = time.perf_counter()
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    took, sent = time.perf_counter() - started, Delivery.objects.filter(broadcast=broadcast, status="sent").count()
    held = ", ".join(f"{memory.get():.0f} MB" for _ in workers)
    print(f"{WORKERS} processes ({SINK}): {sent / took:.0f} a second, {sent} sent in {took:.1f} s; PSS {held}")
    return _agrees(broadcast)


def _work(broadcast_id: Any, memory: Any) -> None:
    from django.db import connections

    from notifications import rounds
    from notifications.models import Broadcast

    while Broadcast.objects.filter(pk=broadcast_id, due_at__isnull=False).exists():
        rounds.sweep()
        time.sleep(0.005)
    connections.close_all()
    with open("/proc/self/smaps_rollup") as lines:
        memory.put(next(int(line.split()[1]) for line in lines if line.startswith("Pss:")) / 1024)


if __name__ == "__main__":
    with scratch.database("pipeline") as url:
        os.environ.update(scratch.carillon(url) | {"DOORBELLS": "0", "CONN_MAX_AGE": "60"})
        import django

        django.setup()
        good = measure()
        from django.db import connections

        connections.close_all()
    sys.exit(not good)
