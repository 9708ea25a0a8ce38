"""Databases of a benchmark's own, and the environment that production's settings read. Imports nothing of Django."""

import os
from collections.abc import Iterator
from contextlib import contextmanager

import psycopg

SERVER = os.environ.get("TEST_DATABASE_URL", "postgres://root@127.0.0.1:5432/postgres")
REDIS = os.environ.get("BENCH_REDIS_URL", "redis://127.0.0.1:6379/6")
QUICK = os.environ.get("BENCH") == "quick"
ROUNDS = int(os.environ.get("ROUNDS", 2 if QUICK else 3))
_SECRET = "for this measurement alone, and of no use anywhere else: long enough"


@contextmanager
def database(name: str) -> Iterator[str]:
    """Make a database, yield its URL, and drop it whatever happened."""
    unique = f"carillon_bench_{name}_{os.getpid()}"
    with psycopg.connect(SERVER, autocommit=True) as connection:
        connection.execute(f'CREATE DATABASE "{unique}"')
    try:
        yield SERVER.rpartition("/")[0] + f"/{unique}"
    finally:
        with psycopg.connect(SERVER, autocommit=True) as connection:
            connection.execute(f'DROP DATABASE "{unique}" WITH (FORCE)')


def carillon(url: str) -> dict[str, str]:
    """Return the environment in which Carillon's own settings serve this database, as in production."""
    return {
        "DJANGO_SETTINGS_MODULE": "project.settings",
        "DATABASE_URL": url,
        "BROKER_URL": REDIS,
        "REDIS_URL": REDIS,
        "SECRET_KEY": _SECRET,
        "ENCRYPTION_KEYS": "b1:" + "A" * 43 + "=",
        "BLIND_INDEX_KEYS": "b1:" + "B" * 43 + "=",
        "LOG_FORMAT": "plain",
        "LOG_LEVEL": "ERROR",
    }
