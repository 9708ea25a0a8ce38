"""E-mail through one mail server, over connections that stay open."""

import asyncio
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Annotated, Literal

from msgspec import Meta

from notifications import mail
from notifications.mail import signing
from notifications.mail.signing import Signer
from notifications.providers.base import Message, Outcome, Provider
from notifications.providers.options import BadOptions, checked, secret
from notifications.providers.smtp_chunks import Chunking, Letter
from notifications.providers.smtp_connection import Connection
from notifications.providers.smtp_opening import NotConnected, Server
from notifications.providers.smtp_wire import ConnectionLost

_IDLE_SECONDS = 60.0  # a firewall may drop a silent connection without a word; opening one is cheaper than finding out
_FRESH_SECONDS = 10.0  # idle for longer, a connection is asked for a sign of life before a mail is trusted to it
_FRESH_SECONDS_FOR_MANY = 1.0  # the same where mails leave together: if it breaks then, all of them are in doubt
_FEWEST = 8  # mails that leave together are worth a connection, where the server is quick
_QUICK_SECONDS = 0.005  # for each of those: what a slower server is given is spread over more connections
_CONNECT_SHARE = 0.5  # of the time of one send_many: what connecting may take, so that sending still can
_NOOP_SHARE = 0.2  # of the time of one send_many: what a sign of life may take
# Of the time of one send_many: what is kept for answers. A mail cut off while a slow server thinks may go out twice.
_ANSWERS_SHARE = 0.1


Security = Literal["none", "starttls", "tls"]


@dataclass(frozen=True, kw_only=True)
class SMTPOptions:
    host: Annotated[str, Meta(min_length=1, max_length=253)]
    port: Annotated[int, Meta(ge=1, le=65535)] = 587
    username: str = ""
    password: str = secret()
    security: Security | None = None  # None: required where a password is sent, else used where it is offered
    connections: Annotated[int, Meta(ge=1, le=100)] = 8  # in each worker process
    chunking: bool = True  # many mails together where the server takes chunks (RFC 3030)
    from_: str = checked(mail.check_sender, default="")  # "": settings.DEFAULT_FROM_EMAIL
    return_path: str = checked(mail.check_return_path, default="")  # "": the address of `from`
    dkim_domain: str = checked(signing.check_name, default="")  # all three, or none
    dkim_selector: str = checked(signing.check_name, default="")
    dkim_private_key: str = secret(check=signing.check_private_key, lines=True)


@dataclass
class _Batch:
    """One send_many at work: what waits, what became of the rest, and until when."""

    messages: Sequence[Message]
    deadline: float
    last_call: float  # no mail is begun that will not be over by then
    waiting: deque[int]
    now: Callable[[], float]  # the loop's clock
    share: int  # mails that one connection is given together
    pace: float = 0.0  # seconds that the latest mail took, or one of those that left together
    latest: float = 0.0  # seconds until the latest answer, to however many mails
    outcomes: dict[int, Outcome] = field(default_factory=dict)
    active: set[Connection] = field(default_factory=set)
    # A server that is merely slow: what it was not asked yet has failed nobody, and costs no try.
    stopped: Outcome = Outcome("throttled", retry_after=1.0, error="There was no time left to try.")

    def has_time(self, before: int) -> bool:
        """Tell whether there is time for one mail more, which has to wait for the end of so many others."""
        return self.now() + 2 * max(self.latest, self.pace * before) < self.last_call

    def expire(self) -> None:
        for connection in list(self.active):
            connection.expire()


