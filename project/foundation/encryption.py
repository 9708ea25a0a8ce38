"""Personal data and credentials at rest: AES-256-GCM per field with a key id, and a keyed blind index for look-ups.

A stored value is: one byte length of the key id, the key id, a 12-byte nonce, the ciphertext with its 16-byte tag.
The field's own name is authenticated with it, so a ciphertext moved to another column does not open.
Keys: settings.ENCRYPTION_KEYS and settings.BLIND_INDEX_KEYS, `{id: 32 bytes}`, newest first.
Source: NIST SP 800-38D (96-bit random nonces: fewer than 2**32 values a key).
"""

import hashlib
import hmac
import json
import os
from collections.abc import Mapping
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from django.conf import settings
from django.db import models

_NONCE_BYTES = 12

if TYPE_CHECKING:
    _Field = models.Field[Any, Any]
else:
    _Field = models.Field


class CannotDecrypt(Exception):
    """The value was stored under a key that is not configured, under another field, or is damaged."""


def encrypt(text: str, *, field: str) -> bytes:
    """Return `text` sealed under the newest key for the named field ("app.Model.field")."""
    key_id, cipher = _newest()
    nonce = os.urandom(_NONCE_BYTES)
    return bytes([len(key_id)]) + key_id + nonce + cipher.encrypt(nonce, text.encode(), field.encode())


def decrypt(sealed: bytes | memoryview, *, field: str) -> str:
    """Return the text that `encrypt` sealed for the same field. Raises CannotDecrypt."""
    value = bytes(sealed)
    end = 1 + value[0] if value else 0
    cipher = _ciphers().get(value[1:end])
    if cipher is None:
        raise CannotDecrypt(f"No key {value[1:end]!r} for {field}.")
    try:
        return cipher.decrypt(value[end : end + _NONCE_BYTES], value[end + _NONCE_BYTES :], field.encode()).decode()
    except InvalidTag as error:
        raise CannotDecrypt(f"The value of {field} does not open under its key.") from error


def blind_index(channel: str, address: str) -> bytes:
    """Return the keyed fingerprint under which an address is stored and found. `address` is already normalised."""
    key = next(iter(settings.BLIND_INDEX_KEYS.values()))
    return _fingerprint(key, channel, address)


def blind_indexes(channel: str, address: str) -> list[bytes]:
    """Return the fingerprints of an address under every configured key, newest first: what a look-up must try."""
    return [_fingerprint(key, channel, address) for key in settings.BLIND_INDEX_KEYS.values()]


class EncryptedTextField(_Field):
    """Text, sealed in the column. Cannot be searched: keep a blind index beside it where a look-up is needed."""

    def get_internal_type(self) -> str:
        return "BinaryField"

    @property
    def sealed_name(self) -> str:
        return f"{self.model._meta.label}.{self.name}"

    def to_python_value(self, text: str) -> Any:
        return text

    def from_python_value(self, value: Any) -> str:
        return str(value)

    def get_prep_value(self, value: Any) -> Any:
        return value if value is None else encrypt(self.from_python_value(value), field=self.sealed_name)

    def get_db_prep_value(self, value: Any, connection: Any, prepared: bool = False) -> Any:
        sealed = value if prepared else self.get_prep_value(value)
        return None if sealed is None else connection.Database.Binary(sealed)

    def from_db_value(self, value: Any, expression: Any, connection: Any) -> Any:
        return value if value is None else self.to_python_value(decrypt(value, field=self.sealed_name))

    def value_to_string(self, obj: models.Model) -> str:
        return str(self.value_from_object(obj))


class EncryptedJSONField(EncryptedTextField):
    """Any JSON value, sealed in the column."""

    def to_python_value(self, text: str) -> Any:
        return json.loads(text) if text else None

    def from_python_value(self, value: Any) -> str:
        return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def _fingerprint(key: bytes, channel: str, address: str) -> bytes:
    return hmac.digest(key, f"{channel}\x1f{address}".encode(), hashlib.sha256)


def _newest() -> tuple[bytes, AESGCM]:
    return next(iter(_ciphers().items()))


def _ciphers() -> Mapping[bytes, AESGCM]:
    return _ciphers_for(tuple(settings.ENCRYPTION_KEYS.items()))


@lru_cache(maxsize=8)
def _ciphers_for(keys: tuple[tuple[str, bytes], ...]) -> Mapping[bytes, AESGCM]:
    return {key_id.encode(): AESGCM(key) for key_id, key in keys}
