"""The mail itself: RFC 5322 bytes of a message, built by Django, with headers that nobody can break out of."""

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from email import charset
from email.utils import format_datetime, parseaddr
from urllib.parse import urlsplit
from uuid import UUID

from django.conf import settings
from django.core.mail import EmailMultiAlternatives
from django.utils.encoding import punycode

from notifications.providers.base import Message

# Quoted-printable: seven-bit mail passes every server unchanged, so that a signature made on the way still holds.
_SEVEN_BIT = charset.Charset("utf-8")
_SEVEN_BIT.body_encoding = charset.QP

_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_NOT_IN_ADDRESS = re.compile(r"[\x00-\x20\x7f<>(),;:\\\"\[\]]")
_LINE_END = re.compile(rb"\r\n|\r|\n")


class CannotBeMailed(ValueError):
    """The address or the content is not one that mail can carry."""


@dataclass(frozen=True, slots=True)
class Mail:
    """One mail, ready to be handed over."""

    sender: str  # of the envelope
    recipient: str
    content: bytes  # CRLF line ends, not yet dot-stuffed
    utf8: bool  # the recipient's address needs SMTPUTF8 (RFC 6531)


def build(message: Message, *, sender: str) -> Mail:
    """Return the mail of a message. `sender` is the From header: an address, with a name or without; "" = the usual.

    Raises CannotBeMailed.
    """
    recipient = address(message.to)
    sender = sender or settings.DEFAULT_FROM_EMAIL
    try:
        content = _content(message, sender=sender, recipient=recipient)
    except ValueError as error:
        raise CannotBeMailed("The mail cannot be built from this content.") from error
    return Mail(address(parseaddr(sender)[1]), recipient, content, utf8=not recipient.isascii())


def headers(message: Message) -> dict[str, str]:
    """Return the headers that a message has whoever sends it, each on one line."""
    stated = {
        "To": message.to,
        "Subject": message.parts.get("subject", ""),
        "Message-ID": message.message_id or message_id(message.delivery_id),
        **message.headers,
    }
    return {name: _one_line(value) for name, value in stated.items()}


def message_id(delivery_id: UUID) -> str:
    """Return the Message-ID of a delivery, the same on every try: a mailbox that gets it twice can tell."""
    return f"<{delivery_id}@{urlsplit(settings.PUBLIC_URL).hostname or 'localhost'}>"


def address(text: str) -> str:
    """Return one bare address with its domain in ASCII. Raises CannotBeMailed."""
    local, at, domain = text.rpartition("@")
    if not (local and at and domain) or "@" in local or _NOT_IN_ADDRESS.search(text):
        raise CannotBeMailed("This is not an e-mail address.")
    try:
        return f"{local}@{punycode(domain)}"
    except UnicodeError:
        raise CannotBeMailed("The domain of this e-mail address cannot be written in ASCII.") from None


def check_sender(text: str) -> None:
    """Refuse a From header that is not one address, with a name or without. Raises ValueError."""
    if text == "":
        return
    bare = parseaddr(text)[1]
    if not address(bare).isascii() or _CONTROL.search(text):
        raise ValueError("The sender must be one address, such as Shop <hello@example.com>.")


def _content(message: Message, *, sender: str, recipient: str) -> bytes:
    stated = headers(message)
    stated.pop("To")
    stated["Date"] = format_datetime(datetime.now(tz=UTC))
    mail = EmailMultiAlternatives(
        subject=stated.pop("Subject"),
        body=message.parts.get("text", ""),
        from_email=sender,
        to=[recipient] if recipient.isascii() else [],
        headers=stated,
    )
    mail.encoding = _SEVEN_BIT
    if html := message.parts.get("html", ""):
        mail.attach_alternative(html, "text/html")
    content = _LINE_END.sub(b"\r\n", mail.message().as_bytes())
    # Django would encode the local part, and no server could deliver to that.
    return content if recipient.isascii() else b"To: " + recipient.encode() + b"\r\n" + content


def _one_line(value: str) -> str:
    return _CONTROL.sub("", " ".join(value.split()))
