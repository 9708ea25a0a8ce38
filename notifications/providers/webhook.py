"""Webhooks: one signed POST per message to the URL that a person or a service gave.

Source: the Standard Webhooks specification 1.0.0 (github.com/standard-webhooks/standard-webhooks). The receiver knows a
repeat by `webhook-id`, which is the delivery's id on every try.
"""

import base64
import binascii
import hashlib
import hmac
import time
from collections.abc import Iterable
from dataclasses import dataclass

from notifications.providers.base import Message, Outcome
from notifications.providers.http import Answer
from notifications.providers.http_addresses import AddressProvider, proxy_url

_PREFIX = "whsec_"
GONE = "gone"  # why an address is dead that answered 410: its owner wants no more


@dataclass(frozen=True, kw_only=True)
class WebhookOptions:
    base_url: str = proxy_url()


class Webhook(AddressProvider):
    key = "webhook"
    channels = ("webhook",)
    service = "The webhook's server"
    Options = WebhookOptions
    options: WebhookOptions

    async def send_one(self, message: Message, deadline: float) -> Outcome:
        body = message.parts["json"].encode()
        headers = {"Content-Type": "application/json", **signed(message, body, at=int(time.time()))}
        answer = await self.ask_address("POST", message.to, deadline=deadline, headers=headers, body=body)
        return self._outcome(answer, message)

    def _outcome(self, answer: Answer, message: Message) -> Outcome:
        if answer.ok:
            return Outcome.accepted(str(message.delivery_id))  # as the receiver knows it: webhook-id
        words = f"{self.service} answered {answer.status}."
        if answer.status == 410:
            return Outcome.recipient(words, dead_address=GONE)
        return Outcome.transient(words, retry_after=answer.retry_after)


def signed(message: Message, body: bytes, *, at: int) -> dict[str, str]:
    """Return the headers that prove to the receiver who sent this, and when (`at`: seconds since 1970)."""
    id = str(message.delivery_id)
    content = f"{id}.{at}.".encode() + body
    return {"webhook-id": id, "webhook-timestamp": str(at), "webhook-signature": _signatures(message.secrets, content)}


def _signatures(secrets: Iterable[str], content: bytes) -> str:
    """Return one signature per secret: while a secret is being replaced, either of the two verifies."""
    found = [hmac.digest(_key(secret), content, hashlib.sha256) for secret in secrets]
    return " ".join(f"v1,{base64.b64encode(each).decode()}" for each in found)


def _key(secret: str) -> bytes:
    try:
        return base64.b64decode(secret.removeprefix(_PREFIX), validate=True)
    except binascii.Error:
        return secret.encode()
