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
LATE_SECONDS = 10.0  # more than any publish takes
CLOSE_SECONDS = 10  # how long a slow reader has to read why it is closed


def _never(text: str) -> bool:
    return False


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
        self._is_known: Callable[[str], bool] = _never
        self.closed = False

    async def put(self, text: str) -> None:
        """Send one frame, now or when its turn comes."""
        if self.closed:
            return
        message = {"type": "websocket.send", "text": text}
        if self._draining is None and self._is_writable():
            await self._deliver(message)
        elif len(self._waiting) < MOST_WAITING:
            self._queue(message)
        else:
            self._waiting.clear()
            self.close(TOO_SLOW)

    async def tell(self, text: str) -> None:
        """Send one live frame, unless live frames are held or the client has what it says already."""
        if self._held is None:
            if not self._is_known(text):
                await self.put(text)
        elif not self.closed:
            self._held.append(text)
            if len(self._held) > MOST_WAITING:
                self.close(TOO_SLOW)

    def hold(self) -> None:
        """Keep back what comes live, until `release`."""
        self._held = []

    def release(self, is_known: Callable[[str], bool]) -> list[str]:
        """Return what was kept back and is news, in its order; what comes live now goes out.

        A frame may travel after its commit for as long as a publish may take: until then `is_known` is asked of each.
        """
        held, self._held = self._held or [], None
        self._is_known = is_known
        asyncio.get_running_loop().call_later(LATE_SECONDS, self._know_nothing)
        return [text for text in held if not is_known(text)]

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

    def _know_nothing(self) -> None:
        self._is_known = _never

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
