"""Personal data and credentials at rest: AES-256-GCM per field with a key id, and a keyed blind index for look-ups.

A stored value is: one byte length of the key id, the key id, a 12-byte nonce, the ciphertext with its 16-byte tag.
The field's own name is authenticated with it, so a ciphertext moved to another column does not open.
Keys: settings.ENCRYPTION_KEYS and settings.BLIND_INDEX_KEYS, `{id: 32 bytes}`, newest first.
Source: NIST SP 800-38D (96-bit random nonces: fewer than 2**32 values a key).
"""

import hashlib
import hmac
import os
from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from django.conf import settings
from django.db import models

from project.foundation import json_text

_NONCE_BYTES = 12

if TYPE_CHECKING:
    _Field = models.Field[Any, Any]
else:
    _Field = models.Field


class CannotDecrypt(Exception):
    """The value was stored under a key that is not configured, under another field, or is damaged."""


def encrypt(text: str, *, field: str) -> bytes:
    """Return `text` sealed under the newest key for the named field ("app.Model.field")."""
    head, cipher = _newest()
    nonce = os.urandom(_NONCE_BYTES)
    return head + nonce + cipher.encrypt(nonce, text.encode(), field.encode())


def encrypt_all(texts: Sequence[str], *, field: str) -> list[bytes]:
    """Return many texts of one field, each sealed as `encrypt` does, under a nonce of its own."""
    head, cipher = _newest()
    seal, authenticated, random = cipher.encrypt, field.encode(), os.urandom(_NONCE_BYTES * len(texts))
    nonces = [random[at : at + _NONCE_BYTES] for at in range(0, len(random), _NONCE_BYTES)]
    return [head + nonce + seal(nonce, text.encode(), authenticated) for nonce, text in zip(nonces, texts, strict=True)]


def decrypt(sealed: bytes | memoryview, *, field: str) -> str:
    """Return the text that `encrypt` sealed for the same field. Raises CannotDecrypt."""
    return opener(field)(bytes(sealed))


def opener(field: str) -> Callable[[bytes], str]:
    """Return what decrypts values of one field by the thousand: under the keys that are configured now."""
    ciphers, authenticated = _ciphers(), field.encode()

    def opened(sealed: bytes) -> str:
        end = 1 + sealed[0] if sealed else 0
        cipher = ciphers.get(sealed[1:end])
        if cipher is None:
            raise CannotDecrypt(f"No key {sealed[1:end]!r} for {field}.")
        text = end + _NONCE_BYTES
        try:
            return cipher.decrypt(sealed[end:text], sealed[text:], authenticated).decode()
        except InvalidTag as error:
            raise CannotDecrypt(f"The value of {field} does not open under its key.") from error

    return opened


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

    @cached_property
    def sealed_name(self) -> str:
        return f"{self.model._meta.label}.{self.name}"

    def to_python_value(self, text: str) -> Any:
        return text

    def from_python_value(self, value: Any) -> str:
        return str(value)

    def sealed_all(self, values: Sequence[Any]) -> list[bytes]:
        """Return what is stored of many values, none of which is None."""
        return encrypt_all(self._all_from_python(values), field=self.sealed_name)

    def _all_from_python(self, values: Sequence[Any]) -> list[str]:
        return [self.from_python_value(value) for value in values]

    def get_prep_value(self, value: Any) -> Any:
        return value if value is None else encrypt(self.from_python_value(value), field=self.sealed_name)

    def get_db_prep_value(self, value: Any, connection: Any, prepared: bool = False) -> Any:
        sealed = value if prepared else self.get_prep_value(value)
        return None if sealed is None else connection.Database.Binary(sealed)

    def from_db_value(self, value: Any, expression: Any, connection: Any) -> Any:
        return value if value is None else self.to_python_value(decrypt(value, field=self.sealed_name))

    def opener(self) -> Callable[[bytes], Any]:
        """Return what does by the thousand what `from_db_value` does with one value."""
        return opener(self.sealed_name)

    def value_to_string(self, obj: models.Model) -> str:
        return str(self.value_from_object(obj))


class EncryptedJSONField(EncryptedTextField):
    """Any JSON value, sealed in the column."""

    def to_python_value(self, text: str) -> Any:
        return json_text.read(text) if text else None

    def from_python_value(self, value: Any) -> str:
        return json_text.write(value)

    def _all_from_python(self, values: Sequence[Any]) -> list[str]:
        return json_text.write_all(values)

    def opener(self) -> Callable[[bytes], Any]:
        opened = opener(self.sealed_name)
        return lambda sealed: self.to_python_value(opened(sealed))


def _fingerprint(key: bytes, channel: str, address: str) -> bytes:
    return hmac.digest(key, f"{channel}\x1f{address}".encode(), hashlib.sha256)


def _newest() -> tuple[bytes, AESGCM]:
    """Return what a value begins with that is sealed under the newest key, and the key's cipher."""
    return _keyring().newest


def _ciphers() -> Mapping[bytes, AESGCM]:
    return _keyring().ciphers


class _Keyring:
    """The configured keys, ready for use."""

    def __init__(self, keys: Mapping[str, bytes]) -> None:
        self.keys = keys
        self.ciphers = {key_id.encode(): AESGCM(key) for key_id, key in keys.items()}
        key_id, cipher = next(iter(self.ciphers.items()))
        self.newest = bytes([len(key_id)]) + key_id, cipher


_made: _Keyring | None = None


def _keyring() -> _Keyring:
    """Return the keyring, made once for as long as settings hold the same object."""
    global _made
    made, keys = _made, settings.ENCRYPTION_KEYS
    if made is None or made.keys is not keys:
        made = _made = _Keyring(keys)
    return made
