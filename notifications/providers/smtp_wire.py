"""Lines to and from one SMTP server."""

import asyncio
import re
import ssl
from collections import deque
from collections.abc import Generator

from notifications.providers.smtp_replies import Reply

_MOST_BYTES = 64 * 1024  # of one reply; RFC 5321 §4.5.3.1.5 allows 512 a line
_NOTHING = -1
SENT = -2  # all that was written, whatever has come


# What a server says when all goes well: it took a mail, perhaps, and asks for the next one's content. That is nearly
# always, and nobody reads the words, so that one look does.
_ALL_WELL = re.compile(rb"(?:250 [^\r\n]*\r\n){2,3}354 [^\r\n]*\r\n")
_ALL_YES = re.compile(rb"(?:250 [^\r\n]*\r\n)+")
_YES, _GO_ON = Reply(250, ("",)), Reply(354, ("",))
_ENVELOPE = 3  # replies: of MAIL, RCPT and DATA
_TOOK_ENVELOPE = (_YES, _YES, _GO_ON)
_TOOK_MAIL_AND_ENVELOPE = (_YES, *_TOOK_ENVELOPE)


class ConnectionLost(Exception):
    """The server hung up, fell silent or spoke no SMTP. Nothing more can be said or heard."""


# A conversation: it says its lines and yields how many replies it waits for; 0 for all that it wrote to have left, or
# for a reply before that; SENT for the former alone. It goes on when they are there, or when no more will come.
Talk = Generator[int, None, None]


