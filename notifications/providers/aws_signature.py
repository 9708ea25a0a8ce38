"""AWS's Signature Version 4 for requests with a form (pure). Source: AWS's "Signature Version 4 signing process"."""

import hashlib
import hmac
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from urllib.parse import parse_qsl, quote, urlsplit

_ALGORITHM = "AWS4-HMAC-SHA256"


@dataclass(frozen=True)
class Credentials:
    access_key_id: str
    secret_access_key: str = field(repr=False)
    region: str
    service: str


def headers(
    method: str, url: str, body: bytes, credentials: Credentials, *, at: datetime, more: Mapping[str, str] | None = None
) -> dict[str, str]:
    """Return the headers to send with a request, Authorization among them; every one of `more` is signed too.

    `at` is in UTC.
    """
    stamp = at.strftime("%Y%m%dT%H%M%SZ")
    sent = {**(more or {}), "X-Amz-Date": stamp}
    signed = {name.lower(): " ".join(value.split()) for name, value in {**sent, "host": urlsplit(url).netloc}.items()}
    names = ";".join(sorted(signed))
    scope = f"{stamp[:8]}/{credentials.region}/{credentials.service}/aws4_request"
    request = "\n".join(
        [
            method,
            quote(urlsplit(url).path or "/", safe="/-_.~%"),
            _query(url),
            *(f"{name}:{signed[name]}" for name in sorted(signed)),
            "",
            names,
            hashlib.sha256(body).hexdigest(),
        ]
    )
    to_sign = "\n".join([_ALGORITHM, stamp, scope, hashlib.sha256(request.encode()).hexdigest()])
    signature = hmac.new(_key(credentials, stamp[:8]), to_sign.encode(), hashlib.sha256).hexdigest()
    credential = f"Credential={credentials.access_key_id}/{scope}"
    return sent | {"Authorization": f"{_ALGORITHM} {credential}, SignedHeaders={names}, Signature={signature}"}


def _query(url: str) -> str:
    pairs = parse_qsl(urlsplit(url).query, keep_blank_values=True)
    return "&".join(sorted(f"{quote(name, safe='-_.~')}={quote(value, safe='-_.~')}" for name, value in pairs))


def _key(credentials: Credentials, day: str) -> bytes:
    key = f"AWS4{credentials.secret_access_key}".encode()
    for part in (day, credentials.region, credentials.service, "aws4_request"):
        key = hmac.digest(key, part.encode(), hashlib.sha256)
    return key
