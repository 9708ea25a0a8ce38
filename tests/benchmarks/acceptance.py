"""How many requests a second are accepted, beside plain REST framework views in the same server processes.

`python -m tests.benchmarks.acceptance`. PostgreSQL, Redis, granian as `make web` starts it with two workers, load by
`wrk`. Every request has a body of its own making, a key to check and an Idempotency-Key of its own. Rounds are
interleaved, so that a machine that slows down slows all alike; figures are medians, to be read as ratios alone, and a
ratio is the median of its rounds' ratios.

Beside the rates stand the processor times a request, of the web processes and of PostgreSQL's: on a machine that others
use as well they waver far less.
ROUNDS (3), SECONDS a measurement (4), CONNECTIONS (16), THREADS a worker (4).
"""

import json
import os
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psycopg

from tests.server import ROOT, free_port

ROUNDS, SECONDS = int(os.environ.get("ROUNDS", 3)), int(os.environ.get("SECONDS", 4))
CONNECTIONS, THREADS = int(os.environ.get("CONNECTIONS", 16)), os.environ.get("THREADS", "4")
BULK = 500  # items a call
SERVER = os.environ.get("TEST_DATABASE_URL", "postgres://root@127.0.0.1:5432/postgres")
REDIS = os.environ.get("TEST_REDIS_URL", "redis://127.0.0.1:6379/4")
BODY = {
    "user_id": "ada",
    "type": "ORDER_CONFIRMATION",
    "channels_preferred": ["email", "sms"],
    "priority": "HIGH",
    "payload": {
        "title": "Your order has been confirmed",
        "body": "Thank you for your purchase.",
        "link": "https://example.com/order/1234",
        "template_variables": {"order_id": "1234", "customer_name": "Ada Lovelace"},
    },
    "timestamp": "2026-11-21T18:05:00Z",
}
ROUTES = {
    "send": "/api/v1/notifications/send",
    "bulk": "/api/v1/notifications/bulk",
    "keyed": "/api/plain/keyed",
    "plain": "/api/plain/save",
    "empty": "/api/plain/empty",
}
GOALS = {  # ratio: (must, aim)
    "send / keyed": (2.0, 3.0),
    "send / plain": (1.5, 2.0),
    "send / empty": (0.30, 0.45),
    "bulk / send": (12.0, 20.0),
}
_servers: list[subprocess.Popen[bytes]] = []
SCRIPT = """
local n, me = 0, "%(run)s"
wrk.method, wrk.body = "POST", [[%(body)s]]
wrk.headers["Content-Type"], wrk.headers["Authorization"] = "application/json", "Bearer %(key)s"
function request()
  n = n + 1
  wrk.headers["Idempotency-Key"] = me .. n
  return wrk.format()
end
"""


@dataclass
class Load:
    """What was asked, and what came of it, over all rounds of one route."""

    rates: list[float] = field(default_factory=list)  # requests/s
    cpu: list[float] = field(default_factory=list)  # seconds a request, web and database together
    answers: int = 0

    @property
    def rate(self) -> float:
        return statistics.median(self.rates)

    @property
    def spread(self) -> float:
        """The distance between the slowest and the fastest round, as a part of the median."""
        return (max(self.rates) - min(self.rates)) / self.rate


def measure() -> dict[str, Any]:
    """Run all rounds; return requests/s and spread a route, the ratios, and whether the ledger is right."""
    loads = {name: Load() for name in ROUTES}
    with _database() as url, _server(url) as (address, keys):
        for number in range(ROUNDS + 1):
            for name, load in loads.items():
                seconds, spent = SECONDS if number else 1, _cpu(url)  # the first round warms up
                answers, rate = _load(address + ROUTES[name], name, keys, seconds, f"{name}{number}-")
                load.answers += answers
                if number:
                    load.rates.append(rate)
                    load.cpu.append((_cpu(url) - spent) / answers)
        ledger = _ledger(url, loads)
    per_s = {name: load.rate for name, load in loads.items()}
    ratios = {
        ratio: statistics.median(
            _ratio(ratio, {name: load.rates[number] for name, load in loads.items()}) for number in range(ROUNDS)
        )
        for ratio in GOALS
    }
    cpu = {name: statistics.median(load.cpu) for name, load in loads.items()}
    of_cpu = {ratio: _ratio(ratio, {name: 1 / each for name, each in cpu.items()}) for ratio in GOALS}
    return {
        "per_s": {name: round(rate, 1) for name, rate in per_s.items()},
        "spread": {name: round(load.spread, 2) for name, load in loads.items()},
        "cpu_us": {name: round(each * 1e6) for name, each in cpu.items()},
        "ratios_of_cpu": {name: round(ratio, 2) for name, ratio in of_cpu.items()},
        "bulk_items_per_s": round(per_s["bulk"] * BULK),
        "ratios": {name: round(ratio, 2) for name, ratio in ratios.items()},
        "ledger": ledger,
        "good": all(ratios[name] >= must for name, (must, _) in GOALS.items()) and ledger["right"],
    }


def _ratio(name: str, per_s: dict[str, float]) -> float:
    over, under = name.split(" / ")
    return per_s[over] * (BULK if over == "bulk" else 1) / per_s[under]


