"""The rate limit of a key: a fixed window, counted in Django's cache. Keys are unlimited unless a limit is set."""

import re
import time
from typing import Any

from django.http import HttpRequest
from rest_framework.request import Request
from rest_framework.throttling import BaseThrottle

from notifications.access.keys import Credentials
from project.foundation import counters

_LIMIT = re.compile(r"([1-9][0-9]{0,8})/([smhd])")
_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400}


class KeyThrottle(BaseThrottle):
    """429 past the key's limit. RequestIdMiddleware puts `rate_limit_headers` on every answer of a limited key."""

    _wait: float | None = None

    def allow_request(self, request: Request, view: Any) -> bool:
        credentials = request.auth
        if not isinstance(credentials, Credentials):
            return True
        allowed, self._wait = count(request._request, credentials)
        return allowed

    def wait(self) -> float | None:
        return self._wait


def count(request: HttpRequest, credentials: Credentials) -> tuple[bool, float | None]:
    """Count a request of a key, once; return whether it may go on, and in how many seconds the window ends."""
    if not credentials.rate_limit:
        return True, None
    known: tuple[bool, float | None] | None = getattr(request, "_carillon_rate", None)
    if known is not None:
        return known
    limit, window = parse(credentials.rate_limit)
    now = time.time()
    slot = int(now // window)
    ends_in = (slot + 1) * window - now
    used = counters.count(f"rate:{credentials.key_id}:{slot}", 2 * window)
    request.rate_limit_headers = {  # type: ignore[attr-defined]
        "RateLimit-Limit": str(limit),
        "RateLimit-Remaining": str(max(0, limit - used)),
        "RateLimit-Reset": str(max(1, round(ends_in))),
    }
    known = used <= limit, ends_in
    request._carillon_rate = known  # type: ignore[attr-defined]
    return known


def parse(rate_limit: str) -> tuple[int, int]:
    """Return requests and seconds of "100/s", "1000/m", "5000/h", "9/d". Raises ValueError."""
    match = _LIMIT.fullmatch(rate_limit)
    if match is None:
        raise ValueError(f"{rate_limit!r} is not a rate such as 100/s or 1000/m.")
    return int(match[1]), _SECONDS[match[2]]
