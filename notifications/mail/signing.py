"""DKIM: a mail signed by the key of the sender's domain (RFC 6376), so that mailboxes trust it."""

import hashlib
import re
import textwrap
from base64 import b64encode
from collections.abc import Sequence
from typing import Any

import dkim
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa, utils

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
        signing = _Signing(content, self._key)
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


class _Signing(dkim.DKIM):  # type: ignore[misc]  # it carries no types
    """dkimpy's signature, but for the arithmetic, which is OpenSSL's: in Python it takes 20 ms for 2048 bits."""

    def __init__(self, content: bytes, key: rsa.RSAPrivateKey) -> None:
        super().__init__(content)
        self._key = key

    def gen_header(
        self, fields: Any, include_headers: Sequence[bytes], canon_policy: Any, header_name: bytes, pk: Any
    ) -> bytes:
        """Return the header's value, signature and all; `fields` is what it says."""
        stated = b"; ".join(b"=".join(field) for field in fields if field[0] != b"b") + b"; b="
        value = bytes(dkim.fold(stated, namelen=len(header_name)))
        digest = hashlib.sha256()
        headers = canon_policy.canonicalize_headers(self.headers)
        dkim.hash_headers(digest, canon_policy, headers, include_headers, (header_name, b" " + value), dict(fields))
        signature = self._key.sign(digest.digest(), padding.PKCS1v15(), utils.Prehashed(hashes.SHA256()))
        return value + b"\r\n " + _lines(b64encode(signature))


def _lines(text: bytes) -> bytes:
    return b"\r\n ".join(text[start : start + 72] for start in range(0, len(text), 72)) + b"\r\n"


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
