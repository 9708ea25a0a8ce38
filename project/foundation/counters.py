"""Counting what somebody does within a time, in Django's cache: one count for all processes where that is Redis."""

import contextlib
import logging

from django.core.cache import cache
from redis.exceptions import RedisError

logger = logging.getLogger(__name__)


def count(name: str, seconds: float) -> int:
    """Count one more under `name`, kept for `seconds` after the first; return how many there are.

    0 when the cache is away: what is limited by counting is then without limit, and nobody is shut out.
    """
    try:
        cache.add(name, 0, seconds)
        counted = int(cache.incr(name))
        if counted == 1:  # it may have ended between the two calls, and Redis begun another that never would
            cache.touch(name, seconds)
        return counted
    except ValueError:  # evicted between the two calls
        return 1
    except (RedisError, OSError):
        logger.warning("counter.not_counted")
        return 0


def take_back(name: str) -> None:
    """Count one less."""
    with contextlib.suppress(ValueError, RedisError, OSError):
        cache.decr(name)
