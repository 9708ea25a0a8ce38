"""The rate limit of a key: a fixed window, counted in Django's cache. Keys are unlimited unless a limit is set."""

import logging
import re
import time
from typing import Any

from django.core.cache import cache
from redis.exceptions import RedisError
from rest_framework.request import Request
from rest_framework.throttling import BaseThrottle

from notifications.access.keys import Credentials

logger = logging.getLogger(__name__)

_LIMIT = re.compile(r"([1-9]\d{0,8})/([smhd])")
_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400}


class KeyThrottle(BaseThrottle):
    """429 past the key's limit. RequestIdMiddleware puts `rate_limit_headers` on every answer of a limited key."""

    _wait: float | None = None

    def allow_request(self, request: Request, view: Any) -> bool:
        credentials = request.auth
        if not isinstance(credentials, Credentials) or not credentials.rate_limit:
            return True
        limit, window = parse(credentials.rate_limit)
        now = time.time()
        slot = int(now // window)
        ends_in = (slot + 1) * window - now
        used = _count(f"rate:{credentials.key_id}:{slot}", window)
        self._wait = ends_in
        request._request.rate_limit_headers = {  # type: ignore[attr-defined]
            "RateLimit-Limit": str(limit),
            "RateLimit-Remaining": str(max(0, limit - used)),
            "RateLimit-Reset": str(max(1, round(ends_in))),
        }
        return used <= limit

    def wait(self) -> float | None:
        return self._wait


def parse(rate_limit: str) -> tuple[int, int]:
    """Return requests and seconds of "100/s", "1000/m", "5000/h", "9/d". Raises ValueError."""
    match = _LIMIT.fullmatch(rate_limit)
    if match is None:
        raise ValueError(f"{rate_limit!r} is not a rate such as 100/s or 1000/m.")
    return int(match[1]), _SECONDS[match[2]]


def _count(name: str, window: int) -> int:
    """Count one request and return how many the window has had. A cache that is away stops nobody."""
    try:
        cache.add(name, 0, timeout=2 * window)
        return cache.incr(name)
    except ValueError:  # evicted between the two calls
        return 1
    except (RedisError, OSError):
        logger.warning("rate_limit.not_counted")
        return 0
