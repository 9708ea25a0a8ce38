"""Mail through an e-mail service (SendGrid, Mailgun, Amazon SES, Postmark, …), each by django-anymail's code for it.

Anymail's calls block, so they run in threads of this provider's own, within the deadline. Many mails are one call where
the service takes mails of different words together (`anymail_batches`); elsewhere every mail is a call.
"""

import asyncio
import hashlib
import json
import re
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, Literal, TypeVar, get_args

from anymail.message import AnymailMessage
from django.conf import settings as django_settings

from notifications import mail
from notifications.providers import anymail_batches, anymail_reports
from notifications.providers.anymail_batches import Batch
from notifications.providers.anymail_calls import KEYED, Calls
from notifications.providers.base import Message, Outcome
from notifications.providers.callbacks import Callback, Receipt
from notifications.providers.http import HTTPProvider
from notifications.providers.options import checked, needed_secret
from notifications.providers.sns_topics import Topics, named

Service = Literal[
    "amazon_ses", "brevo", "mailersend", "mailgun", "mailjet", "mailtrap", "mandrill", "postal", "postmark", "resend",
    "scaleway", "sendgrid", "sparkpost", "unisender_go",
]  # fmt: skip
SERVICES: tuple[str, ...] = get_args(Service)
_THREADS = 16
_NO_TIME = Outcome("throttled", retry_after=1.0, error="There was no time left to try.")
T = TypeVar("T")


def check_settings(given: dict[str, Any] | str) -> None:
    """Raise ValueError unless these are settings by name, as an object or as JSON text."""
    read_settings(given)


def read_settings(given: dict[str, Any] | str) -> dict[str, Any]:
    if isinstance(given, str):
        try:
            given = json.loads(given)
        except ValueError:
            raise ValueError('Settings are a JSON object, such as {"api_key": "…"}.') from None
    if not isinstance(given, dict) or not all(re.fullmatch(r"[A-Za-z][A-Za-z0-9_]*", name) for name in given):
        raise ValueError('Settings are a JSON object, such as {"api_key": "…"}.')
    return given


@dataclass(frozen=True, kw_only=True)
class AnymailOptions:
    esp: Service
    # Anymail's own names without the service's: "api_key", "sender_domain", "webhook_secret"; "env:NAME" as value.
    settings: dict[str, Any] | str = needed_secret(check_settings, lines=True)
    from_: str = checked(mail.check_sender, default="")  # "" = the installation's
    base_url: str = ""  # "": the service's own


class Anymail(HTTPProvider):
    key = "anymail"
    channels = ("email",)
    concurrency = _THREADS
    reports = True
    Options = AnymailOptions
    options: AnymailOptions

    def __init__(self, options: AnymailOptions, *, timeout: float) -> None:
        super().__init__(options, timeout=timeout)
        self._settings = {
            name.lower().removeprefix(f"{options.esp}_"): value
            for name, value in read_settings(options.settings).items()
        }
        self.service = options.esp.replace("_", " ").title()  # type: ignore[misc]  # each account has its own
        self._pool = ThreadPoolExecutor(_THREADS, thread_name_prefix=f"anymail-{options.esp}")
        self._calls = Calls(
            options.esp,
            self._settings,
            service=self.service,
            base_url=options.base_url,
            timeout=timeout,
            meaning=self._meaning,
        )
        self._topics = Topics(named(self._settings.get("topics")), self.ask, seconds=timeout)

    async def send_many(self, messages: Sequence[Message]) -> list[Outcome]:
        deadline = asyncio.get_running_loop().time() + self.timeout
        batch = anymail_batches.BATCHES.get(self.options.esp)
        if batch is None or len(messages) < 2:
            return await self.send_by(messages, deadline)
        groups = anymail_batches.groups(messages, batch)
        together = [[messages[place] for place in places] for places in groups if len(places) > 1]
        told = await asyncio.gather(*(self._send_together(batch, each, deadline) for each in together))
        found: dict[int, Outcome] = {}
        for places, outcomes in zip((places for places in groups if len(places) > 1), told, strict=True):
            found |= zip(places, outcomes, strict=True) if outcomes is not None else ()
        stopped = next((each for each in found.values() if each.kind in ("account", "throttled")), None)
        alone = [place for place in range(len(messages)) if place not in found]
        rest = [messages[place] for place in alone]
        found |= zip(alone, [stopped] * len(rest) if stopped else await self.send_by(rest, deadline), strict=True)
        return [found[place] for place in range(len(messages))]

    async def send_one(self, message: Message, deadline: float) -> Outcome:
        try:
            letter = self._letter(message)
        except mail.CannotBeMailed as error:
            return Outcome.recipient(str(error))
        key = self._key([message])
        return await self._in_thread(lambda: self._calls.one(letter, key=key), deadline)

    async def verify(self, callback: Callback) -> None:
        if self.options.esp == "amazon_ses":
            await self._topics.verify(callback)
        else:
            anymail_reports.verify(callback, esp=self.options.esp, settings=self._settings)

    def once(self, callback: Callback) -> str:
        return anymail_reports.token(callback) if self.options.esp == "mailgun" else ""

    def read_receipts(self, callback: Callback) -> list[Receipt]:
        return anymail_reports.read(callback, esp=self.options.esp, settings=self._settings)

    async def close(self) -> None:
        await super().close()
        self._pool.shutdown(wait=False, cancel_futures=True)

    async def _send_together(
        self, batch: Batch, messages: Sequence[Message], deadline: float
    ) -> Sequence[Outcome] | None:
        """Send messages by one call; None: none of them was taken, and each may be sent alone."""
        try:
            letters = [self._letter(message) for message in messages]
        except mail.CannotBeMailed:
            return None
        key = self._key(messages)
        try:
            async with asyncio.timeout_at(deadline):
                await self._slots.acquire()
        except TimeoutError:
            return [_NO_TIME] * len(messages)
        try:
            found = await self._in_thread(lambda: self._calls.together(batch, letters, key=key), deadline)
        finally:
            self._slots.release()
        return [found] * len(messages) if isinstance(found, Outcome) else found

    async def _in_thread(self, ask: Callable[[], T], deadline: float) -> T | Outcome:
        call: Future[T] = self._pool.submit(ask)
        try:
            async with asyncio.timeout_at(deadline):
                return await asyncio.shield(asyncio.wrap_future(call))
        except TimeoutError:
            return _NO_TIME if call.cancel() else Outcome.unknown(f"{self.service} did not answer in time.")

    def _key(self, messages: Sequence[Message]) -> str:
        """Return what is the same whenever these very mails are sent, and only then."""
        if self.options.esp not in KEYED:
            return ""
        said = [
            (each.delivery_id, each.to, dict(each.parts), dict(each.headers), each.message_id)
            + tuple((file.filename, file.content) for file in each.files)
            for each in messages
        ]
        return hashlib.sha256(repr((self.options.from_, said)).encode()).hexdigest()

    def _letter(self, message: Message) -> AnymailMessage:
        stated = mail.headers(message)
        stated.pop("To")
        letter = AnymailMessage(
            subject=stated.pop("Subject"),
            body=message.parts.get("text", ""),
            from_email=self.options.from_ or django_settings.DEFAULT_FROM_EMAIL,
            to=[mail.address(message.to)],
            headers=stated,
        )
        if html := message.parts.get("html", ""):
            letter.attach_alternative(html, "text/html")
        for file in message.files:
            letter.attach(mail.part(file))
        letter.metadata = {"delivery_id": str(message.delivery_id)}  # comes back with every report
        return letter
