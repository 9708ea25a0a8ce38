"""Push to Apple's devices through APNs, over HTTP/2 with token authentication.

Source: Apple's "Sending notification requests to APNs", "Handling notification responses from APNs" and "Establishing
a token-based connection to APNs".
"""

import asyncio
import json
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import httpx
import jwt

from notifications.providers import push
from notifications.providers.base import Message, Outcome, OutcomeKind, Provider
from notifications.providers.http import base_url, outcome
from notifications.providers.options import needed_secret

_MOST_BYTES = 4000  # of the 4,096 that APNs takes
_AT_ONCE = 100  # requests in flight; Apple allows more on one connection once it trusts it
_TOKEN_SECONDS = 45 * 60  # Apple refuses a token older than an hour, and one made more often than every 20 minutes
_WAIT_SECONDS = 60.0  # after 429 without Retry-After
_MOST_JSON = 64 * 1024
# By `reason`. What is not here goes by the status: 4xx the request, 5xx theirs.
_BY_REASON: Mapping[str, OutcomeKind] = {
    "BadDeviceToken": "recipient",
    "DeviceTokenNotForTopic": "recipient",
    "ExpiredToken": "recipient",
    "Unregistered": "recipient",
    "PayloadTooLarge": "recipient",
    "BadTopic": "account",
    "MissingTopic": "account",
    "TopicDisallowed": "account",
    "InvalidProviderToken": "account",
    "MissingProviderToken": "account",
    "Forbidden": "account",
    "BadCertificate": "account",
    "BadCertificateEnvironment": "account",
    "ExpiredProviderToken": "transient",
    "TooManyProviderTokenUpdates": "throttled",
    "TooManyRequests": "transient",  # to one device
    "IdleTimeout": "transient",
    "Shutdown": "transient",
    "ServiceUnavailable": "transient",
    "InternalServerError": "transient",
}
_DEAD = {
    "BadDeviceToken": "invalid_token",
    "DeviceTokenNotForTopic": "another_app",
    "ExpiredToken": "unregistered",
    "Unregistered": "unregistered",
}


def check_key(text: str) -> None:
    """Raise ValueError unless this is the .p8 file of an APNs key."""
    try:
        jwt.encode({}, text, algorithm="ES256")
    except Exception:  # whatever the library says of a key that is none
        raise ValueError("Paste the .p8 file as Apple gave it, its first and last lines included.") from None


@dataclass(frozen=True, kw_only=True)
class APNsOptions:
    key: str = needed_secret(check_key, lines=True)  # the .p8 file, as text
    key_id: str = needed_secret()
    team_id: str
    topic: str  # the app's bundle id
    base_url: str = base_url(
        "https://api.push.apple.com"
    )  # for builds in development https://api.sandbox.push.apple.com


