"""One kept-open connection to a mail server, over which mail after mail is handed over."""

import asyncio
from collections.abc import Generator
from typing import TypeVar

from notifications.mail import Mail
from notifications.providers.base import Outcome
from notifications.providers.smtp_chunks import Chunking, Chunks, Settle, Take, envelope
from notifications.providers.smtp_opening import Extensions, Server, open_wire
from notifications.providers.smtp_replies import Stage, refusal
from notifications.providers.smtp_wire import ConnectionLost, Talk, Wire

# Bytes of a mail that go out in one piece with its last dot: the system's buffer holds them (Linux: 16 KiB at least).
_AT_ONCE = 16 * 1024

_STAGES: tuple[Stage, ...] = ("mail", "rcpt", "data")


T = TypeVar("T")
Answer = Generator[int, None, T]  # a part of a Talk, and what it found out


class Connection:
    """An open, signed-in connection. Once `carry` has raised ConnectionLost it is of no more use."""

    def __init__(self, wire: Wire, extensions: Extensions, chunks: Chunks | None = None) -> None:
        self._wire = wire
        self._pipelining = "PIPELINING" in extensions  # RFC 2920
        self.takes_utf8 = "SMTPUTF8" in extensions
        self._wants_content = False
        self._chunks = chunks  # None: contents go one by one
        self._used = False
        self.idle_since = 0.0
        wire.patient = chunks is not None

    @classmethod
    async def open(cls, server: Server, *, deadline: float, chunking: Chunking) -> "Connection":
        """Connect, encrypt as the server's security says and sign in. Raises NotConnected."""
        tried = chunking.tried
        wire, extensions = await open_wire(server, deadline=deadline, chunking=chunking)
        takes_chunks = not chunking.refused and {"PIPELINING", "CHUNKING"} <= extensions.keys()
        return cls(wire, extensions, Chunks(wire, chunking, clean=tried) if takes_chunks else None)

    @property
    def used(self) -> bool:
        """Whether a mail has gone through it: if it breaks now, the server may merely have tired of it."""
        return self._used if self._chunks is None else self._chunks.used

    @property
    def takes_many(self) -> bool:
        """Whether all mails that it is given leave together."""
        return self._chunks is not None

    @property
    def is_open(self) -> bool:
        return self._wire.is_open

    @property
    def is_usable(self) -> bool:
        """Whether it is open and the server silent: one that speaks unasked is saying good-bye."""
        return self._wire.is_usable

    def close(self) -> None:
        self._wire.close()

    def abort(self) -> None:
        self._wire.abort("The sending was broken off.")

    def expire(self) -> None:
        """Wait for no more answers: the time is over."""
        self._wire.give_up("The server did not answer in time.")

    async def answers(self, *, deadline: float) -> bool:
        """Find out whether the server is still there."""
        try:
            async with asyncio.timeout_at(deadline):
                return (await self._wire.ask("NOOP")).is_positive
        except (ConnectionLost, TimeoutError):
            return False

    async def carry(self, take: Take, settle: Settle) -> None:
        """Hand over what `take` gives until it gives no more; each mail's outcome goes to `settle`.

        Where many mails leave together, `take` is asked again after it has given no more, until it begins with that.
        Raises ConnectionLost when the connection breaks or expires: what has no outcome then was surely not taken.
        """
        if self._chunks is None:
            await self._wire.hold(self._carry(take, settle))
        else:
            await self._wire.hold(self._chunks.carry(take, settle))

    def _carry(self, take: Take, settle: Settle) -> Talk:
        letter, announced, wanted = take(), False, False
        while letter is not None:
            refused = None if wanted else (yield from self._announce(letter.mail, announced))
            following = take() if self._pipelining else None
            opening = b"" if following is None else _envelope(following.mail)
            settle(letter, refused or (yield from self._hand_over(letter.mail, opening)))
            self._used = True
            if refused is not None:
                yield from self._start_over(opening)
            announced = following is not None
            wanted = announced and self._wire.took_envelope()
            letter = following or take()

    def _announce(self, mail: Mail, announced: bool) -> Answer[Outcome | None]:
        """Get the server to wait for the mail's content; return None when it does, else why not.

        `announced`: the envelope has been written already. Without pipelining it is said step by step until a refusal.
        """
        if not self._pipelining:
            return (yield from self._announce_in_steps(mail))
        if not announced:
            self._wire.write(_envelope(mail))
        yield len(_STAGES)
        refused: Outcome | None = None
        for stage in _STAGES:
            reason = self._refused(stage)
            refused = refused or reason
        return refused

    def _announce_in_steps(self, mail: Mail) -> Answer[Outcome | None]:
        for stage, command in zip(_STAGES, _envelope(mail).splitlines(keepends=True), strict=True):
            self._wire.write(command)
            yield 1
            refused = self._refused(stage)
            if refused is not None:
                return refused
        return None

    def _refused(self, stage: Stage) -> Outcome | None:
        reply = self._wire.read()
        if reply.closes:
            self._wire.abort(f"The server answered {reply.words}")
            raise ConnectionLost(f"The server answered {reply.words}")
        self._wants_content = reply.code == 354
        return None if (self._wants_content if stage == "data" else reply.is_positive) else refusal(reply, stage)

    def _hand_over(self, mail: Mail, opening: bytes) -> Answer[Outcome]:
        """Write the content, its last dot and the envelope of the mail after it; return what the server made of it.

        Raises ConnectionLost only while the server cannot have taken the mail.
        """
        if not self._wire.is_usable:
            self._wire.abort("The server answered out of turn.")
            raise ConnectionLost("The server answered out of turn.")
        content = _stuffed(mail.content)
        if len(content) > _AT_ONCE:
            self._wire.write(content)
            yield 0
            if not self._wire.is_usable:  # the server hung up, or answered, before it had everything
                early = self._wire.read()
                self._wire.abort("The server answered too early.")
                return refusal(early, "content")
            content = b""
        self._wire.write(content + b".\r\n" + opening)
        yield 1 + len(_STAGES) if opening else 1
        try:
            reply = self._wire.read()
        except ConnectionLost as error:
            return Outcome.unknown(f"The mail was handed over, but the server's answer was lost. {error}")
        if reply.is_positive:
            return Outcome.accepted(mail.message_id)
        if reply.closes:
            self._wire.abort("The server hung up.")
        return refusal(reply, "content")

    def _start_over(self, opening: bytes) -> Talk:
        """Bring the server back to where a new mail may begin, and begin it."""
        # Content that is wanted though there is nobody to give it to is ended by a dot alone (RFC 2920 §3.1).
        self._wire.write((b".\r\n" if self._wants_content else b"RSET\r\n") + opening)
        yield 1
        reply = self._wire.read()
        if reply.closes:
            self._wire.abort(f"The server answered {reply.words}")


def _envelope(mail: Mail) -> bytes:
    return f"{envelope(mail)}DATA\r\n".encode()


def _stuffed(content: bytes) -> bytes:
    """Return a mail's lines as they go over the wire (RFC 5321 §4.5.2), the last one ended."""
    stuffed = content.replace(b"\r\n.", b"\r\n..")
    if stuffed.startswith(b"."):
        stuffed = b"." + stuffed
    return stuffed if stuffed.endswith(b"\r\n") else stuffed + b"\r\n"
