"""One socket's way out: frames in their order, and a reader that is slow delays nobody but itself."""

import asyncio
import logging
import time
from collections import deque
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from notifications.inbox.items import number_of

logger = logging.getLogger(__name__)

Send = Callable[[Mapping[str, Any]], Awaitable[None]]

TOO_SLOW = 4413
MOST_WAITING = 500  # frames, beside what the transport buffers (64 KiB in asyncio)
LATE_SECONDS = 10.0  # more than any publish takes
CLOSE_SECONDS = 10  # how long a slow reader has to read why it is closed


class Outlet:
    """Frames to one socket. `put` never waits for the reader.

    A frame goes out at once while the transport takes more; after that frames wait here, and one task sends them.
    When MOST_WAITING wait, the socket is closed with 4413: the client comes back and asks for what it missed.
    There is one for each open socket, so what it holds is little: most never have anything waiting.
    """

    __slots__ = (
        "_draining",
        "_held",
        "_known_to",
        "_known_until",
        "_protocol",
        "_send",
        "_waiting",
        "_writable",
        "closed",
    )

    def __init__(self, send: Send) -> None:
        self._send = send
        self._protocol = getattr(send, "__self__", None)  # of uvicorn; other servers have no `writable`
        self._writable: asyncio.Event | None = getattr(self._protocol, "writable", None)
        self._waiting: deque[Mapping[str, Any]] | None = None
        self._draining: asyncio.Task[None] | None = None
        self._held: list[str] | None = None
        self._known_to = 0  # until _known_until no frame up to this number is news
        self._known_until = 0.0  # time.monotonic()
        self.closed = False

    async def put(self, text: str) -> None:
        """Send one frame, now or when its turn comes."""
        if self.closed:
            return
        message = {"type": "websocket.send", "text": text}
        if self._draining is None and self._writable is not None and self._writable.is_set():
            await self._deliver(message)
        elif len(self._waiting or ()) < MOST_WAITING:
            self._queue(message)
        else:
            self._waiting = None
            self.close(TOO_SLOW)

    async def tell(self, text: str) -> None:
        """Send one live frame, unless live frames are held or the client has what it says already."""
        if self._held is None:
            if not (self._known_to and self._is_known(text)):
                await self.put(text)
        elif not self.closed:
            self._held.append(text)
            if len(self._held) > MOST_WAITING:
                self.close(TOO_SLOW)

    def hold(self) -> None:
        """Keep back what comes live, until `release`."""
        self._held = []

    def release(self, known_to: int) -> list[str]:
        """Return what was kept back and is news, in its order; what comes live now goes out.

        The client has what happened up to the number `known_to`. A frame may travel after its commit for as long as a
        publish may take: until then each is looked at.
        """
        held, self._held = self._held or [], None
        self._known_to, self._known_until = known_to, time.monotonic() + LATE_SECONDS
        return [text for text in held if number_of(text) > known_to]

    def close(self, code: int) -> None:
        """Close the socket after what waits; cut it off when its reader does not come to read that in time."""
        if not self.closed:
            self.closed = True
            self._queue({"type": "websocket.close", "code": code})
            asyncio.get_running_loop().call_later(CLOSE_SECONDS, self._cut_off)

    def drop(self) -> None:
        """Forget what waits: the socket is gone."""
        self.closed = True
        self._waiting = None
        if self._draining is not None:
            self._draining.cancel()

    def _is_known(self, text: str) -> bool:
        if time.monotonic() > self._known_until:
            self._known_to = 0
            return False
        return number_of(text) <= self._known_to

    def _queue(self, message: Mapping[str, Any]) -> None:
        if self._waiting is None:
            self._waiting = deque()
        self._waiting.append(message)
        if self._draining is None:
            self._draining = asyncio.create_task(self._drain())

    async def _drain(self) -> None:
        try:
            while self._waiting:
                await self._deliver(self._waiting.popleft())
        finally:
            self._waiting = self._draining = None

    async def _deliver(self, message: Mapping[str, Any]) -> None:
        try:
            await self._send(message)
        except Exception as error:  # the server's own class of "client disconnected", whichever server it is
            self.closed = True
            self._waiting = None
            logger.debug("inbox.socket_gone", extra={"error": type(error).__name__})

    def _cut_off(self) -> None:
        if self._draining is not None:
            self.drop()
            transport = getattr(self._protocol, "transport", None)
            if transport is not None:
                transport.abort()
