"""Lines to and from one SMTP server."""

import asyncio
import ssl
from collections import deque

from notifications.providers.smtp_replies import Reply

_MOST_BYTES = 64 * 1024  # of one reply; RFC 5321 §4.5.3.1.5 allows 512 a line
_SILENT = "The server did not answer in time."


class ConnectionLost(Exception):
    """The server hung up, fell silent or spoke no SMTP. Nothing more can be said or heard."""


class Wire(asyncio.Protocol):
    """One connection. Commands are written at once; replies come in order.

    Waiting has no end of its own: whoever waits does so inside a timeout, or has said `keep_to` before.
    """

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._transport: asyncio.Transport | None = None
        self._pending = b""
        self._lines: list[str] = []
        self._size = 0  # of the reply being read
        self._replies: deque[Reply] = deque()
        self._waiter: asyncio.Future[None] | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._paused = False
        self._lost = ""

    async def start_tls(self, context: ssl.SSLContext, host: str) -> None:
        """Encrypt from here on. Whatever was received in clear after the server's yes is an attack (CVE-2011-0411)."""
        if self._pending or self._lines or self._replies:
            self.abort("The server spoke before the encryption began.")
            raise ConnectionLost(self._lost)
        secured = await self._loop.start_tls(self._open_transport(), self, context, server_hostname=host)
        if secured is None:
            self.abort("The server hung up.")
            raise ConnectionLost(self._lost)
        self._use(secured)

    @property
    def is_open(self) -> bool:
        return not self._lost

    @property
    def is_usable(self) -> bool:
        """Whether the connection is open and silent: nothing has come that nobody has read."""
        return not (self._lost or self._pending or self._lines or self._replies)

    def keep_to(self, deadline: float | None) -> None:
        """Break the connection off at `deadline` (the loop's time), unless it is called again before; None: never."""
        if self._timer is not None:
            self._timer.cancel()
        self._timer = None if deadline is None or self._lost else self._loop.call_at(deadline, self.abort, _SILENT)

    def write(self, data: bytes) -> None:
        if not self._lost:
            self._open_transport().write(data)

    async def flush(self) -> None:
        """Wait until everything written has left this process, or the connection is lost, or the server speaks."""
        while self._paused and not self._lost and not self._replies:
            await self._change()

    async def ask(self, command: str) -> Reply:
        """Say one command and return the reply. Raises ConnectionLost."""
        self.write(f"{command}\r\n".encode())
        return await self.reply()

    async def reply(self) -> Reply:
        """Return the next reply. Raises ConnectionLost."""
        while not self._replies:
            if self._lost:
                raise ConnectionLost(self._lost)
            await self._change()
        return self._replies.popleft()

    async def arrive(self, count: int) -> None:
        """Wait until `count` replies are there to be read, or no more will come."""
        while len(self._replies) < count and not self._lost and not (self._replies and self._replies[-1].closes):
            await self._change()

    def close(self) -> None:
        """Say good-bye without waiting for the answer."""
        if not self._lost and self._transport is not None:
            self._lost = "The connection is closed."
            self._transport.write(b"QUIT\r\n")
            self._transport.close()
        elif self._transport is not None:
            self._transport.abort()

    def abort(self, why: str) -> None:
        self._end(why)
        self._replies.clear()
        if self._transport is not None:
            self._transport.abort()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._use(transport)

    def data_received(self, data: bytes) -> None:
        self._size += len(data)
        *complete, self._pending = (self._pending + data).split(b"\n")
        for line in complete:
            self._read(line)
        if self._size > _MOST_BYTES:
            self.abort("The server's answer has no end.")
        self._wake()

    def eof_received(self) -> None:
        self._end("The server hung up.")

    def connection_lost(self, error: Exception | None) -> None:
        self._end("The connection broke.")

    def pause_writing(self) -> None:
        self._paused = True

    def resume_writing(self) -> None:
        self._paused = False
        self._wake()

    def _use(self, transport: asyncio.Transport) -> None:
        self._transport = transport
        transport.set_write_buffer_limits(high=0)  # paused means: something has not left yet

    def _open_transport(self) -> asyncio.Transport:
        assert self._transport is not None
        return self._transport

    def _read(self, line: bytes) -> None:
        code = line[:3]
        if len(code) < 3 or not code.isdigit():
            self.abort("The server does not speak SMTP.")
            return
        self._lines.append(line[4:].decode("utf-8", errors="replace").rstrip("\r"))
        if line[3:4] != b"-":
            self._replies.append(Reply(int(code), tuple(self._lines)))
            self._lines, self._size = [], 0

    def _end(self, why: str) -> None:
        self._lost = self._lost or why
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        self._wake()

    def _wake(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)

    async def _change(self) -> None:
        self._waiter = self._loop.create_future()
        try:
            await self._waiter
        finally:
            self._waiter = None
