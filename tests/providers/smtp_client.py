"""Sending through our SMTP provider to a scripted server."""

import asyncio
from typing import Any
from uuid import UUID

from notifications.providers.base import Message, Outcome
from notifications.providers.smtp import SMTP, SMTPOptions
from tests.providers.smtp_server import Server


def message(number: int = 1, to: str = "ada@example.com", text: str = "Hello.") -> Message:
    return Message(
        delivery_id=UUID(int=number), channel="email", to=to, parts={"subject": f"Mail {number}", "text": text}
    )


def send(server: Server, *messages: Message, timeout: float = 5, **options: object) -> list[Outcome]:
    """Start the server, send once, stop it."""

    async def run() -> list[Outcome]:
        async with server:
            provider = smtp(server, timeout=timeout, **options)
            try:
                return await provider.send_many(messages)
            finally:
                await provider.close()

    return asyncio.run(run())


def smtp(server: Server, *, timeout: float = 5, **options: object) -> SMTP:
    stated = {"host": "127.0.0.1", "port": server.port, "security": "none", "from_": "Shop <shop@example.com>"}
    return SMTP(SMTPOptions(**stated | options), timeout=timeout)


def kinds(outcomes: list[Outcome]) -> list[str]:
    return [outcome.kind for outcome in outcomes]


CHUNKS = ("PIPELINING", "8BITMIME", "SMTPUTF8", "CHUNKING")


def chunking(**script: Any) -> Server:
    return Server(extensions=CHUNKS, **script)


def words(server: Server) -> list[str]:
    return [command.split(" ")[0] for command in server.commands]


def send_twice(server: Server, first: list[Message], second: list[Message], **options: Any) -> list[Outcome]:
    """Send `first`, by which the server becomes known, then `second`, which leaves together; return its outcomes."""

    async def run() -> list[Outcome]:
        async with server:
            provider = smtp(server, connections=1, **options)
            known = await provider.send_many(first)
            assert kinds(known) == ["accepted"] * len(first)
            outcomes = await provider.send_many(second)
            await provider.close()
            return outcomes

    return asyncio.run(run())


def mails(start: int, stop: int) -> list[Message]:
    return [message(number, to=f"{number}@example.com") for number in range(start, stop)]
