"""A production installation of a test's own: real processes, proxies before its services, stand-ins behind it."""

import itertools
import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import httpx
import redis
from kombu import Connection

from tests.faults import processes
from tests.faults.background import Background
from tests.faults.databases import Database, environment_of
from tests.faults.processes import Process
from tests.faults.proxy import Proxy
from tests.faults.sinks import HttpSink, MailSink
from tests.providers.http_server import Script, Service
from tests.server import free_port

SECONDS = 60  # for anything to happen that will happen
# An hour in seconds: leases, sweeps and retries of production, shrunk together.
TIMINGS = {
    "LEASE_SECONDS": "4",
    "SWEEP_SECONDS": "1",
    "PROVIDER_TIMEOUT_SECONDS": "1.5",
    "RETRY_SCHEDULE": "0s,0.5s,0.5s,1s,1s",
    "CLAIM_SIZE": "50",
    "FLUSH_SIZE": "20",
}


class Stack:
    def __init__(
        self, *, database: Database, broker_url: str, redis_url: str, api_key: str, directory: Path, **environment: str
    ) -> None:
        self.database = database
        self.directory = directory
        self.api_key = api_key
        self.queue = f"faults-{directory.name}-{os.getpid()}"
        self._background = Background()
        self._direct_broker_url = broker_url
        self.web_database = self._proxy(database.url, 5432)
        self.worker_database = self._proxy(database.url, 5432)
        self.broker = self._proxy(broker_url, 5672 if broker_url.startswith("amqp") else 6379)
        self.live_redis = self._proxy(redis_url, 6379)
        self.mail = MailSink(self._background)
        self.http = HttpSink(self._background)
        self.sinks: list[MailSink | HttpSink] = [self.mail, self.http]
        self.mail_line = Proxy(self._background, "127.0.0.1", self.mail.port)
        self._services: list[Service] = []
        self.processes: list[Process] = []
        self._names = itertools.count(1)
        self.environment = (
            TIMINGS
            | {
                "BROKER_URL": _through(self.broker, broker_url),
                "REDIS_URL": _through(self.live_redis, redis_url),
                "QUEUE": self.queue,
                "CREDENTIAL_ENV_NAMES": "SINK_PORT,HTTP_SINK_URL",
                "SINK_PORT": str(self.mail_line.port),
                "HTTP_SINK_URL": self.http.url,
                "PUBLIC_URL": "http://carillon.example.com",
                "ALLOWED_HOSTS": "*",
                "WORKERS": "1",
                "CONCURRENCY": "2",
                "LOG_FORMAT": "plain",
            }
            | environment
        )

    def start(self, role: str, *, output: Path | None = None, **environment: str) -> Process:
        """Start a process of `role` and return at once."""
        own = {"HOST": "127.0.0.1", "PORT": str(free_port())} if role in {"web", "live"} else {}
        proxy = self.web_database if role in {"web", "live"} else self.worker_database
        wanted = self.environment | own | {"DATABASE_URL": _through(proxy, self.database.url)} | environment
        name = f"{role}-{next(self._names)}"
        process = processes.start(role, self.directory, environment_of(wanted), name=name, output=output)
        self.processes.append(process)
        return process

    def web(self, *, output: Path | None = None, **environment: str) -> Process:
        """Start a web process and wait until it answers."""
        process = self.start("web", output=output, **environment)
        self.until(lambda: self.answers(process), "the web process answers")
        return process

    def worker(self, **environment: str) -> Process:
        return self.start("worker", **environment)

    def second_mail_sink(self) -> MailSink:
        """Return one more mail stand-in, for an account that a test adds."""
        sink = MailSink(self._background)
        self.sinks.append(sink)
        return sink

    def play(self, says: Script) -> str:
        """Let a stand-in of an HTTP service answer as `says` says; return its URL."""
        service = Service(says)
        self._background.run(service.__aenter__())
        self._services.append(service)
        return service.url

    def answers(self, process: Process, path: str = "/livez") -> bool:
        assert process.is_running, process.output
        try:
            return httpx.get(f"http://127.0.0.1:{process.port}{path}", timeout=5).status_code == 200
        except httpx.TransportError:
            return False

    def client(self, process: Process) -> httpx.Client:
        """Return a client with the API key that asks one web process."""
        return httpx.Client(
            base_url=f"http://127.0.0.1:{process.port}/api/v1",
            headers={"Authorization": f"Bearer {self.api_key}"},
            timeout=15,
        )

    def until(self, condition: Callable[[], Any], what: str, seconds: float = SECONDS) -> Any:
        """Wait until `condition` gives something, and return that."""
        deadline = time.monotonic() + seconds
        while not (found := condition()):
            assert time.monotonic() < deadline, f"Not within {seconds} s: {what}\n{self.report()}"
            time.sleep(0.05)
        return found

    def until_idle(self, seconds: float = SECONDS) -> None:
        """Wait until nothing accepted is left to do."""
        self.until(lambda: not self.due(), "nothing is due any more", seconds)

    def due(self) -> int:
        """Return how many rows are work, now or later."""
        query = """SELECT (SELECT count(*) FROM notifications_notification WHERE due_at IS NOT NULL)
                        + (SELECT count(*) FROM notifications_delivery WHERE due_at IS NOT NULL) AS due"""
        return int(self.database.rows(query)[0]["due"])

    def statuses(self) -> dict[str, int]:
        """Return how many deliveries have which status."""
        query = "SELECT status, count(*) AS n FROM notifications_delivery GROUP BY status"
        return {row["status"]: row["n"] for row in self.database.rows(query)}

    def deliveries(self, notification_id: str | None = None) -> list[dict[str, Any]]:
        """Return deliveries as they stand, of one notification or of all."""
        where = "" if notification_id is None else "WHERE notification_id = %s"
        values = () if notification_id is None else (notification_id,)
        return self.database.rows(f"SELECT * FROM notifications_delivery {where} ORDER BY id", *values)

    def attempts(self, delivery_id: Any) -> list[dict[str, Any]]:
        query = "SELECT * FROM notifications_attempt WHERE delivery_id = %s ORDER BY number"
        return self.database.rows(query, delivery_id)

    def lose_broker_messages(self) -> None:
        """Empty the broker, as its restart without a disk does."""
        if self._direct_broker_url.startswith("amqp"):
            with Connection(self._direct_broker_url) as broker, broker.channel() as channel:
                channel.queue_purge(self.queue)
        else:
            redis.Redis.from_url(self._direct_broker_url).flushdb()

    def report(self) -> str:
        """Return what the processes said last, for a test that failed."""
        said = [f"--- {process.log.name}\n{process.output[-3000:]}" for process in self.processes]
        return "\n".join([f"deliveries: {self.statuses()}, due: {self.due()}", *said])

    def close(self) -> None:
        for process in self.processes:
            process.thaw()
            process.kill()
        for proxy in (self.mail_line, self.web_database, self.worker_database, self.broker, self.live_redis):
            proxy.close()
        for sink in self.sinks:
            sink.close()
        for service in self._services:
            self._background.run(service.__aexit__())
        self._background.close()
        self._forget_broker()

    def _forget_broker(self) -> None:
        if self._direct_broker_url.startswith("amqp"):
            with Connection(self._direct_broker_url) as broker, broker.channel() as channel:
                channel.queue_delete(self.queue)
        else:
            redis.Redis.from_url(self._direct_broker_url).flushdb()

    def _proxy(self, url: str, port: int) -> Proxy:
        parts = urlsplit(url)
        return Proxy(self._background, parts.hostname or "127.0.0.1", parts.port or port)


def _through(proxy: Proxy, url: str) -> str:
    parts = urlsplit(url)
    user, at, _ = parts.netloc.rpartition("@")
    return urlunsplit(parts._replace(netloc=f"{user}{at}127.0.0.1:{proxy.port}"))
