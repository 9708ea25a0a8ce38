"""Signing in to the admin: a password may be guessed at so often and no more, from one place or of one name."""

import hashlib
import logging

from django.core.exceptions import ValidationError
from django.http import HttpRequest
from unfold.forms import AuthenticationForm

from project.foundation import counters
from project.foundation.client_ip import client_ip, line_of

logger = logging.getLogger(__name__)

WINDOW_SECONDS = 15 * 60
FAILURES_PER_IP = 10
# From anywhere: against guessing from many places at once. Far above the other, since whoever reaches it shuts the
# name's owner out as well.
FAILURES_PER_NAME = 100
TOO_MANY = "too_many_failures"
_WORDS = "Too many attempts to sign in have failed. Wait a quarter of an hour, then try again."


class LoginForm(AuthenticationForm):  # type: ignore[misc]
    """Checks no password past the limits: the right one is refused then like any other."""

    request: HttpRequest

    def clean(self) -> dict[str, str]:
        """Count each try before its password is looked at, so that many at once are no more; a right one is none."""
        limits = _limits(client_ip(self.request), self.cleaned_data.get("username", ""))
        counted = {name: counters.count(name, WINDOW_SECONDS) for name in limits}
        if any(counted[name] > most for name, most in limits.items()):
            logger.warning("admin_login.too_many_failures")
            raise ValidationError(_WORDS, code=TOO_MANY)
        cleaned: dict[str, str] = super().clean()
        for name in limits:
            counters.take_back(name)
        return cleaned


def _limits(ip: str, username: str) -> dict[str, int]:
    named = hashlib.sha256(username.casefold().encode()).hexdigest()
    return {f"admin_login:ip:{line_of(ip)}": FAILURES_PER_IP, f"admin_login:name:{named}": FAILURES_PER_NAME}
