"""The signature by which Twilio proves its requests.

Source: Twilio's documentation, "Validating requests are coming from Twilio". It signs no time: a recorded request is
known by its event, which counts once.
"""

import base64
import hashlib
import hmac
from collections.abc import Iterator
from urllib.parse import SplitResult, urlsplit

from notifications.providers.callbacks import Callback, NotGenuine

_HEADER = "x-twilio-signature"
_PORTS = {"https": 443, "http": 80}


def verify(callback: Callback, token: str, *, fragment: str = "") -> None:
    """Raise NotGenuine unless the request is signed with `token`.

    `fragment`: what we put behind the # of the URL that we gave Twilio, which may or may not be signed with it.
    """
    given = callback.headers.get(_HEADER)
    if not given:
        raise NotGenuine("There is no X-Twilio-Signature.", unsigned=True)
    if not token:
        raise NotGenuine("The account has no auth token to check it with.")
    body_hash = dict(callback.query).get("bodySHA256")
    if body_hash is not None and not callback.form:  # JSON: the body's hash is signed in the URL
        if not hmac.compare_digest(hashlib.sha256(callback.body).hexdigest().encode(), body_hash.encode()):
            raise NotGenuine("The body is not what was signed.")
    elif callback.body and not callback.form:
        raise NotGenuine("The body is not covered by the signature.")
    expected = [signature(url, callback.form, token) for url in _spellings(callback.url, fragment)]
    if not any(hmac.compare_digest(each.encode(), given.encode()) for each in expected):
        raise NotGenuine("The X-Twilio-Signature is wrong.")


def signature(url: str, parameters: list[tuple[str, str]], token: str) -> str:
    """Return the signature of a URL and a form: each pair once, sorted by name and value."""
    text = url + "".join(name + value for name, value in sorted(set(parameters)))
    return base64.b64encode(hmac.digest(token.encode(), text.encode(), hashlib.sha1)).decode()


def _spellings(url: str, fragment: str) -> Iterator[str]:
    """Yield the URL with and without its port: Twilio's servers do not agree on which they sign."""
    parts = urlsplit(url)
    for netloc in {_without_port(parts), _with_port(parts)}:
        plain = parts._replace(netloc=netloc, fragment="").geturl()
        yield plain
        if fragment:
            yield f"{plain}#{fragment}"


def _without_port(parts: SplitResult) -> str:
    return parts.netloc if parts.port is None else parts.netloc.rpartition(":")[0]


def _with_port(parts: SplitResult) -> str:
    return parts.netloc if parts.port is not None else f"{parts.netloc}:{_PORTS.get(parts.scheme, 80)}"
