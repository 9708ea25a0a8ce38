"""Where this was measured: ratios carry over to other machines, figures do not."""

import os
import platform
import subprocess
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import psycopg
import redis

from tests.benchmarks.scratch import REDIS, SERVER

HERE = Path(__file__).resolve().parent
_PACKAGES = ("django", "djangorestframework", "celery", "psycopg", "redis", "granian", "uvicorn", "python-liquid")


def describe() -> dict[str, str]:
    """Return what to name beside every figure."""
    return {
        "processor": _processor(),
        "cores": str(os.cpu_count()),
        "memory": f"{_memory_kb() / 1024 / 1024:.0f} GB",
        "system": platform.platform(),
        "Python": platform.python_version(),
        "PostgreSQL": _postgresql(),
        "Redis": _redis(),
        "load before": f"{os.getloadavg()[0]:.2f}",
        "commit": _commit(),
        **{name: _version(name) for name in _PACKAGES},
    }


def _processor() -> str:
    lines = Path("/proc/cpuinfo").read_text().splitlines()
    return next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), platform.machine())


def _memory_kb() -> int:
    return int(Path("/proc/meminfo").read_text().partition("MemTotal:")[2].split()[0])


def _postgresql() -> str:
    """Return its version and the settings without which a speed would be a false one."""
    with psycopg.connect(SERVER) as connection:
        names = ("server_version", "fsync", "synchronous_commit", "shared_buffers")
        found = [str(connection.execute(f"SHOW {name}").fetchone()[0]) for name in names]  # type: ignore[index]
    return f"{found[0].split()[0]} (fsync {found[1]}, synchronous_commit {found[2]}, shared_buffers {found[3]})"


def _redis() -> str:
    with redis.Redis.from_url(REDIS) as client:
        return str(client.info("server")["redis_version"])


def _commit() -> str:
    found = subprocess.run(["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True, cwd=HERE)
    return found.stdout.strip() or "?"


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return "?"
