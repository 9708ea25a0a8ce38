"""Addresses as mail servers take them."""

import re
from email.utils import parseaddr
from functools import lru_cache

from django.utils.encoding import punycode

_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_NOT_IN_ADDRESS = re.compile(r"[\x00-\x20\x7f<>(),;:\\\"\[\]]")


class CannotBeMailed(ValueError):
    """The address or the content is not one that mail can carry."""


def address(text: str) -> str:
    """Return one bare address with its domain in ASCII. Raises CannotBeMailed."""
    local, at, domain = text.rpartition("@")
    if not (local and at and domain) or "@" in local or _NOT_IN_ADDRESS.search(text):
        raise CannotBeMailed("This is not an e-mail address.")
    try:
        return f"{local}@{_in_ascii(domain)}"
    except UnicodeError:
        raise CannotBeMailed("The domain of this e-mail address cannot be written in ASCII.") from None


@lru_cache(maxsize=256)
def bare(sender: str) -> str:
    """Return the address of a From header. Raises CannotBeMailed."""
    return address(parseaddr(sender)[1])


def check_sender(text: str) -> None:
    """Refuse a From header that is not one address, with a name or without. Raises ValueError."""
    if text and (not bare(text).isascii() or _CONTROL.search(text)):
        raise ValueError("The sender must be one address, such as Shop <hello@example.com>.")


def check_return_path(text: str) -> None:
    """Refuse an envelope sender that is not one bare address. Raises ValueError."""
    if text and not address(text).isascii():
        raise ValueError("The return path must be one address, such as bounces@example.com.")


@lru_cache(maxsize=4096)
def _in_ascii(domain: str) -> str:
    return punycode(domain)
