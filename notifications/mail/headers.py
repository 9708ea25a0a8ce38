"""The headers of a mail: which there are, and how one is written (RFC 5322 §2.2, RFC 2047)."""

import re
from binascii import b2a_base64
from functools import lru_cache
from urllib.parse import urlsplit
from uuid import UUID

from django.conf import settings

from notifications.providers.base import Message

_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_LINE = 76  # characters: what RFC 2047 §2 allows a line with an encoded word, and two less than RFC 5322 asks for
_LONGEST_WORD = 998 - _LINE  # RFC 5322 §2.1.1 has lines of 998; the header's name is on the first
_AROUND_WORD = len("=?utf-8?b??=")


def headers(message: Message) -> dict[str, str]:
    """Return the headers that a message has whoever sends it, each on one line."""
    stated = {
        "To": message.to,
        "Subject": message.parts.get("subject", ""),
        "Message-ID": message.message_id or message_id(message.delivery_id),
        **message.headers,
    }
    return {name: one_line(value) for name, value in stated.items()}


def message_id(delivery_id: UUID) -> str:
    """Return the Message-ID of a delivery, the same on every try: a mailbox that gets it twice can tell."""
    return f"<{delivery_id}@{_host(settings.PUBLIC_URL)}>"


def one_line(value: str) -> str:
    """Return a value without line ends and control characters, each run of white space one space."""
    if value.isprintable() and "  " not in value and value == value.strip(" "):
        return value  # of white space only the space is printable
    return " ".join(_CONTROL.sub("", " ".join(value.split())).split())


def written(name: str, value: str) -> bytes | None:
    """Return what follows `name: `, folded; None where the value cannot be written in this way.

    `value` is one line, as `one_line` makes it; a name of more than 40 characters leaves no room.
    """
    if not value.isascii():
        return _encoded_words(value.encode(), _LINE - len(name) - len(": "))
    if "=?" in value:
        return None  # a reader would take it for an encoded word
    if len(name) + len(value) <= _LINE - len(": ") or (" " not in value and len(value) < _LONGEST_WORD):
        return value.encode()
    return _folded(value, _LINE - len(name) - len(": "))


def _folded(value: str, room: int) -> bytes | None:
    lines, line = [], ""
    for word in value.split(" "):
        if len(word) >= _LONGEST_WORD:
            return None
        if line and len(line) + 1 + len(word) > room:
            lines.append(line)
            line, room = word, _LINE - 1
        else:
            line = f"{line} {word}" if line else word
    return "\r\n ".join([*lines, line]).encode()


def _encoded_words(data: bytes, room: int) -> bytes:
    words, start = [], 0
    while start < len(data):
        end = start + (room - _AROUND_WORD) // 4 * 3
        while end < len(data) and data[end] & 0xC0 == 0x80:  # never in the middle of a character (RFC 2047 §5)
            end -= 1
        words.append(b"=?utf-8?b?" + b2a_base64(data[start:end], newline=False) + b"?=")
        start, room = end, _LINE - 1
    return b"\r\n ".join(words)


@lru_cache(maxsize=16)
def _host(url: str) -> str:
    return urlsplit(url).hostname or "localhost"
