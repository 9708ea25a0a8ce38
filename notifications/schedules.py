"""When a delivery is tried again, and for how long: webhooks have a schedule of their own."""

import random
from collections.abc import Callable, Sequence
from datetime import timedelta

from django.conf import settings

_DEFAULT_LIFE = timedelta(hours=24)


def waits(channel: str) -> Sequence[timedelta]:
    """Return the wait before each try, the first included."""
    found: Sequence[timedelta] = settings.WEBHOOK_RETRY_SCHEDULE if channel == "webhook" else settings.RETRY_SCHEDULE
    return found


def jitter(channel: str) -> Callable[[], float]:
    """Return what gives the share of a wait that is kept. Owners of webhooks count on the hours of their schedule."""
    return _little if channel == "webhook" else random.random


def life(channel: str, expires_after: timedelta | None) -> timedelta:
    """Return how long a delivery may be sent after it first came due: as its type says, or as its channel does."""
    if expires_after is None and channel == "webhook":
        return max(sum(waits(channel), timedelta(hours=1)), _DEFAULT_LIFE)  # an hour for what takes its turn late
    return expires_after or _DEFAULT_LIFE


def _little() -> float:
    return random.uniform(0.9, 1.0)
