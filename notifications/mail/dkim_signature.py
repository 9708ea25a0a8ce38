"""dkimpy, with OpenSSL's arithmetic. It brings a resolver along, so that it is loaded by those who sign."""

import hashlib
from base64 import b64encode
from collections.abc import Sequence
from typing import Any

import dkim
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa, utils


class Signing(dkim.DKIM):  # type: ignore[misc]  # it carries no types
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