class SMTP(Provider):
    key = "smtp"
    channels = ("email",)
    Options = SMTPOptions
    options: SMTPOptions

    def __init__(self, options: SMTPOptions, *, timeout: float) -> None:
        super().__init__(options, timeout=timeout)
        security = options.security or ("starttls" if options.username else "offered")
        self._server = Server(options.host, options.port, security, options.username, options.password)
        self._signer = _signer(options)
        self._slots = asyncio.Semaphore(options.connections)
        self._chunking = Chunking(refused=not options.chunking)
        self._pace: float | None = None  # seconds that a mail took of those that left together; None: none have
        self._idle: list[Connection] = []
        self._tidying: asyncio.TimerHandle | None = None
        self._closed = False

    async def send_many(self, messages: Sequence[Message]) -> list[Outcome]:
        loop = asyncio.get_running_loop()
        deadline = loop.time() + self.timeout
        last_call = deadline - self.timeout * _ANSWERS_SHARE
        workers = self._workers(len(messages))
        share = -(-len(messages) // workers) if workers else 0
        batch = _Batch(messages, deadline, last_call, deque(range(len(messages))), loop.time, share, self._pace or 0.0)
        timer = loop.call_at(deadline, batch.expire)
        try:
            async with asyncio.TaskGroup() as group:
                for number in range(workers):
                    if number and self._slots.locked():
                        break  # other batches have the rest; the first worker waits its turn
                    if await self._slot(deadline):
                        group.create_task(self._work(batch))
        finally:
            timer.cancel()
        return [batch.outcomes.get(index, batch.stopped) for index in range(len(messages))]

    async def close(self) -> None:
        self._closed = True
        self._tidy()

    def _workers(self, mails: int) -> int:
        """Return over how many connections so many mails go at most."""
        quick = self._pace is not None and self._pace < _QUICK_SECONDS and not self._chunking.refused
        return min(self.options.connections, -(-mails // (_FEWEST if quick else 1)))

    async def _slot(self, deadline: float) -> bool:
        """Take the right to one more connection; False when none becomes free in time."""
        if not self._slots.locked():
            return await self._slots.acquire()
        try:
            async with asyncio.timeout_at(deadline):
                return await self._slots.acquire()
        except TimeoutError:
            return False

    async def _work(self, batch: _Batch) -> None:
        """Send what waits, over one connection at a time, and give the slot back.

        It ends when no connection can be had: another worker may do the rest.
        """
        again: deque[int] = deque()  # what a connection broke under, before it can have been taken
        try:
            while (again or batch.waiting) and batch.has_time(0):
                connection = await self._connection(batch.deadline, fresh=bool(again))
                again = await self._send_over(connection, batch, again)
                self._give_back(connection)
        except NotConnected as error:
            batch.stopped = error.outcome
            batch.waiting.extendleft(reversed(again))
        finally:
            self._slots.release()

    async def _send_over(self, connection: Connection, batch: _Batch, first: deque[int]) -> deque[int]:
        """Send `first`, then what waits, over one connection.

        Return what it broke under without anybody's fault: a server may tire of a connection, but not of a new one.
        """
        on_the_way: deque[int] = deque()
        messages, waiting, now = batch.messages, batch.waiting, batch.now  # to ask which loop runs is a system call
        together = connection.takes_many
        since, given = now(), 0

        def take() -> Letter | None:
            nonlocal since, given
            before = len(on_the_way)
            if together:
                if not before:
                    since, given = now(), 0
                elif before == (1 if self._pace is None else batch.share):
                    return None
            while (first or waiting) and connection.is_open and batch.has_time(before):
                index = first.popleft() if first else waiting.popleft()
                try:
                    ready = self._build(messages[index])
                    if ready.utf8 and not connection.takes_utf8:
                        raise mail.CannotBeMailed("The mail server does not take addresses that are not ASCII.")
                except mail.CannotBeMailed as error:
                    batch.outcomes[index] = Outcome.recipient(str(error))
                else:
                    on_the_way.append(index)
                    given += 1
                    return Letter(index, ready)
            return None

        def settle(letter: Letter, outcome: Outcome) -> None:
            nonlocal since
            on_the_way.remove(letter.place)
            batch.outcomes[letter.place] = outcome
            if not together:
                before, since = since, now()
                batch.latest = batch.pace = since - before
            elif not on_the_way:
                batch.latest = now() - since
                batch.pace = self._pace = batch.latest / given

        batch.active.add(connection)
        try:
            await connection.carry(take, settle)
        except ConnectionLost as error:
            connection.abort()
            if not connection.used:
                broke = Outcome.transient(f"The connection to the mail server broke. {error}")
                batch.outcomes[on_the_way.popleft()] = broke
        except BaseException:
            connection.abort()
            raise
        finally:
            batch.active.remove(connection)
        return on_the_way + first

    def _build(self, message: Message) -> mail.Mail:
        """Raises CannotBeMailed."""
        ready = mail.build(message, sender=self.options.from_, return_path=self.options.return_path)
        return ready._replace(content=self._signer.signed(ready.content)) if self._signer else ready

    async def _connection(self, deadline: float, *, fresh: bool) -> Connection:
        """Return a kept connection that still works, or else a new one. Raises NotConnected."""
        while self._idle and not fresh:
            connection = self._idle.pop()
            if await self._is_alive(connection, deadline):
                return connection
            connection.close()
        connect_by = min(deadline, _now() + self.timeout * _CONNECT_SHARE)
        return await Connection.open(self._server, deadline=connect_by, chunking=self._chunking)

    async def _is_alive(self, connection: Connection, deadline: float) -> bool:
        idle = _now() - connection.idle_since
        if not connection.is_usable or idle >= _IDLE_SECONDS:
            return False
        if idle < (_FRESH_SECONDS_FOR_MANY if connection.takes_many else _FRESH_SECONDS):
            return True
        return await connection.answers(deadline=min(deadline, _now() + self.timeout * _NOOP_SHARE))

    def _give_back(self, connection: Connection) -> None:
        if self._closed or not connection.is_usable:
            connection.close()
            return
        connection.idle_since = _now()
        self._idle.append(connection)
        if self._tidying is None:
            self._tidying = asyncio.get_running_loop().call_later(_IDLE_SECONDS, self._tidy)

    def _tidy(self) -> None:
        """Close what has been idle for too long, or everything once the account is closed."""
        if self._tidying is not None:
            self._tidying.cancel()
            self._tidying = None
        oldest = _now() - _IDLE_SECONDS
        kept = [each for each in self._idle if not self._closed and each.is_usable and each.idle_since > oldest]
        for connection in self._idle:
            if connection not in kept:
                connection.close()
        self._idle = kept
        if kept:
            self._tidying = asyncio.get_running_loop().call_later(_IDLE_SECONDS, self._tidy)


def _signer(options: SMTPOptions) -> Signer | None:
    stated = (options.dkim_domain, options.dkim_selector, options.dkim_private_key)
    if not any(stated):
        return None
    if not all(stated):
        raise BadOptions("To sign by DKIM takes dkim_domain, dkim_selector and dkim_private_key together.")
    domain, selector, private_key = stated
    return Signer(domain=domain, selector=selector, private_key=private_key)


def _now() -> float:
    return asyncio.get_running_loop().time()
