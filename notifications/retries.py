"""When to try again (pure)."""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

# A provider may ask for any wait; we hear seconds to a day.
SHORTEST, LONGEST = timedelta(seconds=1), timedelta(hours=24)


class GaveUp(Exception):
    """The schedule has no further try."""


def wait_before(
    attempt: int,
    *,
    schedule: Sequence[timedelta],
    jitter: Callable[[], float],
    retry_after: float | None = None,
) -> timedelta:
    """Return how long to wait before try number `attempt` (2, 3, …).

    `schedule` has one wait per try, the first try's included. `retry_after` is in seconds, as the provider sent it, and
    is never undercut. `jitter` gives 0–1: full jitter, so that a provider's recovery is not met by a stampede.
    Source: RFC 9110 §10.2.3 (Retry-After). Raises GaveUp past the last step.
    """
    if attempt > len(schedule):
        raise GaveUp
    wait = schedule[attempt - 1] * jitter()
    if retry_after is not None:
        wait = max(wait, clamp(retry_after))
    return wait


def clamp(seconds: float) -> timedelta:
    """Return a wait that a provider asked for, within what we hear."""
    longest = LONGEST.total_seconds()
    return max(timedelta(seconds=min(seconds, longest)), SHORTEST) if seconds == seconds else SHORTEST


def read_retry_after(value: str, now: datetime) -> float | None:
    """Return the seconds that a Retry-After header asks for, clamped; None when it says nothing that can be read.

    Both forms of RFC 9110 §10.2.3 are read: seconds (also with a fraction, as some send) and an HTTP date.
    """
    text = value.strip()
    try:
        return clamp(float(text)).total_seconds() if text[:1].isdecimal() and text.isascii() else _until(text, now)
    except (ValueError, TypeError, OverflowError):
        return None


def _until(text: str, now: datetime) -> float:
    moment = parsedate_to_datetime(text)
    if moment.tzinfo is None:  # "-0000", or no zone at all: HTTP dates are in GMT
        moment = moment.replace(tzinfo=UTC)
    return clamp((moment - now).total_seconds()).total_seconds()