def _load(url: str, name: str, keys: dict[str, str], seconds: int, run: str) -> tuple[int, float]:
    """Load one route; return how many requests were answered well, and how many a second."""
    body = {"items": [BODY] * BULK} if name == "bulk" else BODY
    key = keys["theirs" if name in {"keyed", "plain", "empty"} else "ours"]
    with tempfile.NamedTemporaryFile("w", suffix=".lua") as script:
        script.write(SCRIPT % {"run": run, "body": json.dumps(body), "key": key})
        script.flush()
        connections = 4 if name == "bulk" else CONNECTIONS
        command = ["wrk", "-t1", f"-c{connections}", f"-d{seconds}s", "--timeout", "30s", "-s", script.name, url]
        said = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    if "Non-2xx" in said or "Socket errors" in said:
        raise RuntimeError(f"{name} was not answered well:\n{said}")
    counted, rate = re.search(r"(\d+) requests in", said), re.search(r"Requests/sec:\s+([\d.]+)", said)
    assert counted and rate, said
    return int(counted[1]), float(rate[1])


def _cpu(url: str) -> float:
    """Return the processor seconds that the server's processes and their PostgreSQL backends have used so far."""
    with psycopg.connect(url) as connection:
        activity = "SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
        backends = [pid for (pid,) in connection.execute(activity)]
    children = subprocess.run(["pgrep", "-P", str(_servers[-1].pid)], capture_output=True, text=True).stdout.split()
    ticks = 0
    for pid in [*backends, *children]:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        ticks += int(fields[11]) + int(fields[12])
    return ticks / os.sysconf("SC_CLK_TCK")


def _ledger(url: str, loads: dict[str, Load]) -> dict[str, Any]:
    """Compare what was answered with what is stored. What was on its way when the load stopped is stored unanswered."""
    with psycopg.connect(url) as connection:

        def count(what: str) -> int:
            return int(connection.execute(f"SELECT count(*) FROM {what}").fetchone()[0])  # type: ignore[index]

        ours = count("notifications_notification")
        singles = count("notifications_idempotencyrecord WHERE route = 'POST /notifications/send'")
        bulks = count("notifications_idempotencyrecord WHERE route = 'POST /notifications/bulk'")
        theirs = count("plain_drf_message")
    stops = ROUNDS + 1
    right = (
        ours == singles + BULK * bulks
        and 0 <= singles - loads["send"].answers <= CONNECTIONS * stops
        and 0 <= bulks - loads["bulk"].answers <= 4 * stops
        and 0 <= theirs - loads["plain"].answers - loads["keyed"].answers <= 2 * CONNECTIONS * stops
    )
    answered = {name: load.answers for name, load in loads.items()}
    return {"answered": answered, "notifications": ours, "sends": singles, "bulks": bulks, "right": right}


@contextmanager
def _database() -> Iterator[str]:
    name = f"carillon_acceptance_{os.getpid()}"
    with psycopg.connect(SERVER, autocommit=True) as connection:
        connection.execute(f'CREATE DATABASE "{name}"')
    try:
        yield SERVER.rpartition("/")[0] + f"/{name}"
    finally:
        with psycopg.connect(SERVER, autocommit=True) as connection:
            connection.execute(f'DROP DATABASE "{name}" WITH (FORCE)')


@contextmanager
def _server(url: str) -> Iterator[tuple[str, dict[str, str]]]:
    """Start two worker processes as `make web` does; yield their address and the keys to ask them with."""
    port = free_port()
    environment = os.environ | {
        "DJANGO_SETTINGS_MODULE": "tests.benchmarks.plain_drf.settings",
        "DATABASE_URL": url,
        "BROKER_URL": REDIS,
        "REDIS_URL": REDIS,
        "SECRET_KEY": "for this measurement alone, and of no use anywhere else: long enough",
        "ENCRYPTION_KEYS": "b1:" + "A" * 43 + "=",
        "BLIND_INDEX_KEYS": "b1:" + "B" * 43 + "=",
        "PUBLIC_URL": f"http://127.0.0.1:{port}",
        "LOG_LEVEL": "WARNING",
    }
    seeded = subprocess.run(
        [sys.executable, "-m", "tests.benchmarks.plain_drf.seed"], cwd=ROOT, env=environment, check=True, stdout=-1
    )
    granian = str(Path(sys.executable).with_name("granian"))
    options = ["--host", "127.0.0.1", "--port", str(port), "--workers", "2", "--blocking-threads", THREADS]
    command = [granian, "--interface", "wsgi", *options, "--no-ws", "--respawn-failed-workers"]
    server = subprocess.Popen([*command, "--log-level", "error", "project.wsgi:application"], cwd=ROOT, env=environment)
    _servers.append(server)
    try:
        _wait_for(f"http://127.0.0.1:{port}/livez", server)
        yield f"http://127.0.0.1:{port}", json.loads(seeded.stdout)
    finally:
        server.terminate()
        server.wait(30)


def _wait_for(url: str, server: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline and server.poll() is None:
        try:
            with urllib.request.urlopen(url, timeout=5):
                return
        except OSError:
            time.sleep(0.1)
    raise RuntimeError("The server did not answer.")


if __name__ == "__main__":
    if shutil.which("wrk") is None:
        sys.exit("skipped: wrk is not installed (apt-get install wrk)")
    found = measure()
    for name, rate in found["per_s"].items():
        spread, cpu = found["spread"][name], found["cpu_us"][name]
        print(f"{name:6} {rate:9.1f} requests/s, spread {spread:4.0%}, {cpu:7} µs of processor a request")
    for name, (must, aim) in GOALS.items():
        ratio, of_cpu = found["ratios"][name], found["ratios_of_cpu"][name]
        print(f"{name:13} {ratio:6.2f}, by processor time {of_cpu:6.2f}   must {must}, aim {aim}")
    print(f"bulk: {found['bulk_items_per_s']} notifications/s; ledger: {found['ledger']}")
    sys.exit(not found["good"])
