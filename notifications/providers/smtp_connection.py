"""One kept-open connection to a mail server: greet, encrypt, sign in, hand over mail after mail."""

import asyncio
import base64
import os
import re
import socket
import ssl
from dataclasses import dataclass
from typing import Literal

from notifications.mail import Mail
from notifications.providers.base import Outcome
from notifications.providers.smtp_replies import Reply, Stage, refusal
from notifications.providers.smtp_wire import ConnectionLost, Wire

Security = Literal["none", "offered", "starttls", "tls"]

_LEADING_DOT = re.compile(rb"^\.", re.MULTILINE)


class NotConnected(Exception):
    """No connection could be opened; nothing was handed over. `outcome` says whose fault that is."""

    def __init__(self, outcome: Outcome) -> None:
        super().__init__(outcome.error)
        self.outcome = outcome


@dataclass(frozen=True)
class Server:
    """Where to connect, and as whom."""

    host: str
    port: int
    security: Security
    username: str
    password: str


class Connection:
    """An open, signed-in connection. Once `send` has raised ConnectionLost it is of no more use."""

    def __init__(self, wire: Wire, server: Server) -> None:
        self._wire = wire
        self._server = server
        self._extensions: dict[str, str] = {}
        self.used = False  # a mail has gone through it: if it breaks now, the server may merely have tired of it
        self.idle_since = 0.0

    @classmethod
    async def open(cls, server: Server, *, deadline: float) -> "Connection":
        """Connect, encrypt as the server's security says and sign in. Raises NotConnected."""
        context = _tls(server.security)
        wire: Wire | None = None
        try:
            async with asyncio.timeout_at(deadline):
                _, wire = await asyncio.get_running_loop().create_connection(
                    Wire,
                    server.host,
                    server.port,
                    ssl=context if server.security == "tls" else None,
                    happy_eyeballs_delay=0.25,  # seconds, RFC 8305 §5
                )
            connection = cls(wire, server)
            await connection._greet(context, deadline)
        except ssl.SSLCertVerificationError as error:
            failure = Outcome.account(f"The mail server's certificate is not valid: {error.verify_message}.")
        except TimeoutError:
            failure = Outcome.transient("The mail server did not answer in time.")
        except (ConnectionLost, OSError) as error:
            place = f"{server.host}:{server.port}"
            failure = Outcome.transient(f"The mail server {place} cannot be reached: {_reason(error)}")
        except NotConnected as error:
            failure = error.outcome
        else:
            return connection
        if wire is not None:
            wire.abort(failure.error)
        raise NotConnected(failure)

    @property
    def is_usable(self) -> bool:
        return self._wire.is_usable

    def close(self) -> None:
        self._wire.close()

    def abort(self) -> None:
        self._wire.abort("The sending was broken off.")

    async def send(self, mail: Mail, *, deadline: float) -> Outcome:
        """Hand over one mail. Raises ConnectionLost only while the server cannot have taken it."""
        if mail.utf8 and "SMTPUTF8" not in self._extensions:
            return Outcome.recipient("The mail server does not take addresses that are not ASCII.")
        refused = await self._envelope(mail, deadline)
        if refused is not None:
            return refused
        self._wire.write(_LEADING_DOT.sub(b"..", mail.content))
        await self._wire.flush(deadline)
        if not self._wire.is_usable:  # the server hung up, or answered, before it had everything
            early = await self._wire.reply(deadline)
            self._wire.abort("The server answered too early.")
            return refusal(early, "content")
        self._wire.write(b".\r\n" if mail.content.endswith(b"\r\n") else b"\r\n.\r\n")
        try:
            return self._taken(await self._wire.reply(deadline))
        except ConnectionLost as error:
            return Outcome.unknown(f"The mail was handed over, but the server's answer was lost. {error}")

    async def _greet(self, context: ssl.SSLContext | None, deadline: float) -> None:
        self._expect(await self._wire.reply(deadline), "connect")
        await self._hello(deadline)
        offered = "STARTTLS" in self._extensions
        if self._server.security == "starttls" and not offered:
            raise NotConnected(Outcome.account("The mail server does not offer STARTTLS."))
        if self._server.security in {"starttls", "offered"} and offered and context is not None:
            self._expect(await self._ask("STARTTLS", deadline), "connect")
            await self._wire.start_tls(context, self._server.host, deadline)
            await self._hello(deadline)
        if self._server.username:
            await self._sign_in(deadline)

    async def _hello(self, deadline: float) -> None:
        reply = await self._ask(f"EHLO {_own_name()}", deadline)
        self._expect(reply, "connect")
        lines = [line.upper().partition(" ") for line in reply.lines[1:]]
        self._extensions = {keyword: parameters for keyword, _, parameters in lines}

    async def _sign_in(self, deadline: float) -> None:
        name, password = self._server.username, self._server.password
        mechanisms = self._extensions.get("AUTH", "").split()
        if "PLAIN" in mechanisms:
            reply = await self._ask("AUTH PLAIN " + _base64(f"\0{name}\0{password}"), deadline)
        elif "LOGIN" in mechanisms:
            reply = await self._ask("AUTH LOGIN", deadline)
            for answer in (name, password):
                if reply.code == 334:
                    reply = await self._ask(_base64(answer), deadline)
        else:
            raise NotConnected(Outcome.account("The mail server offers neither AUTH PLAIN nor AUTH LOGIN."))
        self._expect(reply, "auth")

    async def _envelope(self, mail: Mail, deadline: float) -> Outcome | None:
        """Announce a mail; return None when the server waits for its content, else why it does not."""
        parameters = " SMTPUTF8 BODY=8BITMIME" if mail.utf8 else ""
        commands: list[tuple[Stage, str]] = [
            ("mail", f"MAIL FROM:<{mail.sender}>{parameters}"),
            ("rcpt", f"RCPT TO:<{mail.recipient}>"),
            ("data", "DATA"),
        ]
        replies = await self._converse([command for _, command in commands], deadline)
        self.used = True
        for (stage, _), reply in zip(commands, replies, strict=False):
            if not (reply.code == 354 if stage == "data" else reply.is_positive):
                await self._start_over(replies, deadline)
                return refusal(reply, stage)
        return None

    async def _converse(self, commands: list[str], deadline: float) -> list[Reply]:
        """Say `commands` in one breath where the server allows it (RFC 2920), else one by one until a refusal."""
        replies: list[Reply] = []
        pipelining = "PIPELINING" in self._extensions
        if pipelining:
            self._wire.write("".join(f"{command}\r\n" for command in commands).encode())
        for command in commands:
            reply = await (self._wire.reply(deadline) if pipelining else self._ask(command, deadline))
            if reply.closes:
                self._wire.abort(f"The server answered {reply.words}")
                raise ConnectionLost(f"The server answered {reply.words}")
            replies.append(reply)
            if not pipelining and reply.code >= 400:
                break
        return replies

    async def _start_over(self, replies: list[Reply], deadline: float) -> None:
        """Bring the server back to where a new mail may begin."""
        if replies[-1].code == 354:
            # It waits for content, though it has nobody to give it to. RFC 2920 §3.1 would end that by an empty mail.
            self._wire.abort("The server wanted content for nobody.")
            return
        try:
            await self._ask("RSET", deadline)
        except ConnectionLost:
            return

    def _taken(self, reply: Reply) -> Outcome:
        if reply.closes:
            self._wire.abort("The server hung up.")
        return Outcome.accepted() if reply.is_positive else refusal(reply, "content")

    async def _ask(self, command: str, deadline: float) -> Reply:
        self._wire.write(f"{command}\r\n".encode())
        return await self._wire.reply(deadline)

    def _expect(self, reply: Reply, stage: Stage) -> None:
        if not reply.is_positive:
            raise NotConnected(refusal(reply, stage))


def _own_name() -> str:
    """Return our name for EHLO: a full one, or else an address literal (RFC 5321 §4.1.3)."""
    name = socket.gethostname()
    return name if "." in name and name.isascii() else "[127.0.0.1]"


def _tls(security: Security) -> ssl.SSLContext | None:
    """Return how to encrypt. Where it is merely offered no name is checked, as between mail servers (RFC 7435)."""
    if security == "none":
        return None
    context = ssl.create_default_context()
    if security == "offered":
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context


def _base64(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


def _reason(error: Exception) -> str:
    """Return why there is no connection as the system words it: asyncio's own text is Python's, number and all."""
    if isinstance(error, OSError) and error.errno:
        words = os.strerror(error.errno) if error.errno > 0 else str(error.strerror)  # below zero: of the resolver
        return f"{words}."
    return str(error)
