"""A service that reports, for tests: it signs with a password and lists its events as JSON."""

import json
from datetime import UTC, datetime
from uuid import UUID

from django.test import Client

from notifications.providers.base import Message, Outcome, Provider
from notifications.providers.callbacks import Callback, NotGenuine, Receipt, require_fresh

NOW = datetime(2026, 11, 21, 18, 0, tzinfo=UTC)


class Gazette(Provider):
    key = "gazette"
    channels = ("sms", "email")
    reports = True

    async def send_many(self, messages: list[Message]) -> list[Outcome]:
        return [Outcome.accepted(f"g-{message.delivery_id}") for message in messages]

    async def verify(self, callback: Callback) -> None:
        signature = callback.headers.get("x-signature")
        if signature is None:
            raise NotGenuine("There is no signature.", unsigned=True)
        if signature != "genuine":
            raise NotGenuine("The signature is wrong.")
        if "x-timestamp" in callback.headers:
            require_fresh(datetime.fromisoformat(callback.headers["x-timestamp"]))

    def once(self, callback: Callback) -> str:
        return callback.headers.get("x-token", "")

    def read_receipts(self, callback: Callback) -> list[Receipt]:
        return [_receipt(**event) for event in json.loads(callback.body)]


def _receipt(at: str | None = None, delivery_id: str | None = None, **fields: object) -> Receipt:
    return Receipt(
        **fields,
        at=datetime.fromisoformat(at) if at else None,
        delivery_id=UUID(delivery_id) if delivery_id else None,
    )


def report(*events: dict, account: str = "news", signature: str | None = "genuine", **headers: str):
    """Report events as the service would; return the answer."""
    if signature is not None:
        headers["x-signature"] = signature
    body = json.dumps([_plain(event) for event in events])
    return Client().post(f"/receipts/gazette/{account}/", body, content_type="application/json", headers=headers)


def _plain(event: dict) -> dict:
    return {
        name: value.isoformat() if isinstance(value, datetime) else str(value) if isinstance(value, UUID) else value
        for name, value in event.items()
    }
