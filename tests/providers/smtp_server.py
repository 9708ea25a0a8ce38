"""A mail server that follows a script: what it says, when, and where it breaks off."""

import asyncio
import ssl
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

Hook = Callable[["Session", str], Awaitable[bool]]  # True: the hook has dealt with the command


@dataclass
class Received:
    sender: str
    recipient: str
    content: bytes


@dataclass
class Server:
    """`replies` maps a command's first word, or "." for the end of a mail, to what is answered instead of the usual."""

    greeting: str = "220 test ESMTP"
    extensions: tuple[str, ...] = ("PIPELINING", "8BITMIME", "SMTPUTF8")
    replies: dict[str, str | list[str]] = field(default_factory=dict)
    hook: Hook | None = None
    tls: ssl.SSLContext | None = None
    most_mails: int | None = None  # of one connection; then it says 421
    received: list[Received] = field(default_factory=list)
    commands: list[str] = field(default_factory=list)
    wants_content_for_nobody: bool = False
    connections: int = 0
    most_at_once: int = 0
    port: int = 0
    open_sessions: list["Session"] = field(default_factory=list)

    async def __aenter__(self) -> "Server":
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0, limit=1 << 24)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *exception: object) -> None:
        self._server.close()
        self.hang_up()
        for _ in range(20):  # let the sessions see it
            if self.open_sessions:
                await asyncio.sleep(0.01)

    def hang_up(self) -> None:
        """Close every connection, as a server does with idle ones."""
        for session in list(self.open_sessions):
            session.writer.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        session = Session(self, reader, writer)
        self.open_sessions.append(session)
        self.most_at_once = max(self.most_at_once, len(self.open_sessions))
        try:
            await session.run()
        except (ConnectionError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
            pass
        finally:
            self.open_sessions.remove(session)
            writer.close()


class Session:
    def __init__(self, server: Server, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.server, self.reader, self.writer = server, reader, writer
        self.sender = self.recipient = ""
        self.mails = 0

    async def run(self) -> None:
        self.say(self.server.greeting)
        while line := await self.reader.readline():
            command = line.decode().rstrip("\r\n")
            self.server.commands.append(command)
            if self.server.hook is not None and await self.server.hook(self, command):
                continue
            await self.answer(command)

    async def answer(self, command: str) -> None:
        word = command.split(" ")[0].split(":")[0].upper()
        scripted = self._scripted(word) if word != "BDAT" else None
        if scripted is not None:
            self.say(scripted)
            if scripted.startswith("354"):
                await self.take_content()
            return
        if word == "EHLO":
            lines = ["test", *self.server.extensions]
            self.say("\r\n".join(f"250{'-' if line is not lines[-1] else ' '}{line}" for line in lines))
        elif word == "MAIL" and self.mails == self.server.most_mails:
            self.say("421 4.7.0 Too many messages on this connection")
            self.writer.close()
        elif word == "MAIL" and self.sender:
            self.say("503 5.5.1 Nested MAIL command")
        elif word == "MAIL":
            self.sender, self.recipient = command.partition("<")[2].partition(">")[0], ""
            self.say("250 2.1.0 Ok")
        elif word == "RCPT" and not self.sender or word == "DATA" and not self._has_recipient:
            self.say("503 5.5.1 Not yet")
        elif word == "RCPT":
            self.recipient = command.partition("<")[2].partition(">")[0]
            self.say("250 2.1.5 Ok")
        elif word == "DATA":
            self.say("354 Go on")
            await self.take_content()
        elif word == "BDAT":
            await self.take_chunk(command)
        elif word == "STARTTLS":
            self.say("220 Go on")
            await self.writer.start_tls(self.server.tls)
        elif word == "QUIT":
            self.say("221 Bye")
            self.writer.close()
        else:
            self.sender = self.recipient = ""
            self.say("250 Ok")

    async def take_content(self) -> None:
        lines: list[bytes] = []
        while (line := await self.reader.readuntil(b"\r\n")) != b".\r\n":
            lines.append(line.removeprefix(b"."))
        await self._take(b"".join(lines))

    async def take_chunk(self, command: str) -> None:
        """Take a chunk (RFC 3030), always the last; where it is not wanted it is read all the same."""
        content = await self.reader.readexactly(int(command.split(" ")[1]))
        scripted = self._scripted("BDAT") if self.recipient else "503 5.5.1 No valid recipients"
        if scripted:
            self.say(scripted)
        else:
            await self._take(content)

    async def _take(self, content: bytes) -> None:
        self.server.commands.append(".")
        if self.server.hook is not None and await self.server.hook(self, "."):
            return
        scripted = self._scripted(".") or (None if self.recipient else "554 5.5.1 No valid recipients")
        if scripted is None or scripted.startswith("2"):
            self.server.received.append(Received(self.sender, self.recipient, content))
            self.mails += 1
        self.sender = self.recipient = ""
        self.say(scripted or "250 2.0.0 Queued")

    def say(self, text: str) -> None:
        self.writer.write(f"{text}\r\n".encode())

    def break_off(self) -> None:
        """Reset the connection without a word."""
        self.writer.transport.abort()

    @property
    def _has_recipient(self) -> bool:
        return bool(self.recipient) or self.server.wants_content_for_nobody

    def _scripted(self, word: str) -> str | None:
        scripted = self.server.replies.get(word)
        if isinstance(scripted, list):
            return scripted.pop(0) if scripted else None
        return scripted
