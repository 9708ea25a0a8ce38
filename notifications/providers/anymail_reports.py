"""What e-mail services report, read by django-anymail's code for each, and proven by more than that where it must be.

Anymail checks the services' signatures, or HTTP basic authentication where a service signs nothing. It does not check
the signature of Amazon's SNS, nor how old a report of Mailgun or SendGrid is: that is done here.
"""

import base64
import hashlib
import hmac
import json
import warnings
from collections.abc import Mapping
from datetime import UTC, datetime
from importlib import import_module
from io import BytesIO
from typing import Any
from urllib.parse import urlsplit

from anymail.exceptions import AnymailError
from anymail.signals import AnymailTrackingEvent
from anymail.webhooks.amazon_ses import AmazonSESTrackingWebhookView
from anymail.webhooks.base import AnymailBaseWebhookView
from django.core.exceptions import ImproperlyConfigured, SuspiciousOperation
from django.core.handlers.wsgi import WSGIRequest
from django.http import HttpRequest
from django.http.multipartparser import MultiPartParserError

from notifications.providers import machines, sns_messages
from notifications.providers.callbacks import Callback, Kind, NotGenuine, Receipt, delivery_id, require_fresh

_KINDS: Mapping[str, Kind] = {
    "sent": "sent",
    "deferred": "deferred",
    "delivered": "delivered",
    "opened": "opened",
    "clicked": "clicked",
    "bounced": "bounced",
    "rejected": "failed",
    "failed": "failed",
    "complained": "complained",
    "unsubscribed": "stop",
}
_FOR_GOOD = {"bounced", "invalid"}
_OF_STRANGE_BODIES = (
    AnymailError,
    AttributeError,
    LookupError,
    MultiPartParserError,
    RecursionError,
    TypeError,
    ValueError,
)


def verify(callback: Callback, *, esp: str, settings: Mapping[str, Any]) -> None:
    """Raise NotGenuine unless the request comes from the service, and is recent where it says when it was made.

    Amazon SES reports through SNS, whose messages `sns_topics` proves.
    """
    if esp == "resend" and settings.get("signing_secret"):
        _verify_svix(callback, str(settings["signing_secret"]))
        return
    view, request = _view(esp, settings), _request(callback)
    if view.warn_if_no_basic_auth and not view.basic_auth:
        raise NotGenuine("The account has neither a signing key nor a webhook_secret to check reports by.")
    try:
        view.run_validators(request)
    except SuspiciousOperation:
        unsigned = bool(view.basic_auth) and "authorization" not in callback.headers
        raise NotGenuine("The report does not prove where it comes from.", unsigned=unsigned) from None
    except _OF_STRANGE_BODIES:  # Anymail looks for the signature before it knows that there is an object to look into
        raise NotGenuine("The report is none that this service makes.") from None
    if (at := _signed_at(esp, request)) is not None:
        require_fresh(at)


def token(callback: Callback) -> str:
    """Return what Mailgun signed once: each of its requests has a token of its own, a repeated one too."""
    return str(_signed_by_mailgun(_request(callback))["token"])


def read(callback: Callback, *, esp: str, settings: Mapping[str, Any]) -> list[Receipt]:
    """Return what a verified request reports. Raises ValueError when it makes no sense."""
    try:
        events = _of_ses(callback) if esp == "amazon_ses" else _view(esp, settings).parse_events(_request(callback))
    except _OF_STRANGE_BODIES as error:
        raise ValueError("The report cannot be read.") from error
    return [receipt for event in events if (receipt := _receipt(event, esp)) is not None]


def _of_ses(callback: Callback) -> list[AnymailTrackingEvent]:
    """Return the events of a notification that Amazon SES sent through SNS.

    Anymail's view is made without its settings: they ask for boto3, which reading a report does not need.
    """
    message = sns_messages.parse(callback.body)
    if message["Type"] != sns_messages.NOTIFICATION or "Successfully validated SNS topic" in message.get("Message", ""):
        return []
    view = AmazonSESTrackingWebhookView.__new__(AmazonSESTrackingWebhookView)
    events: list[AnymailTrackingEvent] = view.esp_to_anymail_events(json.loads(message.get("Message", "")), message)
    return events


def _is_for_good(event: AnymailTrackingEvent, esp: str) -> bool:
    """Tell whether the address will never take mail."""
    if esp == "amazon_ses":  # Anymail calls a full mailbox the same as none
        said = event.esp_event.get("bounce") if isinstance(event.esp_event, Mapping) else None
        return isinstance(said, Mapping) and said.get("bounceType") == "Permanent"
    return event.reject_reason in _FOR_GOOD or _says(event, "event") == "hard_bounce"  # so Mandrill puts it


def _receipt(event: AnymailTrackingEvent, esp: str) -> Receipt | None:
    kind = _KINDS.get(event.event_type)
    if kind is None:
        return None
    for_good = _is_for_good(event, esp)
    if event.event_type == "rejected" and for_good:
        kind = "bounced"
    return Receipt(
        _name(event, esp)[:255],
        kind,
        event.timestamp,
        delivery_id=delivery_id(str((event.metadata or {}).get("delivery_id", ""))),
        provider_message_id=str(event.message_id or "")[:255],
        detail=str(event.reject_reason or "") if kind in ("bounced", "failed", "deferred") else "",
        address=event.recipient or "",
        permanent=kind == "bounced" and for_good,
        machine=kind in ("opened", "clicked") and event.user_agent is not None and machines.opened_by(event.user_agent),
    )


