"""Sending through our SMTP provider to a scripted server."""

import asyncio
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
