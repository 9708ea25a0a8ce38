"""The secrets of a webhook: the one that signs, and after a rotation the one before it, for a while."""

import base64
import secrets
from datetime import datetime, timedelta

OVERLAP = timedelta(hours=24)  # after a rotation both sign, so that the receiver can change over at any moment of it
_BYTES = 24  # Standard Webhooks: between 24 and 64
_SEPARATOR = " "


def new() -> str:
    return "whsec_" + base64.b64encode(secrets.token_bytes(_BYTES)).decode()


def rotated(stored: str, now: datetime) -> str:
    """Return what to store when a new secret takes over: it, the one before, and until when that one still signs."""
    return _SEPARATOR.join([new(), current(stored), f"{(now + OVERLAP).timestamp():.0f}"]) if stored else new()


def current(stored: str) -> str:
    """Return the newest secret: what its owner is shown, once."""
    return stored.partition(_SEPARATOR)[0]


def signing(stored: str, now: datetime) -> tuple[str, ...]:
    """Return the secrets that sign now, newest first; none where none is stored."""
    match stored.split(_SEPARATOR):
        case [newest, previous, until] if now.timestamp() < float(until):
            return newest, previous
        case [newest, *_]:
            return (newest,) if newest else ()
    return ()
