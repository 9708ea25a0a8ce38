"""The calls of e-mail services, by django-anymail's code for each. They block: who makes them has a thread for it."""

import threading
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from importlib import import_module
from typing import Any

import requests
from anymail.backends.base import AnymailBaseBackend
from anymail.backends.base_requests import RequestsPayload
from anymail.exceptions import AnymailAPIError, AnymailError, AnymailRecipientsRefused, AnymailRequestsAPIError
from anymail.message import AnymailMessage
from django.core.exceptions import ImproperlyConfigured

from notifications import retries
from notifications.providers import anymail_batches
from notifications.providers.anymail_batches import Batch, Told
from notifications.providers.base import Outcome, OutcomeKind
from notifications.providers.http import outcome

KEYED = {"resend"}  # services that know a request again by its Idempotency-Key
_EXPECTED = (AnymailError, ImproperlyConfigured, ImportError, ValueError)
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


class _Joined:
    """Several mails as one request, for Anymail's own way of asking."""

    def __init__(self, batch: Batch, payloads: Sequence[RequestsPayload]) -> None:
        self._batch, self._payloads = batch, payloads

    def get_request_params(self, api_url: str) -> dict[str, Any]:
        first = self._payloads[0]
        alone = first.get_api_endpoint()
        params: dict[str, Any] = first.get_request_params(api_url)
        params["url"] = params["url"].removesuffix(alone) + self._batch.path(alone)
        params["data"] = first.serialize_json(self._batch.join([payload.data for payload in self._payloads]))
        params["headers"] = {**(params["headers"] or {}), **self._batch.headers}
        return params


class Calls:
    """The calls of one account. Whatever goes wrong is an outcome. `meaning`: of a status that says nothing special."""

    def __init__(
        self,
        esp: str,
        settings: Mapping[str, Any],
        *,
        service: str,
        base_url: str,
        timeout: float,
        meaning: Callable[[int], OutcomeKind],
    ) -> None:
        self._esp, self._settings, self._service = esp, settings, service
        self._base_url, self._timeout, self._meaning = base_url, timeout, meaning
        self._kept = threading.local()

    def one(self, letter: AnymailMessage, *, key: str) -> Outcome:
        """Send one mail. `key` is the same whenever this very mail is sent again, and only then."""
        try:
            backend = self._backend(key)
            self._asked(lambda: backend.send_messages([letter]))
        except _EXPECTED as error:
            return self._refusal(error)
        (status,) = letter.anymail_status.recipients.values()
        code = getattr(letter.anymail_status.esp_response, "status_code", 200)
        if status.status == "unknown" and code >= 300:  # a refusal that Anymail could not assign to anybody
            return Outcome.recipient(f"{self._service} answered {code}.")
        if status.status in _TAKEN:
            return Outcome.accepted(str(status.message_id or "")[:255])
        return Outcome.recipient(f"{self._service} says that the recipient is {status.status}.")

    def together(self, batch: Batch, letters: Sequence[AnymailMessage], *, key: str) -> list[Outcome] | None:
        """Send several mails by one call; return one outcome per mail, in order.

        None: the service took none of them and does not say which it minds, or one cannot be built. Each may then be
        sent alone.
        """
        try:
            backend = self._backend(key)
            payloads = [backend.build_message_payload(letter, backend.send_defaults) for letter in letters]
            joined = _Joined(batch, payloads)
            response = self._asked(lambda: backend.post_to_esp(joined, None))
        except _EXPECTED as error:
            whole = self._refusal(error)
        else:
            told = batch.split(_json(response), len(letters), self._kind)
            if told is not None:
                return [self._outcome(each) for each in told]
            whole = self._failure(AnymailRequestsAPIError(response=response, backend=backend))
        return None if whole.kind == "recipient" else [whole] * len(letters)

    def _outcome(self, told: Told) -> Outcome:
        if told.kind == "accepted":
            return Outcome.accepted(told.provider_message_id[:255])
        return outcome(told.kind, f"{self._service} answered {told.code or 'nothing that makes sense'}.")

    def _asked(self, ask: Callable[[], Any]) -> Any:
        """Ask, and once more where the connection broke and the service knows the request again."""
        try:
            return ask()
        except requests.ConnectionError as error:
            if self._esp not in KEYED or _was_refused(error):
                raise
            return ask()

    def _backend(self, key: str) -> AnymailBaseBackend:
        """Return this thread's backend, its connection open."""
        if not hasattr(self._kept, "backend"):
            module = import_module(f"anymail.backends.{self._esp}")
            more: dict[str, Any] = {"timeout": self._timeout}
            if self._base_url:
                more["api_url"] = self._base_url
            if self._esp == "amazon_ses":
                more = {"client_params": {"endpoint_url": self._base_url}} if self._base_url else {}
            self._kept.backend = module.EmailBackend(**self._settings, **more)
            self._kept.backend.open()
        backend: AnymailBaseBackend = self._kept.backend
        if self._esp in KEYED:
            backend.session.headers["Idempotency-Key"] = key
        return backend

    def _refusal(self, error: Exception) -> Outcome:
        """Return what one of the exceptions that are expected means."""
        if isinstance(error, ImproperlyConfigured | ImportError):
            return Outcome.account(f"{self._service} cannot be used with these settings ({type(error).__name__}).")
        if isinstance(error, AnymailRecipientsRefused):
            return Outcome.recipient(f"{self._service} refuses this recipient.")
        if isinstance(error, AnymailAPIError):
            return self._failure(error)
        return Outcome.recipient(f"{self._service} cannot carry this mail.")

    def _failure(self, error: AnymailAPIError) -> Outcome:
        """Return what a refusal means. Not the service's words: they may repeat the address or a credential."""
        status = error.response.status_code if error.response is not None else error.status_code
        if status is not None:
            return self._answered(int(status), error.response)
        if code := _aws_code(error):
            return outcome(_BY_AWS_CODE.get(code, "transient"), f"{self._service} answered {code}.")
        if isinstance(error, requests.ConnectTimeout) or _was_refused(error):
            return Outcome.transient(f"{self._service} could not be reached.")
        return Outcome.unknown(f"{self._service} broke the connection or did not answer.")

    def _answered(self, status: int, response: requests.Response | None) -> Outcome:
        if 200 <= status < 300:
            return Outcome.unknown(f"{self._service} took it and said nothing that makes sense.")
        asked = response.headers.get("Retry-After", "") if response is not None else ""
        wait = retries.read_retry_after(asked, datetime.now(tz=UTC))
        return outcome(self._kind(status, response), f"{self._service} answered {status}.", retry_after=wait)

    def _kind(self, status: int, response: requests.Response | None = None) -> OutcomeKind:
        if self._esp in KEYED and status == 409:  # the same request is under way elsewhere
            return "unknown"
        if self._esp == "postmark" and status == 422:
            said = _json(response)
            number = said.get("ErrorCode") if isinstance(said, dict) else None
            return anymail_batches.postmark_kind(number) if isinstance(number, int) and number else "recipient"
        # Of a mail, not of a path: what the service does not find is in what we said of the mail.
        return "recipient" if status in (400, 404, 413, 422) else self._meaning(status)


def _json(response: requests.Response | None) -> Any:
    try:
        return response.json() if response is not None else None
    except (ValueError, RecursionError):
        return None


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
