"""Services that speak HTTP: one request per message, over connections that stay open, each answer with one meaning.

A provider of such a service states its table of meanings where it differs from MEANINGS, and sends one message in
`send_one`. Many at once, connections, deadlines, lost answers and Retry-After are seen to here.
"""

import asyncio
import json
import logging
import ssl
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, ClassVar
from urllib.parse import urlsplit

import aiohttp
import msgspec

from notifications import retries
from notifications.providers.base import Message, Outcome, OutcomeKind, Provider
from notifications.providers.options import checked

logger = logging.getLogger(__name__)

MOST_BYTES = 64 * 1024  # of an answer; what is longer is cut, and tells us nothing more
_CONNECT_SHARE = 0.5  # of the time there is: what connecting may take, so that asking still can
# An idle connection is kept this long. Services close theirs after 60 seconds and more; we must not be the later one.
_KEEP_SECONDS = 15
_WAIT_SECONDS = 5.0  # when a service says "too fast" and not how long

# RFC 9110 §15. A 504 comes from a proxy whose service may have done the work.
MEANINGS: Mapping[int, OutcomeKind] = {
    401: "account",
    402: "account",
    403: "account",
    404: "account",  # the path is ours, not the recipient's
    405: "account",
    407: "account",
    408: "transient",
    425: "transient",
    429: "throttled",
    504: "unknown",
}
_BY_CLASS: Mapping[int, OutcomeKind] = {2: "accepted", 4: "recipient", 5: "transient"}  # else: it is not our service


@dataclass(frozen=True, slots=True)
class Answer:
    """What a service answered. `body` ends after MOST_BYTES, or where the connection did."""

    status: int
    headers: Mapping[str, str]  # found by name in any case
    body: bytearray

    @property
    def ok(self) -> bool:
        return 200 <= self.status < 300

    @property
    def retry_after(self) -> float | None:
        """The seconds that the service asks us to wait, within what we hear."""
        return retries.read_retry_after(self.headers.get("Retry-After", ""), datetime.now(tz=UTC))

    def json(self) -> dict[str, Any]:
        """Return the JSON object of the body; empty when it holds none."""
        try:
            found = json.loads(self.body)
        except (ValueError, RecursionError):
            return {}
        return found if isinstance(found, dict) else {}


class NoAnswer(Exception):
    """The service was not reached, or its answer was lost. `outcome` says which."""

    def __init__(self, outcome: Outcome) -> None:
        super().__init__(outcome.error)
        self.outcome = outcome


@dataclass
class _Batch:
    """One send_many at work."""

    deadline: float
    stopped: Outcome | None = None  # the account was refused or slowed down: the rest is not tried


