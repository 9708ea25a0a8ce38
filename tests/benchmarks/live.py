"""The live hub against a raw ASGI hub and against a channel layer: `python -m tests.benchmarks.live`.

One server process at a time, 1,000 and 5,000 open sockets of as many people, frames of 300 bytes to each person, from
the publisher's process over Redis to the last byte read. Rounds are interleaved. The ledger: each socket got each
frame once, in order; a round in which it did not is no round. Keepalive pings are off for all three.
SIZES (1000,5000), ROUNDS (3), TEST_REDIS_URL, TEST_DATABASE_URL; BENCH=quick: 1,000 sockets, one round.
"""

import json
import os
import socket
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psycopg

from tests.benchmarks.peers_environment import peers_python
from tests.benchmarks.sockets import Sockets
from tests.server import free_port

ROOT = Path(__file__).parents[2]
REDIS = os.environ.get("TEST_REDIS_URL", "redis://127.0.0.1:6379/5")
SERVER = os.environ.get("TEST_DATABASE_URL", "postgres://root@127.0.0.1:5432/postgres")
QUICK = os.environ.get("BENCH") == "quick"
SIZES = tuple(int(size) for size in os.environ.get("SIZES", "1000" if QUICK else "1000,5000").split(","))
ROUNDS = int(os.environ.get("ROUNDS", 1 if QUICK else 3))
FRAMES = {"carillon": 60_000, "raw": 60_000, "layer": 10_000}  # in one burst, over all sockets
APPLICATIONS = {
    "carillon": "project.asgi:application",
    "raw": "tests.benchmarks.live_peers:raw",
    "layer": "tests.benchmarks.live_peers:layer",
}
FLAGS = (
    *("--loop", "asyncio", "--lifespan", "off", "--no-access-log", "--log-level", "warning"),
    *("--ws", "websockets-sansio", "--ws-max-size", "65536", "--ws-per-message-deflate", "false"),
    *("--ws-ping-interval", "600"),
)


@dataclass
class Rounds:
    """What one layout did with so many sockets, round by round."""

    rates: list[float] = field(default_factory=list)  # frames a second
    kilobytes: list[float] = field(default_factory=list)  # a socket
    opened: list[float] = field(default_factory=list)  # sockets a second
    faults: int = 0  # sockets that missed or repeated a frame


def measure(sizes: tuple[int, ...] = SIZES, rounds: int = ROUNDS) -> dict[str, Any]:
    """Return {"1000": {"carillon": {"rate", "rates", "kb", "opened", "faults"}, …, "of_raw", "times_layer"}, …}."""
    found = {size: {layout: Rounds() for layout in APPLICATIONS} for size in sizes}
    with _scratch_database() as environment:
        prepared = _prepare(environment, max(sizes))
        environment["CHANNEL"] = prepared["channel"]
        for _ in range(rounds):
            for size in sizes:
                for layout in APPLICATIONS:
                    _one_round(layout, prepared["people"][:size], environment, found[size][layout])
    return {str(size): _summary(found[size]) for size in sizes}


