"""Browsers' own push: one encrypted POST per message to the push service that the browser subscribed with.

Sources: RFC 8030 (the protocol), RFC 8291, RFC 8292; the status codes as Chrome's, Mozilla's and Apple's services
document them. The push service is named by the browser, so it stands behind the guard like any URL that others give.
"""

import json
from dataclasses import dataclass
from datetime import UTC, datetime

from notifications.providers.base import Message, Outcome
from notifications.providers.http import Answer
from notifications.providers.http_addresses import AddressProvider, proxy_url
from notifications.providers.options import checked, secret
from notifications.providers.web_push_encryption import (
    MOST_BYTES,
    Subscription,
    Vapid,
    decoded,
    encrypt,
    read_private_key,
)

GONE = "gone"  # why an address is dead: the browser unsubscribed, or was removed
_URGENCY = {"HIGH": "high", "MEDIUM": "normal", "LOW": "low"}  # RFC 8030 §5.3
_LONGEST_TTL = 28 * 24 * 3600  # seconds; what push services keep at most
_DEFAULT_TTL = 24 * 3600
# No status is about the account: any server may stand in the address of a push service, and a push service's own 403
# is about the key with which this one browser subscribed.
_ABOUT_THE_RECIPIENT = {400, 401, 403, 405, 413}


def _check_private_key(value: str) -> None:
    if value:
        read_private_key(value)


def _check_subject(value: str) -> None:
    if not value.startswith(("mailto:", "https://")):
        raise ValueError("The subject is a mailto: or https: address by which push services reach you.")


@dataclass(frozen=True, kw_only=True)
class WebPushOptions:
    vapid_private_key: str = secret(check=_check_private_key)
    subject: str = checked(_check_subject)
    base_url: str = proxy_url()


class WebPush(AddressProvider):
    key = "web_push"
    channels = ("web_push",)
    service = "The push service"
    Options = WebPushOptions
    options: WebPushOptions

    def __init__(self, options: WebPushOptions, *, timeout: float) -> None:
        super().__init__(options, timeout=timeout)
        self._vapid = Vapid(options.vapid_private_key, options.subject) if options.vapid_private_key else None

    async def send_one(self, message: Message, deadline: float) -> Outcome:
        if self._vapid is None:
            return Outcome.account("The option vapid_private_key is missing.")
        try:
            to = read_subscription(message.to)
            body = encrypt(content(message), to)
        except ValueError:
            return Outcome.recipient("The browser's subscription cannot be used.", dead_address="unusable")
        headers = {
            "Authorization": self._vapid.authorization(to.endpoint),
            "Content-Encoding": "aes128gcm",
            "Content-Type": "application/octet-stream",
            "TTL": str(_ttl(message)),
            "Urgency": _URGENCY.get(message.about.priority, "normal"),
            "Topic": message.delivery_id.hex,  # a repeat takes the place of what still waits for the browser
        }
        answer = await self.ask_address("POST", to.endpoint, deadline=deadline, headers=headers, body=body)
        return self._outcome(answer, message)

    def _outcome(self, answer: Answer, message: Message) -> Outcome:
        if answer.ok:
            return Outcome.accepted(answer.headers.get("Location", "")[-255:] or str(message.delivery_id))
        words = f"{self.service} answered {answer.status}."
        if answer.status in (404, 410):
            return Outcome.recipient(words, dead_address=GONE)
        if answer.status in _ABOUT_THE_RECIPIENT:
            return Outcome.recipient(words)
        return Outcome.transient(words, retry_after=answer.retry_after)


def read_subscription(address: str) -> Subscription:
    """Return the browser's subscription that a web_push address holds. Raises ValueError."""
    try:
        said = json.loads(address)
        keys = said["keys"]
        return Subscription(said["endpoint"], decoded(keys["p256dh"]), decoded(keys["auth"]))
    except (KeyError, TypeError) as error:
        raise ValueError("This is not a subscription.") from error


def content(message: Message) -> bytes:
    """Return what the service worker reads: {"id", "title", "body", "link"}, the texts cut to what a push holds."""
    shown = {
        "id": str(message.delivery_id),
        "title": message.parts.get("title", ""),
        "body": message.parts.get("body", ""),
        "link": message.about.link,
    }
    for part in ("body", "title", "link"):
        while (over := len(_json(shown)) - MOST_BYTES) > 0 and shown[part]:
            whole = shown[part].encode(errors="replace")
            cut = whole[: -over - len("…".encode())].decode(errors="ignore")
            shown[part] = f"{cut}…" if cut and part != "link" else ""
    return _json(shown)


def _json(value: object) -> bytes:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode(errors="replace")


def _ttl(message: Message) -> int:
    """Return for how many seconds the push service keeps it for a browser that is away."""
    if message.about.expires_at is None:
        return _DEFAULT_TTL
    left = (message.about.expires_at - datetime.now(tz=UTC)).total_seconds()
    return max(0, min(int(left), _LONGEST_TTL))
