"""Messages that Amazon SNS posts to us, and how they prove themselves.

Source: Amazon SNS's developer guide, "Verifying the signatures of Amazon SNS messages" and "HTTP/HTTPS notification
JSON format". Whoever can make us fetch a certificate from elsewhere can sign anything: only SNS's own hosts count.
"""

import base64
import json
import re
from collections.abc import Callable, Coroutine, Mapping
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa

from notifications.providers.callbacks import NotGenuine, require_fresh

NOTIFICATION, CONFIRMATION = "Notification", "SubscriptionConfirmation"
_HOST = re.compile(r"sns\.[a-z]{2}(-[a-z]+)+-\d{1,2}\.amazonaws\.com(\.cn)?")
_SIGNED = {
    NOTIFICATION: ("Message", "MessageId", "Subject", "Timestamp", "TopicArn", "Type"),
    CONFIRMATION: ("Message", "MessageId", "SubscribeURL", "Timestamp", "Token", "TopicArn", "Type"),
    "UnsubscribeConfirmation": ("Message", "MessageId", "SubscribeURL", "Timestamp", "Token", "TopicArn", "Type"),
}
_HASHES: Mapping[str, Callable[[], hashes.HashAlgorithm]] = {"1": hashes.SHA1, "2": hashes.SHA256}

Fetch = Callable[[str], Coroutine[Any, Any, bytes]]


def parse(body: bytes) -> dict[str, str]:
    """Return the message in a request's body. Raises NotGenuine when it is none of SNS's."""
    try:
        found = json.loads(body)
    except (ValueError, RecursionError):
        found = None
    if not isinstance(found, dict) or found.get("Type") not in _SIGNED:
        raise NotGenuine("This is no message of SNS.")
    return {name: value for name, value in found.items() if isinstance(value, str)}


async def verify(message: Mapping[str, str], *, topics: frozenset[str], fetch: Fetch) -> None:
    """Raise NotGenuine unless SNS signed the message, of one of `topics`, at most five minutes ago.

    `fetch` gets the certificate of a URL that was found to be SNS's own.
    """
    if not message.get("Signature"):
        raise NotGenuine("There is no signature.", unsigned=True)
    if message.get("TopicArn") not in topics:
        raise NotGenuine("The topic is none of this account's.")
    _require_fresh(message.get("Timestamp", ""))
    algorithm = _HASHES.get(message.get("SignatureVersion", ""))
    url = message.get("SigningCertURL", "")
    if algorithm is None or not is_of_sns(url) or not urlsplit(url).path.endswith(".pem"):
        raise NotGenuine("The signature is of no kind that we know, or its certificate is not SNS's.")
    _check(message, await fetch(url), algorithm())


def is_of_sns(url: str) -> bool:
    """Tell whether a URL leads to SNS itself, over TLS, and nowhere else."""
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        return False
    plain = parts.netloc == parts.hostname and port is None and url.isascii() and url.isprintable()
    return parts.scheme == "https" and plain and _HOST.fullmatch(parts.netloc) is not None


def signed_text(message: Mapping[str, str]) -> bytes:
    """Return what SNS signs: name and value, a line each, of those fields that there are."""
    names = (name for name in _SIGNED[message["Type"]] if name in message)
    return "".join(f"{name}\n{message[name]}\n" for name in names).encode()


def _check(message: Mapping[str, str], certificate: bytes, algorithm: hashes.HashAlgorithm) -> None:
    try:
        key = x509.load_pem_x509_certificate(certificate).public_key()
        signature = base64.b64decode(message["Signature"], validate=True)
    except ValueError:
        raise NotGenuine("The signature or its certificate cannot be read.") from None
    if not isinstance(key, rsa.RSAPublicKey):
        raise NotGenuine("The certificate is of no kind that SNS uses.")
    try:
        key.verify(signature, signed_text(message), padding.PKCS1v15(), algorithm)
    except InvalidSignature:
        raise NotGenuine("The signature is wrong.") from None


def _require_fresh(timestamp: str) -> None:
    try:
        at = datetime.fromisoformat(timestamp)
    except ValueError:
        at = None
    if at is None or at.tzinfo is None:
        raise NotGenuine("It does not say when it was signed.")
    require_fresh(at)