def _one_round(layout: str, people: list[tuple[int, str]], environment: dict[str, str], into: Rounds) -> None:
    port = free_port()
    with _publisher(layout, environment) as publisher, _server(layout, port, environment) as server:
        before = _pss(server.pid)
        sockets = Sockets(port, [token if layout == "carillon" else str(pk) for pk, token in people])
        time.sleep(0.5)
        into.kilobytes.append((_pss(server.pid) - before) / len(people))
        into.opened.append(len(people) / sockets.seconds_to_open)
        each = max(2, FRAMES[layout] // len(people))
        for number, burst in enumerate([1, each]):  # the first warms up
            texts = [[_text(pk, number * 1000 + seq) for seq in range(burst)] for pk, _ in people]
            frames = [(pk, texts[at][seq]) for seq in range(burst) for at, (pk, _) in enumerate(people)]
            _say(publisher, json.dumps(frames))
            _say(publisher, "go", answered=False)
            seconds = sockets.receive(burst, 60)
            wrong = sum(got != [text.encode() for text in due] for got, due in zip(sockets.taken(), texts, strict=True))
            into.faults += wrong
        if not wrong:
            into.rates.append(len(frames) / seconds)
        sockets.close()


def _say(publisher: subprocess.Popen[str], line: str, *, answered: bool = True) -> None:
    assert publisher.stdin is not None and publisher.stdout is not None
    publisher.stdin.write(line + "\n")
    publisher.stdin.flush()
    if answered:
        publisher.stdout.readline()


def _text(pk: int, seq: int) -> str:
    """Return a frame of 300 bytes, whatever the numbers."""
    item = {"id": f"{pk:032d}", "seq": f"{seq + 1:09d}", "title": "Your parcel is on its way", "body": "x" * 167}
    return json.dumps({"type": "item.created", "item": item})


@contextmanager
def _scratch_database() -> Iterator[dict[str, str]]:
    """Give the environment of an installation on a database of its own, dropped at the end."""
    name = f"carillon_live_{os.getpid()}"
    with psycopg.connect(SERVER, autocommit=True) as connection:
        connection.execute(f'CREATE DATABASE "{name}"')
    try:
        yield os.environ | {
            "DJANGO_SETTINGS_MODULE": "project.settings",
            "DATABASE_URL": f"{SERVER.rpartition('/')[0]}/{name}",
            "REDIS_URL": REDIS,
            "SECRET_KEY": "for this measurement alone, and of no use anywhere else: long enough",
            "ENCRYPTION_KEYS": f"b1:{'A' * 43}=",
            "BLIND_INDEX_KEYS": f"b1:{'B' * 43}=",
            "LOG_FORMAT": "plain",
            "LOG_LEVEL": "WARNING",
        }
    finally:
        with psycopg.connect(SERVER, autocommit=True) as connection:
            connection.execute(f'DROP DATABASE "{name}" WITH (FORCE)')


def _prepare(environment: dict[str, str], people: int) -> dict[str, Any]:
    command = [sys.executable, "-m", "tests.benchmarks.live_roles", "prepare", str(people)]
    output = subprocess.run(command, env=environment, cwd=ROOT, check=True, stdout=subprocess.PIPE, text=True).stdout
    prepared: dict[str, Any] = json.loads(output.splitlines()[-1])
    return prepared


@contextmanager
def _publisher(layout: str, environment: dict[str, str]) -> Iterator[subprocess.Popen[str]]:
    command = [sys.executable, "-m", "tests.benchmarks.live_roles", "publish"]
    if layout == "layer":
        command = [str(peers_python()), "-m", "tests.benchmarks.live_peers"]
    pipes: dict[str, Any] = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    with subprocess.Popen(command, env=environment, cwd=ROOT, **pipes) as process:
        assert process.stdin is not None and process.stdout is not None
        process.stdout.readline()
        yield process
        process.stdin.close()


@contextmanager
def _server(layout: str, port: int, environment: dict[str, str]) -> Iterator[subprocess.Popen[bytes]]:
    python = str(peers_python()) if layout == "layer" else sys.executable
    command = [python, "-m", "uvicorn", APPLICATIONS[layout], "--port", str(port), *FLAGS]
    process = subprocess.Popen(command, env=environment, cwd=ROOT)
    try:
        _wait_for(port, process)
        yield process
    finally:
        process.kill()  # Channels' layer does not end within seconds with thousands of sockets open
        process.wait()


def _wait_for(port: int, process: subprocess.Popen[bytes]) -> None:
    while process.poll() is None:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.05)
    raise RuntimeError("The server did not start.")


def _pss(pid: int) -> float:
    """Return a process's proportional memory in kB."""
    rollup = Path(f"/proc/{pid}/smaps_rollup").read_text()
    return float(rollup.partition("\nPss:")[2].split()[0])


def _summary(layouts: dict[str, Rounds]) -> dict[str, Any]:
    summary: dict[str, Any] = {
        layout: {
            "rate": statistics.median(rounds.rates) if rounds.rates else 0.0,
            "rates": rounds.rates,
            "kb": statistics.median(rounds.kilobytes),
            "opened": statistics.median(rounds.opened),
            "faults": rounds.faults,
        }
        for layout, rounds in layouts.items()
    }
    ours = summary["carillon"]["rate"]
    for name, peer in (("of_raw", "raw"), ("times_layer", "layer")):
        summary[name] = ours / summary[peer]["rate"] if summary[peer]["rate"] else 0.0
    return summary


if __name__ == "__main__":
    for size, summary in measure().items():
        for layout in APPLICATIONS:
            row = summary[layout]
            rates = " ".join(f"{rate:,.0f}" for rate in row["rates"])
            print(
                f"{size} sockets, {layout}: {row['rate']:,.0f} frames/s ({rates}), {row['kb']:.1f} kB a socket,"
                f" {row['opened']:,.0f} opened/s, {row['faults']} faults"
            )
        print(f"{size} sockets: {summary['of_raw']:.2f} of raw ASGI, {summary['times_layer']:.1f} x the channel layer")
