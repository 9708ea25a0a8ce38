"""The real services that parts of the suite need, found by asking them; `python -m tests.services NAME` prints a URL.

TEST_DATABASE_URL, TEST_REDIS_URL, TEST_RABBITMQ_URL and CHROMIUM say where else to look.
"""

import getpass
import os
import shutil
import sys
from collections.abc import Callable

import psycopg
import redis
from kombu import Connection
from kombu.exceptions import OperationalError

SECONDS = 3


class Absent(Exception):
    """The service is not there. Its text names the service and where it was looked for."""


def postgresql() -> str:
    url = os.environ.get("TEST_DATABASE_URL", f"postgres://{getpass.getuser()}@127.0.0.1:5432/postgres")
    try:
        psycopg.connect(url, connect_timeout=SECONDS).close()
    except psycopg.OperationalError as error:
        raise Absent(f"PostgreSQL (TEST_DATABASE_URL): {str(error).splitlines()[0]}") from None
    return url


def redis_server() -> str:
    url = os.environ.get("TEST_REDIS_URL", "redis://127.0.0.1:6379/9")
    try:
        redis.Redis.from_url(url, socket_connect_timeout=SECONDS, socket_timeout=SECONDS).ping()
    except redis.RedisError as error:
        raise Absent(f"Redis (TEST_REDIS_URL): {error}") from None
    return url


def rabbitmq() -> str:
    url = os.environ.get("TEST_RABBITMQ_URL", "amqp://guest:guest@127.0.0.1:5672//")
    try:
        with Connection(url, connect_timeout=SECONDS) as broker:
            broker.ensure_connection(max_retries=1, timeout=SECONDS)
    except (OperationalError, OSError) as error:
        raise Absent(f"RabbitMQ (TEST_RABBITMQ_URL): {error}") from None
    return url


def chromium() -> str:
    wanted = os.environ.get("CHROMIUM")
    for name in [wanted] if wanted else ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"]:
        if path := shutil.which(name):
            return path
    raise Absent("Chromium (CHROMIUM): no such program on the PATH")


FINDERS: dict[str, Callable[[], str]] = {
    "postgresql": postgresql,
    "redis": redis_server,
    "rabbitmq": rabbitmq,
    "chromium": chromium,
}

if __name__ == "__main__":
    try:
        print(FINDERS[sys.argv[1]]())
    except Absent as absence:
        sys.exit(f"skipped: {absence}")