class Wire(asyncio.Protocol):
    """One connection. Commands are written at once; replies come in order.

    Waiting has no end of its own: whoever waits does so inside a timeout, or sees to it that `abort` is called in time.
    """

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._transport: asyncio.Transport | None = None
        self._pending = b""
        self._lines: list[str] = []
        self._size = 0  # of the reply being read
        self._replies: deque[Reply] = deque()
        self._talk: Talk | None = None
        self._talking = False
        self._over: asyncio.Future[None] | None = None
        self._wanted = 0  # replies
        self._paused = False
        self._closing = False  # the server has said that it will hang up
        self._lost = ""
        self.patient = False  # what a server says after it has said that it will hang up is waited for, too
        self.was_left = False  # it was the server who hung up

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
        return not (self._lost or self._closing)

    @property
    def is_usable(self) -> bool:
        """Whether the connection is open and silent: nothing has come that nobody has read."""
        return not (self._lost or self._closing or self._pending or self._lines or self._replies)

    @property
    def is_connected(self) -> bool:
        return not self._lost

    @property
    def is_paused(self) -> bool:
        """Whether the end of what was written has not left, or had not when the connection broke."""
        return self._paused

    @property
    def why_lost(self) -> str:
        return self._lost

    def write(self, data: bytes) -> None:
        if not self._lost and self._transport is not None:
            self._transport.write(data)

    async def hold(self, talk: Talk) -> None:
        """Hold a conversation to its end; raise what it raises.

        It goes on right where the replies arrive: to wake a task for them would cost more than to read them.
        """
        self._talk, self._over, self._wanted = talk, self._loop.create_future(), _NOTHING
        self._go_on()
        try:
            await self._over
        finally:
            self._talk = None

    async def ask(self, command: str) -> Reply:
        """Say one command and return the reply. Raises ConnectionLost."""
        self.write(f"{command}\r\n".encode())
        return await self.reply()

    async def reply(self) -> Reply:
        """Return the next reply. Raises ConnectionLost."""
        if not self._replies:
            await self.hold(_one_reply())
        return self.read()

    def read(self) -> Reply:
        """Return the next reply. Raises ConnectionLost where there is none: none will come."""
        if not self._replies:
            raise ConnectionLost(self._lost or "The server said that it would hang up.")
        return self._replies.popleft()

    def took_envelope(self) -> bool:
        """Tell whether the server has said yes to a mail's envelope and nothing else; its replies are read by that."""
        replies = self._replies
        if len(replies) != _ENVELOPE or replies[-1] is not _GO_ON:  # only after two of _YES is there one
            return False
        replies.clear()
        return True

    def read_well(self, count: int) -> bool:
        """Tell whether the server has said yes so many times and nothing else; its replies are read by that."""
        replies = self._replies
        if len(replies) != count or replies.count(_YES) != count:
            return False
        replies.clear()
        return True

    def read_some(self, count: int) -> list[Reply]:
        """Return the next replies, as many as there are of so many."""
        replies = self._replies
        return [replies.popleft() for _ in range(min(count, len(replies)))]

    def close(self) -> None:
        """Say good-bye without waiting for the answer."""
        if not self._lost and self._transport is not None:
            self._lost = "The connection is closed."
            self._transport.write(b"QUIT\r\n")
            self._transport.close()
        elif self._transport is not None:
            self._transport.abort()

    def abort(self, why: str) -> None:
        """Break the connection off. What came and was not read is of no account."""
        self._replies.clear()
        self.give_up(why)

    def give_up(self, why: str) -> None:
        """Break the connection off, no more being expected. What came still counts."""
        self._end(why)
        if self._transport is not None:
            self._transport.abort()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._use(transport)

    def data_received(self, data: bytes) -> None:
        if not (self._pending or self._lines) and _ALL_WELL.fullmatch(data):
            self._replies += _TOOK_MAIL_AND_ENVELOPE if data.count(b"\n") == 4 else _TOOK_ENVELOPE
            self._go_on()
            return
        if self.patient and not self._lines:
            heard = self._pending + data
            end = heard.rfind(b"\n") + 1
            if _ALL_YES.fullmatch(heard, 0, end):
                self._replies.extend([_YES] * heard.count(b"\n"))
                self._pending, self._size = heard[end:], len(heard) - end
                self._go_on()
                return
        self._size += len(data)
        *complete, self._pending = (self._pending + data).split(b"\n")
        for line in complete:
            self._read(line)
        if self._size > _MOST_BYTES:
            self.give_up("The server's answer has no end.")
        self._go_on()

    def eof_received(self) -> None:
        self._leave("The server hung up.")

    def connection_lost(self, error: Exception | None) -> None:
        self._leave("The connection broke.")

    def pause_writing(self) -> None:
        self._paused = True

    def resume_writing(self) -> None:
        self._paused = False
        self._go_on()

    def _use(self, transport: asyncio.Transport) -> None:
        self._transport = transport
        # Paused means: something has not left yet. (A limit of 0 pauses TLS transports when nothing is left, too.)
        transport.set_write_buffer_limits(high=1, low=0)

    def _open_transport(self) -> asyncio.Transport:
        assert self._transport is not None
        return self._transport

    def _read(self, line: bytes) -> None:
        code = line[:3]
        if len(code) < 3 or not code.isdigit():
            self.give_up("The server does not speak SMTP.")
            return
        self._lines.append(line[4:].decode("utf-8", errors="replace").rstrip("\r"))
        if line[3:4] != b"-":
            self._replies.append(Reply(int(code), tuple(self._lines)))
            self._closing = self._closing or code == b"421"
            self._lines, self._size = [], 0

    def _leave(self, why: str) -> None:
        self.was_left = self.was_left or not self._lost
        self._end(why)

    def _end(self, why: str) -> None:
        self._lost = self._lost or why
        self._go_on()

    def _go_on(self) -> None:
        if self._talk is None or self._talking:
            return
        self._talking = True
        try:
            wanted = self._wanted
            while self._has_come(wanted):
                wanted = self._wanted = next(self._talk)
        except StopIteration:
            self._end_talk(None)
        except Exception as error:
            self._end_talk(error)
        finally:
            self._talking = False

    def _has_come(self, wanted: int) -> bool:
        """Tell whether as many replies are there, or, where none is wanted, all that was written has left."""
        if self._lost or (self._closing and not self.patient):
            return True
        if wanted == SENT:
            return not self._paused
        return len(self._replies) >= wanted if wanted else bool(self._replies) or not self._paused

    def _end_talk(self, error: Exception | None) -> None:
        self._talk = None
        assert self._over is not None
        if self._over.done():  # nobody waits any more
            return
        if error is None:
            self._over.set_result(None)
        else:
            self._over.set_exception(error)


def _one_reply() -> Talk:
    yield 1
