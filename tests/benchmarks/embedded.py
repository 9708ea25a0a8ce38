"""The one process of `make run` on SQLite: `python -m tests.benchmarks.embedded`.

How long an idle installation takes from a POST to the frame on an open socket, and how many in-app items a second a
broadcast makes while others go on sending. The ledger: everybody has exactly one item, every request was answered with
202, and SQLite never said that it was locked. PEOPLE (10,000), POSTS (100), ROUNDS (3) broadcasts; BENCH=quick: 2,000.
"""

import json
import os
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import httpx
from websockets.sync.client import connect

from tests import server
from tests.server import Server

QUICK = os.environ.get("BENCH") == "quick"
PEOPLE = int(os.environ.get("PEOPLE", 2_000 if QUICK else 10_000))
POSTS = int(os.environ.get("POSTS", 100))
ROUNDS = int(os.environ.get("ROUNDS", 1 if QUICK else 3))
TYPE = "BENCH_IN_APP"
PAYLOAD = {
    "title": "Your parcel is on its way",
    "body": "It comes tomorrow.",
    "link": "https://shop.example.com/parcels/1",
}


class LedgerDiffers(AssertionError):
    """Somebody has no item or two, or a request failed: the speed of this run means nothing."""


def measure(people: int = PEOPLE, posts: int = POSTS, rounds: int = ROUNDS) -> dict[str, Any]:
    """Return {"p50_ms", "p95_ms", "rate", "rates", "cpu_ms", "beside": {"sent", "p95_ms"}, "mb"}.

    Rates in items a second; `cpu_ms` of the process for each item, the requests beside it included: what a busier
    machine leaves as it is.
    """
    with tempfile.TemporaryDirectory() as directory:
        running = server.start(Path(directory) / "var", LOG_LEVEL="INFO")
        try:
            _seed(running, people)
            headers = {"Authorization": f"Bearer {running.demo['live_key']}"}
            with httpx.Client(base_url=f"{running.url}/api/v1", headers=headers, timeout=60) as client:
                idle = _idle(running, client, posts)
                beside: list[float] = []
                cpu = _cpu_seconds(running.process.pid)
                rates = [_broadcast(running, client, people, beside) for _ in range(rounds)]
            found = {
                "p50_ms": statistics.median(idle) * 1000,
                "p95_ms": _p95(idle) * 1000,
                "rate": statistics.median(rates),
                "rates": rates,
                "cpu_ms": (_cpu_seconds(running.process.pid) - cpu) * 1000 / (people * rounds),
                "beside": {"sent": len(beside), "p95_ms": _p95(beside) * 1000},
                "mb": _pss_mb(running.process.pid),
            }
        finally:
            running.stop()
        if "locked" in running.output or "Traceback" in running.output:
            raise LedgerDiffers(running.output[-2000:])
        return found


def _idle(running: Server, client: httpx.Client, posts: int) -> list[float]:
    """Return the seconds from each POST until its frame is on an open socket."""
    token = client.post("/users/ada/tokens").json()["token"]
    address = running.url.replace("http", "ws", 1) + "/ws/inbox/"
    taken = []
    with connect(address, compression=None) as socket:
        socket.send(json.dumps({"type": "hello", "token": token, "since": None}))
        socket.recv(timeout=5)
        for number in range(posts + 5):
            title = f"Number {number}"
            started = time.perf_counter()
            _send(client, "ada", title)
            while json.loads(socket.recv(timeout=10)).get("item", {}).get("title") != title:
                pass
            taken.append(time.perf_counter() - started)
            time.sleep(0.1)
    return taken[5:]  # the first ones load what is loaded once


def _broadcast(running: Server, client: httpx.Client, people: int, beside: list[float]) -> float:
    """Tell everybody; return the items a second, from the POST to the last item. Others send to p0 meanwhile."""
    with _others(running, beside), closing(_database(running)) as database:
        before = _items(database)
        started = time.perf_counter()
        answer = client.post("/broadcasts", json={"type": TYPE, "payload": PAYLOAD, "audience": {"all": True}})
        if answer.status_code != 202:
            raise LedgerDiffers(answer.text)
        # Everybody is the people, and those of the demo.
        total = database.execute("SELECT count(*) FROM preferences_user WHERE user_id != 'p0'").fetchone()[0]
        while (count := _items(database) - before) < total:
            if time.perf_counter() - started > 120:
                raise LedgerDiffers(f"{count} of {total} items after two minutes")
            time.sleep(0.02)
        seconds = time.perf_counter() - started
        doubled = database.execute(
            "SELECT count(*) FROM (SELECT 1 FROM notifications_inboxitem i JOIN notifications_notification n"
            " ON n.id = i.notification_id WHERE n.broadcast_id IS NOT NULL"
            " GROUP BY n.broadcast_id, i.user_id HAVING count(*) > 1)"
        ).fetchone()[0]
        if doubled:
            raise LedgerDiffers(f"{doubled} people were told twice")
    return total / seconds


