"""Mails from a skeleton: what does not depend on the person is compiled once, the rest is filled in.

A skeleton belongs to a shape: the sender, which texts there are, and which further headers.
"""

import re
import time
from binascii import b2a_qp
from datetime import UTC, datetime
from email.policy import compat32
from email.utils import format_datetime
from functools import lru_cache
from secrets import token_hex

from django.core.mail import EmailMessage

from notifications.mail.headers import one_line, written
from notifications.providers.base import Message

# "=_" stands in no quoted-printable text (RFC 2045 §6.7); nobody can guess the rest.
_BOUNDARY = f"=_{token_hex(16)}".encode()
_PLAIN = bytes(range(0x20, 0x7F)) + b"\n"
_LONGEST_LINE = 998  # RFC 5322 §2.1.1
_WORTH_REMEMBERING = 500  # bytes; of 4,096 lines these are two megabytes at most

_NAME = re.compile(r"[A-Za-z0-9-]{1,40}")
# Headers that have a form of their own, or that a skeleton writes itself.
_NOT_FURTHER = re.compile(
    r"from|sender|reply-to|to|cc|bcc|resent-.*|return-path|date|subject|message-id|mime-version|content-.*", re.I
)
_PART = b'Content-Type: text/%s; charset="utf-8"\r\nContent-Transfer-Encoding: %%b\r\n\r\n%%b'


def content(message: Message, identity: str, *, sender: str, recipient: str) -> bytes | None:
    """Return the whole mail with CRLF line ends; None where a skeleton does not cover it. Raises ValueError.

    `identity` is its Message-ID, on one line.
    """
    text, html, further = message.parts.get("text", ""), message.parts.get("html", ""), message.headers
    usual = recipient.isascii() and not message.files
    skeleton = _skeleton(sender, bool(text), bool(html), tuple(further)) if usual else None
    if skeleton is None:
        return None
    values = [
        written("To", recipient),
        written("Subject", one_line(message.parts.get("subject", ""))),
        _date(int(time.time())),
        written("Message-ID", identity) if identity.isascii() and " " not in identity else None,
        *[written(name, one_line(value)) for name, value in further.items()],
    ]
    if text or not html:
        values += _body(text)
    if html:
        values += _body(html)
    return None if None in values else skeleton % tuple(values)


@lru_cache(maxsize=256)
def _skeleton(sender: str, text: bool, html: bool, further: tuple[str, ...]) -> bytes | None:
    """Return the bytes of a shape, %b where a value belongs; None where the shape is an unusual one."""
    if len({name.lower() for name in further}) < len(further):
        return None
    if not all(_NAME.fullmatch(name) and not _NOT_FURTHER.fullmatch(name) for name in further):
        return None
    lines = [
        _from(sender).replace(b"%", b"%%"),
        *[f"{name}: %b".encode() for name in ("To", "Subject", "Date", "Message-ID", *further)],
        b"MIME-Version: 1.0",
    ]
    head = b"\r\n".join(lines) + b"\r\n"
    if not html:
        return head + _PART % b"plain"
    parts = [_PART % kind for kind, there in ((b"plain", text), (b"html", html)) if there]
    between = b"\r\n--" + _BOUNDARY
    head += b'Content-Type: multipart/alternative;\r\n boundary="' + _BOUNDARY + b'"\r\n'
    return head + b"".join(between + b"\r\n" + part for part in parts) + between + b"--\r\n"


def _from(sender: str) -> bytes:
    """Return the From header as Django writes it, folded. Raises ValueError."""
    value = EmailMessage(from_email=sender).message()["From"]
    return compat32.fold("From", value).rstrip("\n").replace("\n", "\r\n").encode("ascii")


def _body(text: str) -> tuple[bytes, bytes]:
    """Return a part's transfer encoding and its lines, seven-bit and short.

    What is plain and short anyway stays readable, unless something on the way might change it: white space at the end
    of a line.
    """
    data = text.encode()
    others = data.translate(None, _PLAIN)
    if b"\r" in others:
        data = data.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
    if (
        others.strip(b"\r\t")
        or b" \n" in data
        or (others and b"\t\n" in data)
        or data.endswith((b" ", b"\t"))
        or _BOUNDARY in data
        or _has_long_line(data)
    ):
        return b"quoted-printable", b"\r\n".join([_quoted(line) for line in data.split(b"\n")])
    return b"7bit", data.replace(b"\n", b"\r\n")


def _quoted(line: bytes) -> bytes:
    return _remembered(line) if len(line) <= _WORTH_REMEMBERING else _remembered.__wrapped__(line)


@lru_cache(maxsize=4096)
def _remembered(line: bytes) -> bytes:
    """Return a line as quoted-printable has it. Most lines of a mail stand in others too."""
    return b2a_qp(line, istext=True).replace(b"\n", b"\r\n")


def _has_long_line(data: bytes) -> bool:
    start = 0
    while len(data) - start > _LONGEST_LINE:
        start = data.rfind(b"\n", start, start + _LONGEST_LINE + 1) + 1
        if not start:
            return True
    return False


@lru_cache(maxsize=2)
def _date(seconds: int) -> bytes:
    return format_datetime(datetime.fromtimestamp(seconds, tz=UTC)).encode()
