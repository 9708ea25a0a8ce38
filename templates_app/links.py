"""Which links a message may carry. Pure."""

import re
from collections.abc import Collection

_SCHEME = re.compile(r"([a-z][a-z0-9+.-]*):", re.IGNORECASE)
_WEB = frozenset({"http", "https"})
# Browsers drop these before they read the scheme: "java\nscript:".
_DROPPED = re.compile(r"[\x00-\x20\x7f-\xa0\u1680\u2000-\u200f\u2028-\u202f\u205f-\u206f\u3000\ufeff]")


def is_safe(link: str, app_schemes: Collection[str]) -> bool:
    """Return whether a browser that follows `link` goes to a web page, a path of the same site or a known app."""
    scheme = _SCHEME.match(_DROPPED.sub("", link))
    return scheme is None or scheme[1].lower() in _WEB or scheme[1].lower() in app_schemes
