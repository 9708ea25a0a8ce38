"""DKIM: a mail signed by the key of the sender's domain (RFC 6376), so that mailboxes trust it."""

import re
import textwrap
from typing import TYPE_CHECKING

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from project.foundation.on_demand import OnDemand

if TYPE_CHECKING:
    from notifications.mail import dkim_signature
else:
    dkim_signature = OnDemand("notifications.mail.dkim_signature")

_SHORTEST = 1024  # bits; RFC 8301 §3.2
_PEM = re.compile(r"-----BEGIN ([A-Z ]+)-----([A-Za-z0-9+/=\s]+)-----END \1-----")
_NAME = re.compile(r"[A-Za-z0-9_-]{1,63}(\.[A-Za-z0-9_-]{1,63})*")
_WRONG_KEY = "The key must be an RSA private key of 1024 bits or more, in PEM and without a password."
# What is signed where it is there. From is signed once more than it is there: nobody can add another (§8.15).
_SIGNED = (
    *(b"from", b"from", b"to", b"subject", b"date", b"message-id", b"list-unsubscribe", b"list-unsubscribe-post"),
    *(b"mime-version", b"content-type", b"content-transfer-encoding", b"reply-to"),
)


class Signer:
    """The key of one domain."""

    def __init__(self, *, domain: str, selector: str, private_key: str) -> None:
        """`private_key` is an RSA key in PEM; the public one stands in the DNS at <selector>._domainkey.<domain>.

        Raises ValueError.
        """
        self._domain, self._selector = domain.encode(), selector.encode()
        self._key = _load(private_key)
        self._pem = _pkcs1(self._key)

    def signed(self, content: bytes) -> bytes:
        """Return a mail with its signature in front."""
        signing = dkim_signature.Signing(content, self._key)
        there = {name.lower() for name, _ in signing.headers}
        include = [name for name in _SIGNED if name in there]
        signature = signing.sign(
            self._selector,
            self._domain,
            self._pem,
            canonicalize=(b"relaxed", b"relaxed"),  # lines may be folded anew and blanks lost on the way
            include_headers=include,
        )
        return bytes(signature) + content


def check_name(text: str) -> None:
    """Refuse what is no name in the DNS. Raises ValueError."""
    if text and not _NAME.fullmatch(text):
        raise ValueError("This must be a name as it stands in the DNS, such as example.com.")


def check_private_key(text: str) -> None:
    """Refuse what is no RSA private key in PEM. Raises ValueError."""
    if text:
        _load(text)


def _load(text: str) -> rsa.RSAPrivateKey:
    """Return the key of a PEM text, whatever became of its line ends in a form or in the environment."""
    found = _PEM.fullmatch(text.replace("\\n", "\n").strip())
    if found is None:
        raise ValueError(_WRONG_KEY)
    kind, inner = found[1], "".join(found[2].split())
    pem = f"-----BEGIN {kind}-----\n" + "\n".join(textwrap.wrap(inner, 64)) + f"\n-----END {kind}-----\n"
    try:
        key = serialization.load_pem_private_key(pem.encode(), password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        raise ValueError(_WRONG_KEY) from None
    if not isinstance(key, rsa.RSAPrivateKey) or key.key_size < _SHORTEST:
        raise ValueError(_WRONG_KEY)
    return key


def _pkcs1(key: rsa.RSAPrivateKey) -> bytes:
    """Return the key in the one form that dkimpy reads without trying others."""
    form = serialization.PrivateFormat.TraditionalOpenSSL
    return key.private_bytes(serialization.Encoding.PEM, form, serialization.NoEncryption())
