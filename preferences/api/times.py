"""Times as callers write them."""

from datetime import datetime

import msgspec


def read_time(text: str) -> datetime:
    """Return an RFC 3339 time, which always has a zone. Raises ValueError."""
    moment: datetime = msgspec.convert(text, datetime)
    if moment.tzinfo is None:
        raise ValueError("The time has no zone.")
    return moment


def is_time(text: str) -> bool:
    try:
        read_time(text)
    except ValueError:
        return False
    return True
