"""Callers at work: they send, and repeat under the same Idempotency-Key until they have their 202."""

import itertools
import threading
import time
from collections.abc import Callable
from typing import Any

import httpx

from tests.faults.ledger import Book
from tests.faults.processes import Process
from tests.faults.seed import PEOPLE
from tests.faults.stack import Stack

PATIENCE_SECONDS = 60


def body(word: str, person: int = 0, **fields: Any) -> dict[str, Any]:
    """Return a request to mail `word` to a person."""
    return {
        "user_id": f"p{person % PEOPLE}",
        "type": "ORDER",
        "channels_preferred": ["email"],
        "payload": {"title": word, "body": word},
    } | fields


def send(
    client: Callable[[], httpx.Client] | httpx.Client, book: Book, word: str, person: int = 0, **fields: Any
) -> str:
    """Send until 202, as a patient caller does; return the notification's id. Every answer must be one it can read."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < deadline:
        asking = client() if callable(client) else client
        try:
            answer = asking.post(
                "/notifications/send", json=body(word, person, **fields), headers={"Idempotency-Key": word}
            )
        except httpx.TransportError:
            book.broken += 1
            time.sleep(0.1)
            continue
        book.answers[answer.status_code] += 1
        assert answer.headers["content-type"].startswith(("application/json", "application/problem+json")), answer.text
        if answer.status_code == 202:
            notification_id = str(answer.json()["notification_id"])
            book.note(word, notification_id)
            return notification_id
        assert answer.status_code in {409, 503}, f"{answer.status_code} {answer.text}"
        assert int(answer.headers["retry-after"]) >= 1
        time.sleep(0.1)
    raise AssertionError(f"{word} was not accepted within {PATIENCE_SECONDS} s")


class Load:
    """Threads that send without pause while the `with` block runs. Errors of theirs are raised at its end."""

    def __init__(
        self, stack: Stack, book: Book, webs: list[Process], *, threads: int = 3, pause: float = 0.02, **fields: Any
    ) -> None:
        self._stack, self._book, self._webs, self._pause, self._fields = stack, book, webs, pause, fields
        self._numbers, self._turns = itertools.count(), itertools.count()
        self._ending = threading.Event()
        self._errors: list[BaseException] = []
        self._threads = [threading.Thread(target=self._send_for_ever, daemon=True) for _ in range(threads)]

    def __enter__(self) -> "Load":
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, *rest: object) -> None:
        self._ending.set()
        for thread in self._threads:
            thread.join(PATIENCE_SECONDS + 5)
        if kind is None and self._errors:
            raise self._errors[0]

    def until_accepted(self, count: int) -> None:
        """Wait until `count` more requests were accepted."""
        wanted = len(self._book.promised) + count
        self._stack.until(
            lambda: len(self._book.promised) >= wanted or self._errors, f"{count} more requests are accepted"
        )

    def _send_for_ever(self) -> None:
        clients: dict[int, httpx.Client] = {}

        def next_client() -> httpx.Client:
            """Return a client of one web process after the other, as a load balancer does."""
            web = self._webs[next(self._turns) % len(self._webs)]
            if web.port not in clients:
                clients[web.port] = self._stack.client(web)
            return clients[web.port]

        try:
            while not self._ending.is_set():
                number = next(self._numbers)
                send(next_client, self._book, f"load-{number}", number, **self._fields)
                time.sleep(self._pause)
        except BaseException as error:
            self._errors.append(error)
        finally:
            for client in clients.values():
                client.close()
