"""Rate limits as token buckets (pure): "100/s", "1000/m"."""

import math
import re
from dataclasses import dataclass
from datetime import datetime, timedelta

_FORM = re.compile(r"([1-9][0-9]{0,8})/([smhd])")
_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400}

# What may go at once after a silence, in seconds' worth of the rate: large enough to fill a sub-batch at high rates,
# small enough that no second sees much more than its share.
BURST_SECONDS = 0.25


@dataclass(frozen=True)
class Rate:
    per_second: float

    @property
    def burst(self) -> float:
        return max(1.0, self.per_second * BURST_SECONDS)


@dataclass(frozen=True)
class Bucket:
    tokens: float = 0.0
    at: datetime | None = None  # when it held them; None: never used, so it is full


def parse(text: str) -> Rate | None:
    """Return the rate of "100/s", "1000/m", "5000/h" or "9/d"; None for "", no limit. Raises ValueError."""
    if not text:
        return None
    match = _FORM.fullmatch(text)
    if match is None:
        raise ValueError("It must be a rate such as 100/s or 1000/m.")
    return Rate(int(match[1]) / _SECONDS[match[2]])


def level(bucket: Bucket, rate: Rate, now: datetime) -> float:
    """Return the tokens there are now. A clock that went back gives none and takes none."""
    if bucket.at is None:
        return rate.burst
    passed = max(0.0, (now - bucket.at).total_seconds())
    return min(rate.burst, bucket.tokens + passed * rate.per_second)


def take(bucket: Bucket, rate: Rate, wanted: int, now: datetime) -> tuple[int, Bucket]:
    """Take as many of the `wanted` tokens as there are; return how many, and the bucket after it."""
    there = level(bucket, rate, now)
    taken = min(wanted, math.floor(there + 1e-9))
    since = now if bucket.at is None else max(now, bucket.at)
    return taken, Bucket(there - taken, since)


def wait(bucket: Bucket, rate: Rate, wanted: int, now: datetime) -> timedelta:
    """Return how long until `wanted` tokens are there, or as many as there can be at once."""
    missing = min(float(wanted), math.floor(rate.burst)) - level(bucket, rate, now)
    return timedelta(seconds=max(0.0, missing) / rate.per_second)
