"""Lines to and from one SMTP server, each wait under a deadline."""

import asyncio
import re
import ssl
from collections import deque

from notifications.providers.smtp_replies import Reply

_LINE = re.compile(r"(\d{3})([ -]?)(.*)")
_MOST_BYTES = 64 * 1024  # of one reply; RFC 5321 §4.5.3.1.5 allows 512 a line


class ConnectionLost(Exception):
    """The server hung up, fell silent or spoke no SMTP. Nothing more can be said or heard."""


class Wire(asyncio.Protocol):
    """One connection. Commands are written at once; replies come in order."""

    def __init__(self) -> None:
        self._transport: asyncio.Transport | None = None
        self._pending = bytearray()
        self._lines: list[str] = []
        self._size = 0  # of the reply being read
        self._replies: deque[Reply] = deque()
        self._changed = asyncio.Event()
        self._paused = False
        self._lost = ""

    async def start_tls(self, context: ssl.SSLContext, host: str, deadline: float) -> None:
        """Encrypt from here on. Whatever was received in clear after the server's yes is an attack (CVE-2011-0411)."""
        if self._pending or self._lines or self._replies:
            self.abort("The server spoke before the encryption began.")
            raise ConnectionLost(self._lost)
        transport = self._open_transport()
        async with asyncio.timeout_at(deadline):
            secured = await asyncio.get_running_loop().start_tls(transport, self, context, server_hostname=host)
        if secured is None:
            self.abort("The server hung up.")
            raise ConnectionLost(self._lost)
        self._use(secured)

    @property
    def is_usable(self) -> bool:
        """Whether the connection is open and silent: a server that speaks unasked is saying good-bye."""
        return not (self._lost or self._pending or self._lines or self._replies)

    def write(self, data: bytes) -> None:
        if not self._lost:
            self._open_transport().write(data)

    async def flush(self, deadline: float) -> None:
        """Wait until everything written has left this process, or the connection is lost, or the server speaks."""
        while self._paused and not self._lost and not self._replies:
            await self._change(deadline)

    async def reply(self, deadline: float) -> Reply:
        """Return the next reply. Raises ConnectionLost, also when none came in time: the wire is then out of step."""
        while not self._replies:
            if self._lost:
                raise ConnectionLost(self._lost)
            await self._change(deadline)
        return self._replies.popleft()

    def close(self) -> None:
        """Say good-bye without waiting for the answer."""
        if not self._lost and self._transport is not None:
            self._lost = "The connection is closed."
            self._transport.write(b"QUIT\r\n")
            self._transport.close()
        elif self._transport is not None:
            self._transport.abort()

    def abort(self, why: str) -> None:
        self._lost = self._lost or why
        if self._transport is not None:
            self._transport.abort()
        self._changed.set()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._use(transport)

    def data_received(self, data: bytes) -> None:
        self._pending += data
        self._size += len(data)
        *complete, rest = self._pending.split(b"\n")
        self._pending = rest
        for line in complete:
            self._read(line.decode("utf-8", errors="replace").rstrip("\r"))
        if self._size > _MOST_BYTES:
            self.abort("The server's answer has no end.")
        self._changed.set()

    def eof_received(self) -> None:
        self._lost = self._lost or "The server hung up."
        self._changed.set()

    def connection_lost(self, error: Exception | None) -> None:
        self._lost = self._lost or "The connection broke."
        self._changed.set()

    def pause_writing(self) -> None:
        self._paused = True

    def resume_writing(self) -> None:
        self._paused = False
        self._changed.set()

    def _use(self, transport: asyncio.Transport) -> None:
        self._transport = transport
        transport.set_write_buffer_limits(high=0)  # paused means: something has not left yet

    def _open_transport(self) -> asyncio.Transport:
        assert self._transport is not None
        return self._transport

    def _read(self, line: str) -> None:
        match = _LINE.fullmatch(line)
        if match is None:
            self.abort("The server does not speak SMTP.")
            return
        self._lines.append(match[3])
        if match[2] != "-":
            self._replies.append(Reply(int(match[1]), tuple(self._lines)))
            self._lines, self._size = [], 0

    async def _change(self, deadline: float) -> None:
        self._changed.clear()
        try:
            async with asyncio.timeout_at(deadline):
                await self._changed.wait()
        except TimeoutError:
            self.abort("The server did not answer in time.")
