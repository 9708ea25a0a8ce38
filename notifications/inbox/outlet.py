"""One socket's way out: frames in their order, and a reader that is slow delays nobody but itself."""

import asyncio
import logging
from collections import deque
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

logger = logging.getLogger(__name__)

Send = Callable[[Mapping[str, Any]], Awaitable[None]]

TOO_SLOW = 4413
MOST_WAITING = 500  # frames, beside what the transport buffers (64 KiB in asyncio)
CLOSE_SECONDS = 10  # how long a slow reader has to read why it is closed


class Outlet:
    """Frames to one socket. `put` never waits for the reader.

    A frame goes out at once while the transport takes more; after that frames wait here, and one task sends them.
    When MOST_WAITING wait, the socket is closed with 4413: the client comes back and asks for what it missed.
    """

    def __init__(self, send: Send) -> None:
        self._send = send
        self._protocol = getattr(send, "__self__", None)  # of uvicorn; other servers have no `writable`
        self._waiting: deque[Mapping[str, Any]] = deque()
        self._draining: asyncio.Task[None] | None = None
        self._held: list[str] | None = None
        self.closed = False

    async def put(self, text: str) -> None:
        """Send one frame, now or when its turn comes."""
        if self.closed:
            return
        if self._held is not None:
            self._held.append(text)
            if len(self._held) > MOST_WAITING:
                self.close(TOO_SLOW)
            return
        message = {"type": "websocket.send", "text": text}
        if self._draining is None and self._is_writable():
            await self._deliver(message)
        elif len(self._waiting) < MOST_WAITING:
            self._queue(message)
        else:
            self._waiting.clear()
            self.close(TOO_SLOW)

    def hold(self) -> None:
        """Keep back what comes, until `release`."""
        self._held = []

    def release(self) -> list[str]:
        """Return what was kept back, in its order; what comes now goes out."""
        held, self._held = self._held or [], None
        return held

    def close(self, code: int) -> None:
        """Close the socket after what waits; cut it off when its reader does not come to read that in time."""
        if not self.closed:
            self.closed = True
            self._queue({"type": "websocket.close", "code": code})
            asyncio.get_running_loop().call_later(CLOSE_SECONDS, self._cut_off)

    def drop(self) -> None:
        """Forget what waits: the socket is gone."""
        self.closed = True
        self._waiting.clear()
        if self._draining is not None:
            self._draining.cancel()

    def _is_writable(self) -> bool:
        writable = getattr(self._protocol, "writable", None)
        return isinstance(writable, asyncio.Event) and writable.is_set()

    def _queue(self, message: Mapping[str, Any]) -> None:
        self._waiting.append(message)
        if self._draining is None:
            self._draining = asyncio.create_task(self._drain())

    async def _drain(self) -> None:
        try:
            while self._waiting:
                await self._deliver(self._waiting.popleft())
        finally:
            self._draining = None

    async def _deliver(self, message: Mapping[str, Any]) -> None:
        try:
            await self._send(message)
        except Exception as error:  # the server's own class of "client disconnected", whichever server it is
            self.closed = True
            self._waiting.clear()
            logger.debug("inbox.socket_gone", extra={"error": type(error).__name__})

    def _cut_off(self) -> None:
        if self._draining is not None:
            self.drop()
            transport = getattr(self._protocol, "transport", None)
            if transport is not None:
                transport.abort()