class APNs(Provider):
    key = "apns"
    channels = ("push",)
    Options = APNsOptions
    options: APNsOptions

    def __init__(self, options: APNsOptions, *, timeout: float) -> None:
        super().__init__(options, timeout=timeout)
        self._slots = asyncio.Semaphore(_AT_ONCE)
        self._client: httpx.AsyncClient | None = None
        self._token, self._made_at = "", 0.0

    async def send_many(self, messages: Sequence[Message]) -> list[Outcome]:
        deadline = asyncio.get_running_loop().time() + self.timeout
        return list(await asyncio.gather(*(self._send(message, deadline) for message in messages)))

    async def close(self) -> None:
        client, self._client = self._client, None
        if client is not None:
            await client.aclose()

    async def _send(self, message: Message, deadline: float) -> Outcome:
        try:
            content = _payload(message)
        except push.DoesNotFit as error:
            return Outcome.recipient(str(error))
        try:
            async with asyncio.timeout_at(deadline):
                await self._slots.acquire()
        except TimeoutError:
            return Outcome("throttled", retry_after=1.0, error="There was no time left to try.")
        try:
            found = await self._post(message, content, deadline)
            if isinstance(found, httpx.Response) and _reason(found) == "ExpiredProviderToken":
                self._made_at = 0.0
                found = await self._post(message, content, deadline)
        finally:
            self._slots.release()
        return found if isinstance(found, Outcome) else _outcome(found)

    async def _post(self, message: Message, content: bytes, deadline: float) -> httpx.Response | Outcome:
        """Return the answer, or what it means that there was none."""
        url = f"{self.options.base_url}/3/device/{message.to}"
        try:
            async with asyncio.timeout_at(deadline):
                return await self._open_client().post(url, content=content, headers=self._headers(message))
        except (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout):
            return Outcome.transient("APNs could not be reached.")
        except httpx.InvalidURL:
            return Outcome.recipient("This is no device token.", dead_address="invalid_token")
        except (httpx.HTTPError, TimeoutError, OSError) as error:
            late = isinstance(error, TimeoutError | httpx.TimeoutException)
            return Outcome.unknown(f"APNs {'did not answer in time' if late else 'broke the connection'}.")

    def _headers(self, message: Message) -> dict[str, str]:
        id = str(message.delivery_id)
        lasts = push.seconds_left(message)
        return {
            "authorization": f"bearer {self._provider_token()}",
            "apns-id": id,  # Apple says it back, and in its own logs
            "apns-collapse-id": id,  # a repeat takes the place of the first on the screen
            "apns-topic": self.options.topic,
            "apns-push-type": "alert",
            "apns-priority": "10" if push.is_urgent(message) else "5",
            "apns-expiration": str(int(time.time()) + lasts),
        }

    def _provider_token(self) -> str:
        if not self._token or time.monotonic() - self._made_at > _TOKEN_SECONDS or not self._made_at:
            claims = {"iss": self.options.team_id, "iat": int(time.time())}
            self._token = jwt.encode(claims, self.options.key, algorithm="ES256", headers={"kid": self.options.key_id})
            self._made_at = time.monotonic()
        return self._token

    def _open_client(self) -> httpx.AsyncClient:
        if self._client is None:
            # Plain HTTP is for stand-ins; there both sides know that it is HTTP/2.
            encrypted = self.options.base_url.startswith("https:")
            self._client = httpx.AsyncClient(
                http1=encrypted,
                http2=True,
                timeout=httpx.Timeout(self.timeout, connect=self.timeout / 2),
                limits=httpx.Limits(max_connections=4, keepalive_expiry=300),
                headers={"User-Agent": "Carillon"},
            )
        return self._client


def _payload(message: Message) -> bytes:
    given, badge = push.data(message), message.about.badge
    title, body = push.words(message, most_bytes=_MOST_BYTES - 200, around=given)
    aps: dict[str, Any] = {"alert": {"title": title, "body": body}, "sound": "default"}
    if badge is not None:
        aps["badge"] = badge
    if message.about.category_key:
        aps["thread-id"] = message.about.category_key
    return json.dumps({**given, "aps": aps}, ensure_ascii=False).encode(errors="replace")


def _outcome(answer: httpx.Response) -> Outcome:
    if answer.status_code == 200:
        return Outcome.accepted(answer.headers.get("apns-id", "")[:255])
    reason = _reason(answer)
    words = f"APNs answered {answer.status_code}{f': {reason}' if reason else '.'}"
    if reason in _DEAD:
        return Outcome.recipient(words + _since(answer), dead_address=_DEAD[reason])
    if answer.status_code == 410:
        return Outcome.recipient(words + _since(answer), dead_address="unregistered")
    kind = _BY_REASON.get(reason) or _by_status(answer.status_code)
    return outcome(kind, words, retry_after=_WAIT_SECONDS if kind == "throttled" else None)


def _by_status(status: int) -> OutcomeKind:
    if status == 429:
        return "throttled"
    if status in (403, 404, 405):
        return "account"
    return "transient" if status >= 500 else "recipient"


def _reason(answer: httpx.Response) -> str:
    found = _body(answer).get("reason")
    return found[:60] if isinstance(found, str) and found.isalnum() else ""


def _since(answer: httpx.Response) -> str:
    """Return since when Apple knows that the token is dead, in words; it says milliseconds."""
    stamp = _body(answer).get("timestamp")
    if not isinstance(stamp, int) or not 0 < stamp < 10**14:
        return ""
    return f" since {datetime.fromtimestamp(stamp / 1000, tz=UTC):%Y-%m-%d %H:%M} UTC"


def _body(answer: httpx.Response) -> dict[str, Any]:
    try:
        found = json.loads(answer.content[:_MOST_JSON])
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}
