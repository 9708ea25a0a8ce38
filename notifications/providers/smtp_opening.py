"""Getting through to a mail server: connect, greet, encrypt, sign in."""

import asyncio
import base64
import os
import socket
import ssl
from dataclasses import dataclass
from typing import Literal

from notifications.providers.base import Outcome
from notifications.providers.smtp_chunks import Chunking
from notifications.providers.smtp_replies import Reply, Stage, refusal
from notifications.providers.smtp_wire import ConnectionLost, Wire

Security = Literal["none", "offered", "starttls", "tls"]
Extensions = dict[str, str]  # keyword → parameters, as EHLO showed them, in capitals


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


async def open_wire(server: Server, *, deadline: float, chunking: Chunking) -> tuple[Wire, Extensions]:
    """Connect, encrypt as the server's security says and sign in; find out what of `chunking` is not known yet.

    Raises NotConnected.
    """
    wire: Wire | None = None
    try:
        context = _tls(server.security)
        async with asyncio.timeout_at(deadline):
            _, wire = await asyncio.get_running_loop().create_connection(
                Wire,
                server.host,
                server.port,
                ssl=context if server.security == "tls" else None,
                happy_eyeballs_delay=0.25,  # seconds, RFC 8305 §5
            )
            extensions = await _greet(wire, server, context)
            if not (chunking.tried or chunking.refused) and {"PIPELINING", "CHUNKING"} <= extensions.keys():
                await chunking.find_out(wire)
            return wire, extensions
    except ssl.SSLCertVerificationError as error:
        failure = Outcome.account(f"The mail server's certificate is not valid: {error.verify_message}.")
    except TimeoutError:
        failure = Outcome.transient("The mail server did not answer in time.")
    except (ConnectionLost, OSError) as error:
        place = f"{server.host}:{server.port}"
        failure = Outcome.transient(f"The mail server {place} cannot be reached: {_reason(error)}")
    except NotConnected as error:
        failure = error.outcome
    if wire is not None:
        wire.abort(failure.error)
    raise NotConnected(failure)


async def _greet(wire: Wire, server: Server, context: ssl.SSLContext | None) -> Extensions:
    _expect(await wire.reply(), "connect")
    extensions = await _hello(wire)
    offered = "STARTTLS" in extensions
    if server.security == "starttls" and not offered:
        raise NotConnected(Outcome.account("The mail server does not offer STARTTLS."))
    if server.security in {"starttls", "offered"} and offered and context is not None:
        _expect(await wire.ask("STARTTLS"), "connect")
        await wire.start_tls(context, server.host)
        extensions = await _hello(wire)
    if server.username:
        await _sign_in(wire, server, extensions)
    return extensions


async def _hello(wire: Wire) -> Extensions:
    reply = await wire.ask(f"EHLO {_own_name()}")
    _expect(reply, "connect")
    lines = [line.upper().partition(" ") for line in reply.lines[1:]]
    return {keyword: parameters for keyword, _, parameters in lines}


async def _sign_in(wire: Wire, server: Server, extensions: Extensions) -> None:
    mechanisms = extensions.get("AUTH", "").split()
    if "PLAIN" in mechanisms:
        reply = await wire.ask("AUTH PLAIN " + _base64(f"\0{server.username}\0{server.password}"))
    elif "LOGIN" in mechanisms:
        reply = await wire.ask("AUTH LOGIN")
        for answer in (server.username, server.password):
            if reply.code == 334:
                reply = await wire.ask(_base64(answer))
    else:
        raise NotConnected(Outcome.account("The mail server offers neither AUTH PLAIN nor AUTH LOGIN."))
    _expect(reply, "auth")


def _expect(reply: Reply, stage: Stage) -> None:
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
