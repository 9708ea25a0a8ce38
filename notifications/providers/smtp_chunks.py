"""Mails handed over as chunks (RFC 3030): counted in octets, so that no content has to wait for an answer."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from notifications.mail import Mail
from notifications.providers.base import Outcome
from notifications.providers.smtp_replies import Reply, Stage, refusal
from notifications.providers.smtp_wire import SENT, ConnectionLost, Talk, Wire

_AT_ONCE = 256 * 1024  # bytes that are written before what was written has left
_LARGE = 64 * 1024  # bytes of a mail that nobody keeps once it is written
_STAGES: tuple[Stage, ...] = ("mail", "rcpt", "content")
_NO_SUCH_COMMAND = {500, 502}
_NO_CHUNKS = _NO_SUCH_COMMAND | {503}  # to BDAT, of a server that has taken the recipient


class Letter(NamedTuple):
    """A mail on its way."""

    place: int  # in the batch
    mail: Mail


Take = Callable[[], Letter | None]
Settle = Callable[[Letter, Outcome], None]


@dataclass
class Chunking:
    """What is known of a server's way with chunks: one that offers them may know nothing of them."""

    tried: bool = False
    refused: bool = False

    async def find_out(self, wire: Wire) -> None:
        """Send a chunk of no mail and of no length. Raises ConnectionLost, also where the server takes its leave.

        A server that took the content of a mail for commands would obey whoever wrote it.
        """
        try:
            reply = await wire.ask("BDAT 0 LAST")
            if reply.closes:
                raise ConnectionLost(f"The server answered {reply.words}")
            self.refused = reply.code in _NO_SUCH_COMMAND
        except (ConnectionLost, asyncio.CancelledError):
            self.refused = True  # it may have been about this
            raise
        finally:
            self.tried = True


@dataclass
class _Burst:
    """Mails that are handed over together."""

    letters: list[Letter]
    resets: bool  # before the first mail, too
    ended: int = 0  # mails: so many have been written to their end
    ended_before: int = 0  # the same, the very last byte that was written left out

    @property
    def answers(self) -> int:
        return len(self.letters) * (1 + len(_STAGES)) - (not self.resets)


class Chunks:
    """Hands mails over one wire, as many together as it is given."""

    def __init__(self, wire: Wire, chunking: Chunking, *, clean: bool) -> None:
        self._wire = wire
        self._chunking = chunking
        self._clean = clean  # the server is where a new mail may begin
        self._proven = False  # it has taken a mail
        self.used = False  # a mail has gone through: if the connection breaks now, the server may merely have tired

    def carry(self, take: Take, settle: Settle) -> Talk:
        """Hand over what `take` gives: what it gives until None together, and so on until it begins with None.

        Raises ConnectionLost when the connection breaks: what has no outcome then was surely not taken.
        """
        while (letter := take()) is not None:
            if not self._wire.is_usable:
                raise ConnectionLost("The server answered out of turn.")
            burst = _Burst([], resets=not self._clean)
            yield from self._write(burst, letter, take)
            yield burst.answers
            self._read(burst, settle)

    def _write(self, burst: _Burst, letter: Letter | None, take: Take) -> Talk:
        """Write mail after mail, never more than can leave: the next piece waits until the one before has."""
        wire, letters = self._wire, burst.letters
        pieces: list[bytes | memoryview] = []
        size, resets = 0, burst.resets
        while letter is not None:
            content = letter.mail.content
            letters.append(letter if len(content) < _LARGE else _without_content(letter))
            pieces.append(_opening(letter.mail, resets))
            for start in range(0, len(content), _AT_ONCE):
                if size + len(content) - start >= _AT_ONCE:
                    burst.ended_before = burst.ended = len(letters) - 1
                    wire.write(b"".join(pieces))
                    pieces, size = [], 0
                    yield SENT
                    if not wire.is_connected:
                        return
                piece = content if len(content) <= _AT_ONCE else memoryview(content)[start : start + _AT_ONCE]
                pieces.append(piece)
                size += len(piece)
            if not content.endswith(b"\r\n"):
                pieces.append(b"\r\n")
            resets, letter = True, take()
        burst.ended_before, burst.ended = len(letters) - 1, len(letters)
        wire.write(b"".join(pieces))

    def _read(self, burst: _Burst, settle: Settle) -> None:
        """Settle what the server has answered or may have taken. Raises ConnectionLost for the rest."""
        if self._wire.read_well(burst.answers):
            self._clean = self._proven = self.used = True
            for letter in burst.letters:
                settle(letter, Outcome.accepted(letter.mail.message_id))
            return
        self._clean = False
        if not self._read_each(burst, settle):
            raise ConnectionLost(self._wire.why_lost or "The server did not take the mail.")

    def _read_each(self, burst: _Burst, settle: Settle) -> bool:
        """Settle mail after mail; tell whether none is left that was surely not taken without anybody's fault."""
        wire, all_settled, farewell = self._wire, True, False
        ended = burst.ended_before if wire.is_paused else burst.ended
        for number, letter in enumerate(burst.letters):
            reset = wire.read_some(1) if number or burst.resets else ()
            replies = wire.read_some(len(_STAGES))
            farewell = farewell or any(reply.closes for reply in (*reset, *replies))
            outcome = _answered(letter, replies)
            if outcome is None and number < ended and _is_open(replies) and not (farewell and wire.was_left):
                outcome = Outcome.unknown(
                    f"The mail was handed over, but the server's answer was lost. {wire.why_lost}"
                )
            if outcome is not None:
                settle(letter, outcome)
                self.used, self._proven = True, self._proven or outcome.kind == "accepted"
                continue
            all_settled = False
            if replies and replies[-1].code in _NO_CHUNKS:
                self._chunking.refused = self.used = True
                if not self._proven and replies[-1].code in _NO_SUCH_COMMAND:
                    break  # it takes what is written for commands: what it answers further is about no mail
        return all_settled


def _answered(letter: Letter, replies: Sequence[Reply]) -> Outcome | None:
    """Return what the answers to MAIL, RCPT and BDAT, as far as they came, make of a mail.

    None: they leave it open, or it was not taken without anybody's fault.
    """
    if len(replies) == len(_STAGES) and replies[1].is_positive and replies[2].is_positive:
        return Outcome.accepted(letter.mail.message_id)
    for stage, reply in zip(_STAGES, replies, strict=False):
        if not reply.is_positive:
            again = reply.code in _NO_CHUNKS if stage == "content" else reply.closes
            return None if again else refusal(reply, stage)
    return None


def _is_open(replies: Sequence[Reply]) -> bool:
    """Tell whether the answers, as far as they came, say nothing against a mail."""
    return len(replies) < len(_STAGES) and all(reply.is_positive for reply in replies)


def _opening(mail: Mail, resets: bool) -> bytes:
    """Return what is said before a mail's content."""
    reset = "RSET\r\n" if resets else ""
    length = len(mail.content) + (0 if mail.content.endswith(b"\r\n") else 2)
    return f"{reset}{envelope(mail)}BDAT {length} LAST\r\n".encode()


def envelope(mail: Mail) -> str:
    """Return the commands that name a mail's sender and its recipient."""
    parameters = " SMTPUTF8 BODY=8BITMIME" if mail.utf8 else ""
    return f"MAIL FROM:<{mail.sender}>{parameters}\r\nRCPT TO:<{mail.recipient}>\r\n"


def _without_content(letter: Letter) -> Letter:
    return letter._replace(mail=letter.mail._replace(content=b""))
