"""Short-lived tokens that let one person's browser into their own inbox: JWT (RFC 7519), signed with HS256.

The key is derived from SECRET_KEY and named by `kid`; tokens of SECRET_KEY_FALLBACKS still open. A token holds the
user_id in `sub` and our key of the person in `pk`: a person who comes back after an erasure is another person.
"""

import base64
import hashlib
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache

import jwt
import msgspec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from django.conf import settings

AUDIENCE = "inbox"
MAX_SECONDS = 3600
_ALGORITHM = "HS256"
_LONGEST = 2048  # characters


class InvalidToken(Exception):
    """The token is expired, not ours, or not a token."""


@dataclass(frozen=True, slots=True)
class Claims:
    """What a token says: who, in which mode, until when (Unix time)."""

    user_id: str
    user_pk: int
    mode: str
    expires_at: float


def mint(*, user_id: str, user_pk: int, mode: str, seconds: int = MAX_SECONDS) -> tuple[str, datetime]:
    """Return a new token and when it expires."""
    expires_at = int(time.time()) + min(seconds, MAX_SECONDS)
    kid, key = next(iter(_keys().items()))
    claims = {"sub": user_id, "pk": user_pk, "mode": mode, "aud": AUDIENCE, "exp": expires_at}
    token = jwt.encode(claims, key, algorithm=_ALGORITHM, headers={"kid": kid})
    return token, datetime.fromtimestamp(expires_at, tz=UTC)


def verify(token: str) -> Claims:
    """Return what a token of ours says. Raises InvalidToken."""
    if len(token) > _LONGEST or not token.isascii():
        raise InvalidToken("This is no token.")
    try:
        key = _keys().get(_kid(token))
        if key is None:
            raise InvalidToken("The token was not made here.")
        claims = jwt.decode(
            token, key, algorithms=[_ALGORITHM], audience=AUDIENCE, options={"require": ["exp", "sub", "aud"]}
        )
        return Claims(claims["sub"], claims["pk"], claims["mode"], float(claims["exp"]))
    except (jwt.InvalidTokenError, msgspec.MsgspecError, KeyError, ValueError) as error:
        raise InvalidToken("The token has expired or is not valid.") from error


def _kid(token: str) -> str:
    """Return which key a token names. PyJWT would take the whole token apart for it, and again to verify it."""
    head = token.partition(".")[0]
    return msgspec.json.decode(base64.urlsafe_b64decode(head + "=" * (-len(head) % 4)), type=_Head).kid


class _Head(msgspec.Struct):
    kid: str


def _keys() -> dict[str, bytes]:
    return _derived((settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS))


@lru_cache(maxsize=8)
def _derived(secrets: tuple[str, ...]) -> dict[str, bytes]:
    """Return {kid: key}, newest first."""
    keys = [HKDF(SHA256(), 32, salt=None, info=b"carillon inbox tokens").derive(secret.encode()) for secret in secrets]
    return {hashlib.sha256(key).hexdigest()[:8]: key for key in keys}
