"""How Vonage proves its requests: a `sig` among the parameters, or a JWT in the header.

Sources: Vonage's documentation, "Signing messages" (SMS API) and "Webhooks: signed webhooks". Of the ways to make a
`sig` those with an HMAC are taken; a plain MD5 hash proves too little.
"""

import hashlib
import hmac
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import jwt

from notifications.providers.callbacks import Callback, NotGenuine, require_fresh

_BY_LENGTH = {32: hashlib.md5, 40: hashlib.sha1, 64: hashlib.sha256, 128: hashlib.sha512}  # of the digest in hex
_BEARER = re.compile(r"Bearer ([\w-]+\.[\w-]+\.[\w-]+)", re.IGNORECASE | re.ASCII)


def verify(callback: Callback, parameters: Mapping[str, str], *, secret: str, api_key: str) -> None:
    """Raise NotGenuine unless the request was signed with `secret`, for this account, at most five minutes ago."""
    token = _BEARER.fullmatch(callback.headers.get("authorization", ""))
    if token is None and "sig" not in parameters:
        raise NotGenuine("There is neither a sig nor a JWT.", unsigned=True)
    if not secret:
        raise NotGenuine("The account has no signature secret to check it with.")
    if token is not None:
        _verify_token(token[1], callback.body, secret=secret, api_key=api_key)
    else:
        _verify_sig(parameters, secret)


def sig(parameters: Mapping[str, str], secret: str, digest: Any) -> str:
    """Return the HMAC, in hex, of parameters sorted by name, their own & and = made harmless."""
    text = "".join(
        f"&{name}={value.replace('&', '_').replace('=', '_')}"
        for name, value in sorted(parameters.items())
        if name != "sig"
    )
    return hmac.new(secret.encode(), text.encode(), digest).hexdigest()


def _verify_sig(parameters: Mapping[str, str], secret: str) -> None:
    given = parameters["sig"].lower()
    digest = _BY_LENGTH.get(len(given))
    if digest is None or not hmac.compare_digest(sig(parameters, secret, digest).encode(), given.encode()):
        raise NotGenuine("The sig is wrong.")
    _require_fresh(parameters.get("timestamp", ""))


def _verify_token(token: str, body: bytes, *, secret: str, api_key: str) -> None:
    try:
        claims = jwt.decode(
            token,
            secret,
            algorithms=["HS256"],
            options={"require": ["iat", "payload_hash"], "verify_aud": False, "verify_iat": False},
        )
    except jwt.InvalidTokenError:
        raise NotGenuine("The JWT is wrong.") from None
    if not hmac.compare_digest(hashlib.sha256(body).hexdigest().encode(), str(claims["payload_hash"]).lower().encode()):
        raise NotGenuine("The body is not what was signed.")
    if claims.get("api_key", api_key) != api_key:
        raise NotGenuine("The JWT is for another account.")
    _require_fresh(str(claims["iat"]))


def _require_fresh(seconds: str) -> None:
    try:
        at = datetime.fromtimestamp(float(seconds), tz=UTC)
    except (ValueError, OverflowError, OSError):
        raise NotGenuine("It does not say when it was signed.") from None
    require_fresh(at)