def _name(event: AnymailTrackingEvent, esp: str) -> str:
    """Return what is the same whenever the event is reported again, and only then."""
    said = event.esp_event.get("event-data") if esp == "mailgun" and isinstance(event.esp_event, Mapping) else None
    if isinstance(said, Mapping) and said.get("id"):
        # Anymail takes the signature's token, which each repeat has anew; the id alone is unique within a day.
        return f"{said['id']}:{said.get('timestamp', '')}"
    return str(event.event_id or _fingerprint(event))


def _says(event: AnymailTrackingEvent, name: str) -> str:
    """Return a member of the event as the service put it; "" where there is none."""
    said = event.esp_event if isinstance(event.esp_event, Mapping) else {}
    return str(said.get(name) or "")


def _fingerprint(event: AnymailTrackingEvent) -> str:
    """Return a name for an event that its service gives none: the same for the same event."""
    said = [event.event_type, event.message_id, event.recipient, str(event.timestamp), event.click_url]
    return hashlib.sha256(json.dumps(said).encode()).hexdigest()


def _verify_svix(callback: Callback, secret: str) -> None:
    """Check the signature of Resend: that of the Standard Webhooks specification, under older names of its headers."""
    headers = {name: callback.headers.get(f"svix-{name}", "") for name in ("id", "timestamp", "signature")}
    if not all(headers.values()):
        raise NotGenuine("There is no signature.", unsigned=True)
    try:
        require_fresh(datetime.fromtimestamp(int(headers["timestamp"]), tz=UTC))
        key = base64.b64decode(secret.removeprefix("whsec_"))
    except (ValueError, OverflowError):
        raise NotGenuine("The signature or the account's signing_secret cannot be read.") from None
    signed = f"{headers['id']}.{headers['timestamp']}.".encode() + callback.body
    right = f"v1,{base64.b64encode(hmac.digest(key, signed, 'sha256')).decode()}"
    if not any(hmac.compare_digest(right.encode(), each.encode()) for each in headers["signature"].split(" ")):
        raise NotGenuine("The signature is wrong.")


def _signed_at(esp: str, request: HttpRequest) -> datetime | None:
    """Return when a report was signed, where its service says so under the signature."""
    try:
        if esp == "mailgun":
            return datetime.fromtimestamp(float(_signed_by_mailgun(request)["timestamp"]), tz=UTC)
        if esp == "sendgrid" and (stamp := request.headers.get("x-twilio-email-event-webhook-timestamp")):
            return datetime.fromtimestamp(float(stamp), tz=UTC)
    except (ValueError, LookupError, TypeError, OverflowError):
        raise NotGenuine("The report does not say when it was signed.") from None
    return None


def _signed_by_mailgun(request: HttpRequest) -> Mapping[str, Any]:
    """Return the signature and what it is of, token and timestamp.

    Read just as Anymail reads what it checks: a body may be a form and JSON at once, each with a time of its own.
    """
    said: Mapping[str, Any]
    said = json.loads(request.body)["signature"] if request.content_type == "application/json" else request.POST
    return said


def _view(esp: str, settings: Mapping[str, Any]) -> AnymailBaseWebhookView:
    """Return Anymail's view for what a service tracks, made of an account's own settings."""
    try:
        module = import_module(f"anymail.webhooks.{esp}")
    except ImportError:
        raise NotGenuine("This service reports nothing.") from None
    found = next(
        each
        for name, each in vars(module).items()
        if name.endswith(("TrackingWebhookView", "CombinedWebhookView")) and each.__module__ == module.__name__
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of no basic authentication: `verify` refuses what has no proof at all
        try:
            # Resend's secret is checked here: Anymail would want a further library for it.
            view: AnymailBaseWebhookView = found(
                **{**settings, "signing_secret": None} if esp == "resend" else settings
            )
            return view
        except (ImproperlyConfigured, ValueError):
            raise NotGenuine("The account lacks the key to check reports by.") from None


def _request(callback: Callback) -> HttpRequest:
    """Return the request as Anymail's views expect it."""
    parts = urlsplit(callback.url)
    environ = {
        "REQUEST_METHOD": "POST",
        "PATH_INFO": parts.path,
        "QUERY_STRING": parts.query,
        "SERVER_NAME": parts.hostname or "localhost",
        "SERVER_PORT": str(parts.port or (443 if parts.scheme == "https" else 80)),
        "wsgi.url_scheme": parts.scheme,
        "wsgi.input": BytesIO(callback.body),
        "CONTENT_LENGTH": str(len(callback.body)),
        "CONTENT_TYPE": callback.headers.get("content-type", ""),
        **{f"HTTP_{name.upper().replace('-', '_')}": value for name, value in callback.headers.items()},
        "HTTP_HOST": parts.netloc,
    }
    return WSGIRequest(environ)
