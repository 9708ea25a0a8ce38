"""Stand-ins for providers that obey a script and keep a log: when, for whom, under which Message-ID."""

import asyncio
import json
import time
from collections import deque
from dataclasses import dataclass, field
from email import message_from_bytes
from email.utils import parseaddr

from tests.faults.background import Background
from tests.providers import smtp_server


@dataclass(frozen=True)
class Step:
    """What happens to one mail, or one request: `reply` is the SMTP answer, or the HTTP status with its headers."""

    reply: str = ""  # "" = the usual yes
    delay: float = 0.0  # seconds before the answer
    then: str = "answer"  # or "hang": say nothing for ever; "drip": a byte a second; "reset": hang up unanswered
    taken: bool = True  # the stand-in has it, whatever it answers

    @classmethod
    def refuse(cls, reply: str) -> "Step":
        return cls(reply, taken=False)


@dataclass(frozen=True)
class Call:
    """One message that was handed over."""

    at: float  # time.monotonic()
    to: str
    subject: str
    message_id: str
    taken: bool


@dataclass
class Script:
    """Steps for the next messages: those of a recipient first, then those of anybody, then for ever `usual`."""

    usual: Step = field(default_factory=Step)
    coming: deque[Step] = field(default_factory=deque)
    of_recipient: dict[str, deque[Step]] = field(default_factory=dict)

    def next(self, to: str) -> Step:
        if steps := self.of_recipient.get(to):
            return steps.popleft() if len(steps) > 1 else steps[0]
        return self.coming.popleft() if self.coming else self.usual


class Sink:
    """What every stand-in has."""

    def __init__(self) -> None:
        self.script = Script()
        self.calls: list[Call] = []
        self.connections: list[float] = []  # when each was opened
        self.greets = True  # False: accept connections and say nothing

    def always(self, step: Step) -> None:
        self.script.usual = step

    def for_recipient(self, to: str, *steps: Step) -> None:
        """Give a recipient's messages these steps; the last one again and again."""
        self.script.of_recipient[to] = deque(steps)

    @property
    def taken(self) -> list[Call]:
        return [call for call in self.calls if call.taken]

    def to(self, address: str) -> list[Call]:
        return [call for call in self.calls if call.to == address]

    def note(self, to: str, subject: str, message_id: str, step: Step) -> None:
        self.calls.append(Call(time.monotonic(), to, subject, message_id, step.taken))


class MailSink(Sink):
    def __init__(self, background: Background) -> None:
        super().__init__()
        self._background = background
        self._server = _MailServer(self)
        background.run(self._server.__aenter__())
        self.port = self._server.port

    def hang_up(self) -> None:
        self._background.call(self._server.hang_up)

    def close(self) -> None:
        self._background.run(self._server.__aexit__())


class _MailServer(smtp_server.Server):
    def __init__(self, sink: MailSink) -> None:
        super().__init__()
        self.sink = sink

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.sink.connections.append(time.monotonic())
        session = _MailSession(self, reader, writer)
        self.open_sessions.append(session)
        try:
            while not self.sink.greets:
                await asyncio.sleep(0.05)
            await session.run()
        except (OSError, asyncio.IncompleteReadError, asyncio.LimitOverrunError, asyncio.CancelledError):
            pass
        finally:
            self.open_sessions.remove(session)
            writer.close()


class _MailSession(smtp_server.Session):
    server: _MailServer

    async def take_content(self) -> None:
        content = await self.reader.readuntil(b"\r\n.\r\n")
        mail = message_from_bytes(content)
        to = parseaddr(str(mail["To"]))[1]
        step = self.server.sink.script.next(to)
        self.server.sink.note(to, str(mail["Subject"]), str(mail["Message-ID"]), step)
        self.sender = self.recipient = ""
        await asyncio.sleep(step.delay)
        await self._obey(step)

    async def _obey(self, step: Step) -> None:
        answer = f"{step.reply or '250 2.0.0 Queued'}"
        if step.then == "reset":
            self.break_off()
        elif step.then == "hang":
            await asyncio.sleep(3600)
        elif step.then == "drip":
            for byte in answer.encode():
                self.writer.write(bytes([byte]))
                await asyncio.sleep(1)
        else:
            self.say(answer)


class HttpSink(Sink):
    """Takes JSON with `to`, `text` and `id`. `Step.reply` is the status line's rest and further header lines."""

    def __init__(self, background: Background) -> None:
        super().__init__()
        self._background = background
        self._server = background.run(asyncio.start_server(self._serve, "127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._server.sockets[0].getsockname()[1]}"

    def close(self) -> None:
        self._background.call(self._server.close)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections.append(time.monotonic())
        try:
            head = (await reader.readuntil(b"\r\n\r\n")).decode()
            length = int(head.lower().partition("content-length:")[2].split("\r\n")[0])
            said = json.loads(await reader.readexactly(length))
            step = self.script.next(said["to"])
            self.note(said["to"], said["text"].splitlines()[0], said["id"], step)  # its first line is the title
            await asyncio.sleep(step.delay)
            await self._obey(step, writer)
        except (OSError, asyncio.IncompleteReadError, asyncio.CancelledError):
            pass
        finally:
            writer.close()

    async def _obey(self, step: Step, writer: asyncio.StreamWriter) -> None:
        answer = f"HTTP/1.1 {step.reply or '202 Accepted'}\r\nContent-Length: 0\r\n\r\n".encode()
        if step.then == "hang":
            await asyncio.sleep(3600)
        elif step.then == "reset":
            writer.transport.abort()
        elif step.then == "drip":
            for byte in answer:
                writer.write(bytes([byte]))
                await asyncio.sleep(1)
        else:
            writer.write(answer)
            await writer.drain()
