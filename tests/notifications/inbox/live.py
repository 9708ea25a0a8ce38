"""A real server for the inbox socket, in a thread of the test's own process, and a client that speaks its protocol."""

import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from typing import Any

import uvicorn
from channels.routing import URLRouter
from django.conf import settings
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
from django.db import transaction
from django.urls import path
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection, connect

from notifications.inbox import feed, hub, tokens
from notifications.inbox.consumer import InboxConsumer
from notifications.inbox.feed import NewItem
from preferences.models import User

SECONDS = 5  # to wait for what must come
QUIET_SECONDS = 0.3  # to wait for what must not


@contextmanager
def serving() -> Iterator[str]:
    """Serve /ws/inbox/ as the live role does; give its URL."""
    application = URLRouter([path("ws/inbox/", InboxConsumer.as_asgi())])
    config = uvicorn.Config(
        application, port=0, ws="websockets-sansio", ws_per_message_deflate=False, lifespan="off", log_config=None
    )
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        time.sleep(0.01)
    port = server.servers[0].sockets[0].getsockname()[1]
    yield f"ws://127.0.0.1:{port}/ws/inbox/"
    server.should_exit = True
    thread.join(10)


@contextmanager
def opened(url: str, **options: Any) -> Iterator["Socket"]:
    with connect(url, compression=None, ping_interval=None, **options) as connection:
        yield Socket(connection)


class Socket:
    """A client of the inbox socket."""

    def __init__(self, connection: ClientConnection) -> None:
        self.connection = connection

    def say(self, **content: Any) -> None:
        self.connection.send(json.dumps(content))

    def hello(self, user: User | None, *, since: int | None = None, mode: str = "live", seconds: int = 60) -> None:
        token = None
        if user is not None:
            token, _ = tokens.mint(user_id=user.user_id, user_pk=user.pk, mode=mode, seconds=seconds)
        self.say(type="hello", token=token, since=since)

    def hear(self) -> dict[str, Any]:
        """Return the next frame."""
        frame: dict[str, Any] = json.loads(self.connection.recv(timeout=SECONDS))
        return frame

    def hear_all(self, *, seconds: float = QUIET_SECONDS) -> list[dict[str, Any]]:
        """Return all frames until it is quiet."""
        frames = []
        try:
            while True:
                frames.append(json.loads(self.connection.recv(timeout=seconds)))
        except TimeoutError:
            return frames

    def closed(self, *, seconds: float = SECONDS) -> int:
        """Return the code that the server closes with, past whatever it still says."""
        deadline = time.monotonic() + seconds
        try:
            while True:
                self.connection.recv(timeout=max(0.0, deadline - time.monotonic()))
        except ConnectionClosed as closing:
            return closing.rcvd.code if closing.rcvd else 1006


def tell(*items: NewItem) -> None:
    """Put items into inboxes and tell of it, as the planner does."""
    with transaction.atomic():
        frames = feed.add_items(items)
        transaction.on_commit(lambda: hub.publish(frames))


def session_cookie(user: User) -> dict[str, str]:
    session = import_module(settings.SESSION_ENGINE).SessionStore()
    session[SESSION_KEY] = str(user.pk)
    session[BACKEND_SESSION_KEY] = settings.AUTHENTICATION_BACKENDS[0]
    session[HASH_SESSION_KEY] = user.get_session_auth_hash()
    session.save()
    return {"Cookie": f"{settings.SESSION_COOKIE_NAME}={session.session_key}"}