class HTTPProvider(Provider):
    """A provider that makes one request per message. A subclass says `service`, `send_one` and its quirks."""

    service: ClassVar[str]  # as errors name it: "Twilio"
    meanings: ClassVar[Mapping[int, OutcomeKind]] = {}  # where this service differs from MEANINGS
    concurrency: ClassVar[int] = 64  # requests of one account at once, in each worker process
    trusted: ssl.SSLContext | bool = True  # whose certificates are: those of the system unless told otherwise

    def __init__(self, options: Any, *, timeout: float) -> None:
        super().__init__(options, timeout=timeout)
        self._slots = asyncio.Semaphore(self.concurrency)
        self._session: aiohttp.ClientSession | None = None

    async def send_one(self, message: Message, deadline: float) -> Outcome:
        """Send one message by the loop's time `deadline`. NoAnswer may pass through: its outcome is the message's."""
        raise TypeError(f"{type(self).__name__} does not say how it sends.")

    async def send_many(self, messages: Sequence[Message]) -> list[Outcome]:
        return await self.send_by(messages, asyncio.get_running_loop().time() + self.timeout)

    async def send_by(self, messages: Sequence[Message], deadline: float) -> list[Outcome]:
        """Send each message by a request of its own, by the loop's time `deadline`."""
        batch = _Batch(deadline)
        return list(await asyncio.gather(*(self._send(message, batch) for message in messages)))

    async def close(self) -> None:
        """Let go of the connections once nothing is on its way: closing them sooner would lose answers."""
        taken = 0
        try:
            async with asyncio.timeout(self.timeout):
                while taken < self.concurrency:
                    await self._slots.acquire()
                    taken += 1
        except TimeoutError:
            logger.warning("provider.closed_while_busy", extra={"provider": self.key})
        session, self._session = self._session, None
        if session is not None:
            await session.close()
        for _ in range(taken):
            self._slots.release()

    async def ask(
        self,
        method: str,
        url: str,
        *,
        deadline: float,
        headers: Mapping[str, str] | None = None,
        body: Any = None,
        form: Mapping[str, str] | Sequence[tuple[str, str]] | None = None,
        hands_over: bool = True,
        server_name: str | None = None,
    ) -> Answer:
        """Make one request and return its answer, whatever its status; a redirect is an answer too. Raises NoAnswer.

        `body` is bytes as they are, or anything that JSON can hold. `hands_over`: the request carries the message, so
        that a lost answer leaves it unknown; else (fetching a token) it was surely not sent. `server_name`: whose
        certificate to expect where `url` holds an address.
        """
        data, headers = _body(body, form, headers or {})
        connect = max((deadline - asyncio.get_running_loop().time()) * _CONNECT_SHARE, 0.001)
        answer: Answer | None = None
        try:
            async with (
                asyncio.timeout_at(deadline),
                self._open_session().request(
                    method,
                    url,
                    headers=headers,
                    data=data,
                    allow_redirects=False,
                    server_hostname=server_name,
                    timeout=aiohttp.ClientTimeout(total=None, connect=connect),
                ) as response,
            ):
                answer = Answer(response.status, response.headers, bytearray())
                async for chunk in response.content.iter_any():
                    answer.body.extend(chunk[: MOST_BYTES - len(answer.body)])
                    if len(answer.body) == MOST_BYTES:
                        break
        except (aiohttp.ClientError, TimeoutError, OSError, ValueError) as error:
            if answer is None:  # else its status says what became of the message, whatever became of the body
                raise NoAnswer(self._no_answer(error, hands_over)) from None
        return answer

    def outcome_of(self, answer: Answer, *, provider_message_id: str = "", error: str = "") -> Outcome:
        """Return what the answer's status means by this service's table. `error` adds its words, without addresses."""
        kind = self._meaning(answer.status)
        if kind == "accepted":
            return Outcome.accepted(provider_message_id)
        words = f"{self.service} answered {answer.status}{': ' if error else '.'}{error}"
        return outcome(kind, words, retry_after=answer.retry_after)

    def _meaning(self, status: int) -> OutcomeKind:
        return self.meanings.get(status) or MEANINGS.get(status) or _BY_CLASS.get(status // 100, "account")

    async def _send(self, message: Message, batch: _Batch) -> Outcome:
        try:
            async with asyncio.timeout_at(batch.deadline):
                await self._slots.acquire()
        except TimeoutError:  # a service that is merely slow: what it was not asked has failed nobody
            return batch.stopped or Outcome("throttled", retry_after=1.0, error="There was no time left to try.")
        try:
            if batch.stopped is not None:
                return batch.stopped
            found = await self._try(message, batch.deadline)
        finally:
            self._slots.release()
        if found.kind in ("account", "throttled"):
            batch.stopped = found
        return found

    async def _try(self, message: Message, deadline: float) -> Outcome:
        try:
            return await self.send_one(message, deadline)
        except NoAnswer as error:
            return error.outcome
        except Exception:  # one message that our code cannot send must not take its whole batch along
            logger.exception("provider.crashed", extra={"provider": self.key, "delivery": str(message.delivery_id)})
            return Outcome.unknown("The provider's code failed.")

    def _open_session(self) -> aiohttp.ClientSession:
        if self._session is None:
            self._session = aiohttp.ClientSession(
                # Without a limit: the slots are the limit.
                connector=aiohttp.TCPConnector(limit=0, keepalive_timeout=_KEEP_SECONDS, ssl=self.trusted),
                cookie_jar=aiohttp.DummyCookieJar(),
                headers={"User-Agent": "Carillon", "Accept-Encoding": "identity"},
            )
        return self._session

    def _no_answer(self, error: Exception, hands_over: bool) -> Outcome:
        if isinstance(error, aiohttp.ClientConnectorCertificateError):
            return self._not_reached("account", f"{self.service} showed a certificate that is not valid.")
        if isinstance(error, aiohttp.ClientConnectorError | aiohttp.ConnectionTimeoutError):
            return self._not_reached("transient", f"{self.service} could not be reached.")
        if isinstance(error, aiohttp.InvalidURL | ValueError):
            return self._not_reached("account", f"{self.service} cannot be asked with these options.")
        if not hands_over:
            return self._not_reached("transient", f"{self.service} did not answer.")
        late = isinstance(error, TimeoutError)
        return Outcome.unknown(f"{self.service} {'did not answer in time' if late else 'broke the connection'}.")

    def _not_reached(self, kind: OutcomeKind, error: str) -> Outcome:
        return outcome(kind, error)


def outcome(kind: OutcomeKind, error: str, *, retry_after: float | None = None) -> Outcome:
    """Return an outcome of a kind found in a table; a wait is kept where the kind has one."""
    if kind == "throttled":
        return Outcome(kind, retry_after=retry_after or _WAIT_SECONDS, error=error)
    return Outcome(kind, retry_after=retry_after if kind == "transient" else None, error=error)


def base_url(default: str) -> Any:
    """Declare the option `base_url`: where the service is, without the path; a stand-in may take its place."""
    return checked(check_base_url, default=default)


def check_base_url(value: str) -> None:
    """Raise ValueError unless this is http(s)://host[:port][/path]."""
    parts = urlsplit(value)
    wrong = parts.scheme not in ("http", "https") or not parts.hostname or "@" in parts.netloc
    if wrong or parts.query or parts.fragment or not value.isprintable() or " " in value:
        raise ValueError("A base URL has the form https://api.example.com, without name, password, ? and #.")


def _body(body: Any, form: Any, headers: Mapping[str, str]) -> tuple[Any, Mapping[str, str]]:
    if form is not None:
        return aiohttp.FormData(form), headers
    if body is None or isinstance(body, bytes):
        return body, headers
    return msgspec.json.encode(body), {"Content-Type": "application/json", **headers}
