"""Mail through an e-mail service (SendGrid, Mailgun, Amazon SES, Postmark, …), each by django-anymail's code for it.

Anymail's calls block, so they run in threads of this provider's own, within the deadline. Every mail is a call: what
people get differs in every word, which the services' batch calls do not carry.
"""

import asyncio
import json
import re
import threading
from collections.abc import Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib import import_module
from typing import Any, Literal, get_args

import requests
from anymail.backends.base import AnymailBaseBackend
from anymail.exceptions import AnymailAPIError, AnymailError, AnymailRecipientsRefused
from anymail.message import AnymailMessage
from django.conf import settings as django_settings
from django.core.exceptions import ImproperlyConfigured

from notifications import mail, retries
from notifications.providers import anymail_reports
from notifications.providers.base import Message, Outcome, OutcomeKind
from notifications.providers.callbacks import Callback, Receipt
from notifications.providers.http import HTTPProvider, outcome
from notifications.providers.options import checked, needed_secret
from notifications.providers.sns_topics import Topics, named

Service = Literal[
    "amazon_ses", "brevo", "mailersend", "mailgun", "mailjet", "mailtrap", "mandrill", "postal", "postmark", "resend",
    "scaleway", "sendgrid", "sparkpost", "unisender_go",
]  # fmt: skip
SERVICES: tuple[str, ...] = get_args(Service)
_THREADS = 16
_TAKEN = {"sent", "queued", "unknown"}  # "unknown": the service took it and says no more
# Of errors of Amazon SES, which come without an HTTP status.
_BY_AWS_CODE: Mapping[str, OutcomeKind] = {
    "TooManyRequestsException": "throttled",
    "Throttling": "throttled",
    "ThrottlingException": "throttled",
    "LimitExceededException": "throttled",
    "MessageRejected": "recipient",
    "BadRequestException": "recipient",
    "MailFromDomainNotVerifiedException": "account",
    "AccountSuspendedException": "account",
    "SendingPausedException": "account",
    "AccessDeniedException": "account",
    "UnrecognizedClientException": "account",
    "InvalidClientTokenId": "account",
    "SignatureDoesNotMatch": "account",
    "NotFoundException": "account",
}


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
        self._kept = threading.local()
        self._topics = Topics(named(self._settings.get("topics")), self.ask, seconds=timeout)

    async def send_one(self, message: Message, deadline: float) -> Outcome:
        try:
            letter = self._letter(message)
        except mail.CannotBeMailed as error:
            return Outcome.recipient(str(error))
        call: Future[Outcome] = self._pool.submit(self._call, letter)
        try:
            async with asyncio.timeout_at(deadline):
                return await asyncio.shield(asyncio.wrap_future(call))
        except TimeoutError:
            if call.cancel():
                return Outcome("throttled", retry_after=1.0, error="There was no time left to try.")
            return Outcome.unknown(f"{self.service} did not answer in time.")

    async def verify(self, callback: Callback) -> None:
        if self.options.esp == "amazon_ses":
            await self._topics.verify(callback)
        else:
            anymail_reports.verify(callback, esp=self.options.esp, settings=self._settings)

    def read_receipts(self, callback: Callback) -> list[Receipt]:
        return anymail_reports.read(callback, esp=self.options.esp, settings=self._settings)

    async def close(self) -> None:
        await super().close()
        self._pool.shutdown(wait=False, cancel_futures=True)

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

    def _call(self, letter: AnymailMessage) -> Outcome:
        """Send one mail, in a thread of the pool. Whatever goes wrong is an outcome."""
        try:
            self._backend().send_messages([letter])
        except (ImproperlyConfigured, ImportError) as error:
            return Outcome.account(f"{self.service} cannot be used with these settings ({type(error).__name__}).")
        except AnymailRecipientsRefused:
            return Outcome.recipient(f"{self.service} refuses this recipient.")
        except AnymailAPIError as error:
            return self._failure(error)
        except (AnymailError, ValueError):
            return Outcome.recipient(f"{self.service} cannot carry this mail.")
        (status,) = letter.anymail_status.recipients.values()
        code = getattr(letter.anymail_status.esp_response, "status_code", 200)
        if status.status == "unknown" and code >= 300:  # a refusal that Anymail could not assign to anybody
            return Outcome.recipient(f"{self.service} answered {code}.")
        if status.status in _TAKEN:
            return Outcome.accepted(str(status.message_id or "")[:255])
        return Outcome.recipient(f"{self.service} says that the recipient is {status.status}.")

    def _backend(self) -> AnymailBaseBackend:
        """Return this thread's backend, its connection open."""
        if not hasattr(self._kept, "backend"):
            module = import_module(f"anymail.backends.{self.options.esp}")
            more: dict[str, Any] = {"timeout": self.timeout}
            if self.options.base_url:
                more["api_url"] = self.options.base_url
            if self.options.esp == "amazon_ses":
                more = {"client_params": {"endpoint_url": self.options.base_url}} if self.options.base_url else {}
            self._kept.backend = module.EmailBackend(**self._settings, **more)
            self._kept.backend.open()
        backend: AnymailBaseBackend = self._kept.backend
        return backend

    def _failure(self, error: AnymailAPIError) -> Outcome:
        """Return what a refusal means. Not the service's words: they may repeat the address or a credential."""
        if error.status_code is not None:
            status = int(error.status_code)
            # Of a mail, not of a path: what the service does not find is in what we said of the mail.
            kind: OutcomeKind = "recipient" if status in (400, 404, 422) else self._meaning(status)
            if 200 <= status < 300:
                return Outcome.unknown(f"{self.service} took it and said nothing that makes sense.")
            asked = (error.response.headers if error.response is not None else {}).get("Retry-After", "")
            wait = retries.read_retry_after(asked, datetime.now(tz=UTC))
            return outcome(kind, f"{self.service} answered {status}.", retry_after=wait)
        if code := _aws_code(error):
            return outcome(_BY_AWS_CODE.get(code, "transient"), f"{self.service} answered {code}.")
        if isinstance(error, requests.ConnectTimeout) or _was_refused(error):
            return Outcome.transient(f"{self.service} could not be reached.")
        return Outcome.unknown(f"{self.service} broke the connection or did not answer.")


def _was_refused(error: Exception) -> bool:
    """Tell whether the connection was never made: then nothing was sent."""
    text = repr(error.__cause__)
    return isinstance(error, requests.ConnectionError) and any(
        name in text for name in ("NewConnectionError", "NameResolutionError", "SSLError")
    )


def _aws_code(error: Exception) -> str:
    response = getattr(error.__cause__, "response", None)
    found = response.get("Error", {}).get("Code", "") if isinstance(response, dict) else ""
    return found if isinstance(found, str) and found.isalnum() else ""
