"""When to try again (pure)."""

from collections.abc import Callable, Sequence
from datetime import timedelta

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
        wait = max(wait, timedelta(seconds=retry_after))
    return min(max(wait, SHORTEST), LONGEST) if retry_after is not None else wait
