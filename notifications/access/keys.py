"""API keys: issuing, checking, rotating, revoking. `crl_<mode>_<id>_<secret>`; only the secret's SHA-256 is kept."""

import hashlib
import hmac
import secrets
import string
import time
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import OperationalError, transaction
from django.db.models import Q
from django.utils import timezone

from notifications.access.scopes import SCOPES
from notifications.models import ApiKey, Caller
from project.foundation import audit

CACHE_SECONDS = 5.0  # how long a revocation may take to be noticed by another process
OVERLAP = timedelta(hours=24)
_USED_EVERY = timedelta(minutes=1)
_ALPHABET = string.ascii_lowercase + string.digits
_ID_LENGTH = 8
_SECRET_BYTES = 32
_CACHE_SIZE = 10_000


@dataclass(frozen=True)
class Credentials:
    """Whom a request speaks for: `request.auth` of every request with an API key."""

    caller_id: int
    caller_key: str
    mode: str
    scopes: frozenset[str]
    key_id: str = ""
    rate_limit: str = ""

    @property
    def actor(self) -> str:
        return f"key:{self.caller_key}"


@dataclass(frozen=True)
class _Known:
    credentials: Credentials
    secret_hash: bytes
    ends_at: datetime | None  # revoked or expired from here on


_cache: dict[str, tuple[float, _Known]] = {}


def issue(
    caller: Caller,
    mode: str,
    scopes: Iterable[str],
    *,
    actor: str,
    name: str = "",
    rate_limit: str = "",
    expires_at: datetime | None = None,
) -> tuple[ApiKey, str]:
    """Make a key; return it and its text, which exists nowhere else and is to be shown once."""
    secret = secrets.token_urlsafe(_SECRET_BYTES)
    with transaction.atomic():
        key = ApiKey.objects.create(
            id="".join(secrets.choice(_ALPHABET) for _ in range(_ID_LENGTH)),
            caller=caller,
            mode=mode,
            name=name,
            secret_hash=_hash(secret),
            scopes=sorted(set(scopes), key=SCOPES.index),
            rate_limit=rate_limit,
            expires_at=expires_at,
        )
        audit.record(actor, "key.issued", f"key:{key.id}", caller=caller.key, mode=mode, scopes=key.scopes)
    return key, f"crl_{mode}_{key.id}_{secret}"


def rotate(key: ApiKey, *, actor: str, overlap: timedelta = OVERLAP) -> tuple[ApiKey, str]:
    """Make a successor with the same rights; the old key ends after `overlap`, so that callers can change over."""
    with transaction.atomic():
        successor, text = issue(key.caller, key.mode, key.scopes, actor=actor, name=key.name, rate_limit=key.rate_limit)
        end = timezone.now() + overlap
        key.expires_at = min(key.expires_at or end, end)
        key.save(update_fields=["expires_at"])
        audit.record(actor, "key.rotated", f"key:{key.id}", successor=successor.id)
        transaction.on_commit(lambda: forget(key.id))
    return successor, text


def revoke(key: ApiKey, *, actor: str) -> None:
    """End a key now: at once in this process, within CACHE_SECONDS in the others."""
    with transaction.atomic():
        if key.revoked_at is None:
            key.revoked_at = timezone.now()
            key.save(update_fields=["revoked_at"])
            audit.record(actor, "key.revoked", f"key:{key.id}")
        transaction.on_commit(lambda: forget(key.id))


def check(text: str) -> Credentials | None:
    """Return whom a key speaks for, or None when it is malformed, unknown, expired or revoked."""
    prefix, _, rest = text.partition("_")
    mode, _, rest = rest.partition("_")
    key_id, _, secret = rest.partition("_")
    if prefix != "crl" or len(key_id) != _ID_LENGTH or not key_id.isalnum() or not text.isascii():
        return None
    known = _look_up(key_id)
    if known is None or not hmac.compare_digest(known.secret_hash, _hash(secret)) or mode != known.credentials.mode:
        return None
    if known.ends_at is not None and known.ends_at <= timezone.now():
        return None
    return known.credentials


def forget(key_id: str) -> None:
    """Read this key anew when it is next used."""
    _cache.pop(key_id, None)


def _look_up(key_id: str) -> _Known | None:
    now = time.monotonic()
    if (found := _cache.get(key_id)) is not None and found[0] > now:
        return found[1]
    key = ApiKey.objects.select_related("caller").filter(id=key_id).first()
    if key is None:
        return None
    known = _Known(_credentials(key), bytes(key.secret_hash), _end(key))
    if len(_cache) >= _CACHE_SIZE:
        _cache.clear()
    _cache[key_id] = (now + CACHE_SECONDS, known)
    _note_use(key)
    return known


def _note_use(key: ApiKey) -> None:
    """Keep the time of use, to the minute. It is no reason to fail a request."""
    stale = timezone.now() - _USED_EVERY
    if key.last_used_at is not None and key.last_used_at > stale:
        return
    unused = ApiKey.objects.filter(Q(last_used_at__isnull=True) | Q(last_used_at__lte=stale), pk=key.pk)
    try:
        with transaction.atomic():
            unused.update(last_used_at=timezone.now())
    except OperationalError:  # SQLite stayed locked: the next look-up writes it
        return


def _credentials(key: ApiKey) -> Credentials:
    scopes = frozenset(key.scopes)
    return Credentials(key.caller_id, key.caller.key, key.mode, scopes, key_id=key.id, rate_limit=key.rate_limit)


def _end(key: ApiKey) -> datetime | None:
    return min((moment for moment in (key.revoked_at, key.expires_at) if moment is not None), default=None)


def _hash(secret: str) -> bytes:
    return hashlib.sha256(secret.encode()).digest()
