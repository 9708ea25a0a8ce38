"""Durations as the wire has them: "30s", "10m", "24h", "7d"."""

import re
from datetime import timedelta

_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400}
_FORM = re.compile(r"([0-9]{1,9})([smhd])")


class InvalidDuration(ValueError):
    """The text is no duration."""


def duration(text: str | None) -> timedelta | None:
    """Return what a caller wrote; None for nothing. Raises InvalidDuration."""
    if not text:
        return None
    match = _FORM.fullmatch(text)
    if match is None:
        raise InvalidDuration('A duration looks like "30s", "10m", "24h" or "7d".')
    return timedelta(seconds=int(match[1]) * _SECONDS[match[2]])


def written(value: timedelta) -> str:
    """Return a duration in its largest whole unit; a day is written as 24h, as people say it of expiry."""
    seconds = int(value.total_seconds())
    for unit in ("h", "m") if seconds <= _SECONDS["d"] else ("d", "h", "m"):
        if seconds % _SECONDS[unit] == 0:
            return f"{seconds // _SECONDS[unit]}{unit}"
    return f"{seconds}s"
