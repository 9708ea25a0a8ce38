"""E-mail through one mail server, over connections that stay open."""

import asyncio
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Annotated, Literal

from msgspec import Meta

from notifications import mail
from notifications.providers.base import Message, Outcome, Provider
from notifications.providers.options import checked, secret
from notifications.providers.smtp_connection import Connection, NotConnected, Server
from notifications.providers.smtp_wire import ConnectionLost

_IDLE_SECONDS = 60.0  # a firewall may drop a silent connection without a word; opening one is cheaper than finding out
_CONNECT_SHARE = 0.5  # of the time of one send_many: what connecting may take, so that sending still can


Security = Literal["none", "starttls", "tls"]


@dataclass(frozen=True, kw_only=True)
class SMTPOptions:
    host: Annotated[str, Meta(min_length=1, max_length=253)]
    port: Annotated[int, Meta(ge=1, le=65535)] = 587
    username: str = ""
    password: str = secret()
    security: Security | None = None  # None: required where a password is sent, else used where it is offered
    connections: Annotated[int, Meta(ge=1, le=100)] = 4  # in each worker process
    from_: str = checked(mail.check_sender, default="")  # "": settings.DEFAULT_FROM_EMAIL


@dataclass
class _Batch:
    """One send_many at work: what waits, what became of the rest, and until when."""

    messages: Sequence[Message]
    deadline: float
    waiting: deque[int]
    outcomes: dict[int, Outcome] = field(default_factory=dict)
    retried: set[int] = field(default_factory=set)
    # A server that is merely slow: what it was not asked yet has failed nobody, and costs no try.
    stopped: Outcome = Outcome("throttled", retry_after=1.0, error="There was no time left to try.")


class SMTP(Provider):
    key = "smtp"
    channels = ("email",)
    Options = SMTPOptions
    options: SMTPOptions

    def __init__(self, options: SMTPOptions, *, timeout: float) -> None:
        super().__init__(options, timeout=timeout)
        security = options.security or ("starttls" if options.username else "offered")
        self._server = Server(options.host, options.port, security, options.username, options.password)
        self._slots = asyncio.Semaphore(options.connections)
        self._idle: list[Connection] = []
        self._closed = False

    async def send_many(self, messages: Sequence[Message]) -> list[Outcome]:
        deadline = _now() + self.timeout
        batch = _Batch(messages, deadline, deque(range(len(messages))))
        async with asyncio.TaskGroup() as group:
            for number in range(min(self.options.connections, len(messages))):
                if number and self._slots.locked():
                    break  # other batches have the rest; the first worker waits its turn
                group.create_task(self._work(batch))
                await asyncio.sleep(0)
        return [batch.outcomes.get(index, batch.stopped) for index in range(len(messages))]

    async def close(self) -> None:
        self._closed = True
        while self._idle:
            self._idle.pop().close()

    async def _work(self, batch: _Batch) -> None:
        """Send what waits, over one connection at a time; end when none can be had: another worker may do the rest."""
        try:
            async with asyncio.timeout_at(batch.deadline):
                await self._slots.acquire()
        except TimeoutError:
            return
        try:
            while batch.waiting and _now() < batch.deadline:
                connection = await self._connection(batch.deadline)
                try:
                    await self._send_over(connection, batch)
                except BaseException:
                    connection.abort()
                    raise
                self._give_back(connection)
        except NotConnected as error:
            batch.stopped = error.outcome
        finally:
            self._slots.release()

    async def _send_over(self, connection: Connection, batch: _Batch) -> None:
        while batch.waiting and connection.is_usable and _now() < batch.deadline:
            index = batch.waiting.popleft()
            was_used = connection.used
            try:
                batch.outcomes[index] = await self._send(connection, batch.messages[index], batch.deadline)
            except ConnectionLost as error:
                if was_used and index not in batch.retried:
                    batch.retried.add(index)
                    batch.waiting.appendleft(index)
                else:
                    batch.outcomes[index] = Outcome.transient(f"The connection to the mail server broke. {error}")

    async def _send(self, connection: Connection, message: Message, deadline: float) -> Outcome:
        try:
            ready = mail.build(message, sender=self.options.from_)
        except mail.CannotBeMailed as error:
            return Outcome.recipient(str(error))
        outcome = await connection.send(ready, deadline=deadline)
        if outcome.kind == "accepted":
            return Outcome.accepted(message.message_id or mail.message_id(message.delivery_id))
        return outcome

    async def _connection(self, deadline: float) -> Connection:
        while self._idle:
            connection = self._idle.pop()
            if connection.is_usable and _now() - connection.idle_since < _IDLE_SECONDS:
                return connection
            connection.close()
        connect_by = min(deadline, _now() + self.timeout * _CONNECT_SHARE)
        return await Connection.open(self._server, deadline=connect_by)

    def _give_back(self, connection: Connection) -> None:
        if self._closed or not connection.is_usable:
            connection.close()
            return
        connection.idle_since = _now()
        self._idle.append(connection)


def _now() -> float:
    return asyncio.get_running_loop().time()
