"""Providers for tests: one that kills whoever calls it, one that speaks plain HTTP to a stand-in."""

import asyncio
import json
import os
import signal
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from urllib.parse import urlsplit

from notifications import mail
from notifications.providers.base import Message, Outcome, Provider
from notifications.providers.smtp import SMTP

POISON = "poison"


class Deadly(SMTP):
    """Sends mail, until it meets a subject that kills its process."""

    key = "deadly"

    async def send_many(self, messages: Sequence[Message]) -> list[Outcome]:
        if any(POISON in message.parts.get("subject", "") for message in messages):
            os.kill(os.getpid(), signal.SIGKILL)
        return await super().send_many(messages)


@dataclass(frozen=True, kw_only=True)
class StandInOptions:
    base_url: str


class StandIn(Provider):
    """One POST per message; answers mean what they mean to most services."""

    key = "stand_in"
    channels = ("sms", "push")
    Options = StandInOptions
    options: StandInOptions

    async def send_many(self, messages: Sequence[Message]) -> list[Outcome]:
        return list(await asyncio.gather(*(self._send(message) for message in messages)))

    async def _send(self, message: Message) -> Outcome:
        asked = False
        try:
            async with asyncio.timeout(self.timeout):
                parts = urlsplit(self.options.base_url)
                reader, writer = await asyncio.open_connection(parts.hostname, parts.port)
                try:
                    writer.write(_request(message))
                    asked = True
                    head = (await reader.readuntil(b"\r\n\r\n")).decode()
                finally:
                    writer.close()
        except (OSError, TimeoutError, asyncio.IncompleteReadError) as error:
            words = f"{type(error).__name__}"
            return Outcome.unknown(words) if asked else Outcome.transient(words)
        return _outcome(head)


def _request(message: Message) -> bytes:
    said = {"to": message.to, "text": message.parts.get("text", ""), "id": mail.message_id(message.delivery_id)}
    body = json.dumps(said).encode()
    return b"POST / HTTP/1.1\r\nHost: stand-in\r\nContent-Length: %d\r\n\r\n" % len(body) + body


def _outcome(head: str) -> Outcome:
    first, *lines = head.split("\r\n")
    status = int(first.split(" ")[1])
    headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
    if 200 <= status < 300:
        return Outcome.accepted()
    if status == 429:
        return Outcome.throttled(first, until=_when(headers.get("retry-after", "1")))
    if status in {401, 403}:
        return Outcome.account(first)
    return Outcome.recipient(first) if status < 500 else Outcome.transient(first)


def _when(retry_after: str) -> datetime:
    """Return the moment a Retry-After names, in either form (RFC 9110 §10.2.3)."""
    if retry_after.isdigit():
        return datetime.now(tz=UTC) + timedelta(seconds=int(retry_after))
    return parsedate_to_datetime(retry_after)