@contextmanager
def _others(running: Server, taken: list[float]) -> Iterator[None]:
    """Send to one person ten times a second meanwhile, and keep how long each answer took."""
    ending = threading.Event()
    failed: list[str] = []

    def go_on() -> None:
        headers = {"Authorization": f"Bearer {running.demo['live_key']}"}
        with httpx.Client(base_url=f"{running.url}/api/v1", headers=headers, timeout=60) as client:
            while not ending.wait(0.1):
                started = time.perf_counter()
                try:
                    _send(client, "p0", "Meanwhile")
                except LedgerDiffers as error:
                    failed.append(str(error))
                taken.append(time.perf_counter() - started)

    thread = threading.Thread(target=go_on)
    thread.start()
    try:
        yield
    finally:
        ending.set()
        thread.join()
    if failed:
        raise LedgerDiffers(failed[0])


def _send(client: httpx.Client, user_id: str, title: str) -> None:
    body = {"user_id": user_id, "type": TYPE, "payload": PAYLOAD | {"title": title}, "channels_preferred": ["in_app"]}
    answer = client.post("/notifications/send", json=body)
    if answer.status_code != 202:
        raise LedgerDiffers(answer.text)


def _items(database: sqlite3.Connection) -> int:
    """Return how many items of a broadcast there are; not those of p0, whom others send to."""
    found: int = database.execute(
        "SELECT count(*) FROM notifications_inboxitem WHERE type_key = ?"
        " AND user_id != (SELECT id FROM preferences_user WHERE user_id = 'p0')",
        [TYPE],
    ).fetchone()[0]
    return found


def _database(running: Server) -> sqlite3.Connection:
    return sqlite3.connect(f"file:{running.var_dir / 'carillon.sqlite3'}?mode=ro", uri=True)


def _p95(values: list[float]) -> float:
    return sorted(values)[int(len(values) * 0.95)] if values else 0.0


def _cpu_seconds(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _pss_mb(pid: int) -> float:
    rollup = Path(f"/proc/{pid}/smaps_rollup").read_text()
    return float(rollup.partition("\nPss:")[2].split()[0]) / 1024


_SEED = """
import django, sys
django.setup()
from preferences.models import Category, User
from templates_app.models import Type
category = Category.objects.create(
    key="bench", name="Bench", default_channels={"email": False, "push": False, "web_push": False, "in_app": True}
)
Type.objects.create(key=sys.argv[1], name="Bench", category=category)
User.objects.bulk_create([User(user_id=f"p{n}", name=f"P{n}") for n in range(int(sys.argv[2]))])
"""


def _seed(running: Server, people: int) -> None:
    """Make the people and the type, beside the server: SQLite lets one write after the other."""
    environment = {name: value for name, value in os.environ.items() if name not in ("DATABASE_URL", "BROKER_URL")}
    environment |= {"DJANGO_SETTINGS_MODULE": "project.settings", "VAR_DIR": str(running.var_dir)}
    command = [sys.executable, "-c", _SEED, TYPE, str(people)]
    subprocess.run(command, env=environment, cwd=server.ROOT, check=True)


if __name__ == "__main__":
    found = measure()
    rates = " ".join(f"{rate:,.0f}" for rate in found["rates"])
    print(f"idle, POST to socket: p50 {found['p50_ms']:.1f} ms, p95 {found['p95_ms']:.1f} ms")
    print(f"broadcast of {PEOPLE:,} in-app items: {found['rate']:,.0f}/s ({rates}), {found['cpu_ms']:.2f} ms CPU each")
    print(f"meanwhile {found['beside']['sent']} sends: p95 {found['beside']['p95_ms']:.0f} ms; {found['mb']:.0f} MB")
