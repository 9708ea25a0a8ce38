"""What may be said of a person: names, languages, zones and attributes brought into one form, all faults at once."""

import json
import re
from collections.abc import Callable, Iterator
from functools import cache
from typing import Any
from zoneinfo import available_timezones

from preferences import addresses
from project.foundation.problems import Fault

MAX_USER_ID = 255
_NOT_IN_URLS = frozenset({".", "..", "bulk"})  # dot segments vanish on the way, and /users/bulk is another route
MAX_NAME = 255
MAX_ATTRIBUTE_NAME = 100
MAX_ATTRIBUTES_BYTES = 16 << 10

# RFC 5646 §2.1: language, then optionally script, region, variants, extensions and private use.
_LOCALE = re.compile(
    r"(?P<language>[a-z]{2,3})(-(?P<script>[a-z]{4}))?(-(?P<region>[a-z]{2}|[0-9]{3}))?"
    r"(?P<rest>(-([a-z0-9]{5,8}|[0-9][a-z0-9]{3}))*(-[a-wyz0-9](-[a-z0-9]{2,8})+)*(-x(-[a-z0-9]{1,8})+)?)",
    re.IGNORECASE,
)
_MAX_LOCALE = 35  # RFC 5646 §4.4.1
# Files of the zone database that are no zones, or mean something else on every machine.
_NO_ZONES = frozenset({"localtime", "Factory", "posixrules"})


class Invalid(ValueError):
    """The value cannot be stored. `code` is stable, the message a sentence."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


def clean(user_id: str, given: dict[str, Any]) -> tuple[dict[str, Any], list[Fault]]:
    """Return the fields in the form they are stored in, and every fault of `user_id` and the fields."""
    values: dict[str, Any] = {}
    faults = list(user_id_faults(user_id))
    for name, value in given.items():
        try:
            values[name] = _CLEANERS[name](value)
        except Invalid as error:
            faults.append(Fault(f"/{name}", error.code, str(error)))
        except addresses.InvalidAddress as error:
            faults.append(Fault(f"/{name}", "invalid_address", str(error)))
    return values, faults


def user_id_faults(user_id: str, pointer: str = "/user_id") -> Iterator[Fault]:
    """Yield what is wrong with a caller's id: it stands in URLs, logs and headers, so it is printable and has no /."""
    if not user_id:
        yield Fault(pointer, "invalid_user_id", "A user_id may not be empty.")
    elif len(user_id) > MAX_USER_ID:
        yield Fault(pointer, "too_long", f"A user_id has at most {MAX_USER_ID} characters.")
    elif not user_id.isprintable() or user_id != user_id.strip():
        yield Fault(pointer, "invalid_user_id", "A user_id is printable and does not begin or end with a space.")
    elif "/" in user_id or user_id in _NOT_IN_URLS:
        yield Fault(
            pointer, "invalid_user_id", 'A user_id stands in URLs: it has no "/" and is not ".", ".." or "bulk".'
        )


def locale(text: str | None) -> str:
    """Return a BCP 47 tag in its usual spelling ("de-DE"); "" for none. Raises Invalid."""
    tag = (text or "").strip().replace("_", "-")
    if not tag:
        return ""
    match = _LOCALE.fullmatch(tag)
    if match is None or len(tag) > _MAX_LOCALE:
        raise Invalid("invalid_locale", 'A locale is a BCP 47 tag, like "de" or "pt-BR".')
    parts = [match["language"].lower(), (match["script"] or "").title(), (match["region"] or "").upper()]
    return "-".join(part for part in parts if part) + match["rest"].lower()


def timezone(text: str | None) -> str:
    """Return the name of an IANA zone; "" for none. Raises Invalid."""
    name = (text or "").strip()
    if name and name not in _zones():
        raise Invalid("invalid_timezone", 'A timezone is a name of the IANA database, like "Europe/Berlin".')
    return name


@cache
def _zones() -> frozenset[str]:
    return frozenset(available_timezones()) - _NO_ZONES


def _name(text: str | None) -> str:
    name = (text or "").strip()
    if len(name) > MAX_NAME:
        raise Invalid("too_long", f"A name has at most {MAX_NAME} characters.")
    # A line break would end the header of a mail that begins with it. Joiners and direction marks are names' own.
    if any(char != " " and not char.isprintable() and char not in "\u200c\u200d\u200e\u200f" for char in name):
        raise Invalid("invalid_string", "A name holds no control characters or line breaks.")
    return name


def _attributes(given: dict[str, Any] | None) -> dict[str, Any]:
    attributes = given or {}
    if len(json.dumps(attributes, ensure_ascii=False).encode(errors="replace")) > MAX_ATTRIBUTES_BYTES:
        raise Invalid("too_long", f"The attributes have at most {MAX_ATTRIBUTES_BYTES} bytes as JSON.")
    if any(not name or len(name) > MAX_ATTRIBUTE_NAME for name in attributes):
        raise Invalid("invalid_value", f"The name of an attribute has 1 to {MAX_ATTRIBUTE_NAME} characters.")
    return attributes


def _address(channel: str) -> Callable[[str | None], str | None]:
    return lambda text: addresses.normalise(channel, text) if text is not None and text.strip() else None


_CLEANERS: dict[str, Callable[[Any], Any]] = {
    "name": _name,
    "email": _address("email"),
    "phone": _address("sms"),
    "locale": locale,
    "timezone": timezone,
    "attributes": _attributes,
}
