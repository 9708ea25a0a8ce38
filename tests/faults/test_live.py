"""The live inbox when its Redis is away."""

import json
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

import httpx
import pytest
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection, connect
from websockets.typing import Origin

from tests.faults.ledger import Book
from tests.faults.load import send
from tests.faults.stack import Stack

IN_APP: dict[str, Any] = {"channels_preferred": ["in_app"]}


@pytest.mark.faults_all
def test_without_its_redis_the_inbox_works_by_asking_and_is_live_again_within_30_seconds(
    stack: Stack, book: Book
) -> None:
    web, live = stack.web(), stack.start("live")
    stack.worker()
    stack.until(lambda: stack.answers(live), "the live process answers")
    with stack.client(web) as client, ExitStack() as sockets:
        token = client.post("/users/p1/tokens").json()["token"]
        socket = sockets.enter_context(_open(live.port, token))
        assert _is_ready(socket)
        send(client, book, "first", 1, **IN_APP)
        assert _next_item(socket, 30) == "first"
        stack.live_redis.drop()

        send(client, book, "second", 1, **IN_APP)
        send(client, book, "mail", 2)
        stack.until(lambda: _inbox(web.port, token)[:1] == ["second"], "the inbox shows it when asked")
        stack.until(lambda: stack.mail.taken, "mail goes out as ever")

        stack.live_redis.heal()
        healed = time.monotonic()
        title = None
        for number in range(30):
            if socket.state.name != "OPEN":  # the server closed it: our script in the page opens another
                socket = sockets.enter_context(_open(live.port, token))
                assert _is_ready(socket)
            send(client, book, f"live-{number}", 1, **IN_APP)
            if title := _next_item(socket, 1):
                break
        assert title and time.monotonic() - healed < 35


@contextmanager
def _open(port: int, token: str) -> Iterator[ClientConnection]:
    with connect(f"ws://127.0.0.1:{port}/ws/inbox/", origin=Origin(f"http://127.0.0.1:{port}")) as socket:
        socket.send(json.dumps({"type": "hello", "token": token, "since": None}))
        yield socket


def _is_ready(socket: ClientConnection) -> bool:
    return bool(json.loads(socket.recv(15))["type"] == "ready")


def _next_item(socket: ClientConnection, seconds: float) -> str | None:
    """Return the title of the next item that the socket tells of."""
    deadline = time.monotonic() + seconds
    while (left := deadline - time.monotonic()) > 0:
        try:
            frame = json.loads(socket.recv(left))
        except (TimeoutError, ConnectionClosed):
            return None
        if frame["type"] == "item.created":
            return str(frame["item"]["title"])
    return None


def _inbox(port: int, token: str) -> list[str]:
    answer = httpx.get(
        f"http://127.0.0.1:{port}/api/v1/inbox", headers={"Authorization": f"Bearer {token}"}, timeout=10
    )
    return [item["title"] for item in answer.json()["results"]]
