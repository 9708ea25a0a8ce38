"""What web push asks of a sender: a body that only the browser can read, and proof of who sends.

Sources: RFC 8291 (encryption for web push) over RFC 8188 (aes128gcm), RFC 8292 (VAPID).
"""

import base64
import hmac
import os
import struct
import time
from dataclasses import dataclass
from functools import lru_cache
from urllib.parse import urlsplit

import jwt
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_private_key

_CURVE = ec.SECP256R1()
_RECORD = 4096  # octets of the only record; push services take no more for a whole body (RFC 8030 §7.2)
_HEADER = 16 + 4 + 1 + 65
MOST_BYTES = _RECORD - _HEADER - 16 - 1  # of a message: less the header, the tag of AES-GCM and the padding's delimiter
_TOKEN_SECONDS = 12 * 3600  # a VAPID token may live for 24 hours (RFC 8292 §2); it is made anew at half of its time


@dataclass(frozen=True)
class Subscription:
    """Where a browser listens and what it reads with: as its PushSubscription says."""

    endpoint: str
    public: bytes  # p256dh: an uncompressed point
    secret: bytes  # auth: 16 octets


class Vapid:
    """The sender's own key pair, by which push services know it again."""

    def __init__(self, private_key: str, subject: str) -> None:
        self._key = read_private_key(private_key)
        self._subject = subject
        self.public_key = encoded(_point(self._key))  # what the browser is given as applicationServerKey
        self._token = lru_cache(maxsize=1000)(self._make_token)

    def authorization(self, endpoint: str) -> str:
        """Return the Authorization header for one push service (RFC 8292 §3)."""
        parts = urlsplit(endpoint)
        period = int(time.time()) // (_TOKEN_SECONDS // 2)
        return f"vapid t={self._token(f'{parts.scheme}://{parts.netloc}', period)}, k={self.public_key}"

    def _make_token(self, audience: str, period: int) -> str:
        expires = (period + 2) * (_TOKEN_SECONDS // 2)
        return jwt.encode({"aud": audience, "exp": expires, "sub": self._subject}, self._key, algorithm="ES256")


def encrypt(
    message: bytes, to: Subscription, *, key: ec.EllipticCurvePrivateKey | None = None, salt: bytes = b""
) -> bytes:
    """Return the body that only `to` can read. Raises ValueError when it is longer than MOST_BYTES, or the key no key.

    A pair of keys and a salt are made for each message, as RFC 8291 §3.1 asks; they are given only by its test vector.
    """
    if len(message) > MOST_BYTES:
        raise ValueError(f"A push message has at most {MOST_BYTES} bytes.")
    key, salt = key or ec.generate_private_key(_CURVE), salt or os.urandom(16)
    ours = _point(key)
    shared = key.exchange(ec.ECDH(), ec.EllipticCurvePublicKey.from_encoded_point(_CURVE, to.public))
    material = _expand(_hmac(to.secret, shared), b"WebPush: info\0" + to.public + ours, 32)
    seed = _hmac(salt, material)
    content_key = _expand(seed, b"Content-Encoding: aes128gcm\0", 16)
    nonce = _expand(seed, b"Content-Encoding: nonce\0", 12)
    header = salt + struct.pack("!LB", _RECORD, len(ours)) + ours
    return header + AESGCM(content_key).encrypt(nonce, message + b"\x02", None)


def read_private_key(text: str) -> ec.EllipticCurvePrivateKey:
    """Return the P-256 key in PEM, or in base64url of its 32 octets, as `web-push generate-vapid-keys` gives it.

    Raises ValueError.
    """
    try:
        if "BEGIN" in text:
            key = load_pem_private_key(text.strip().encode(), password=None)
        else:
            key = ec.derive_private_key(int.from_bytes(_octets(text, 32), "big"), _CURVE)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        raise ValueError("A VAPID key is a P-256 key, in PEM or as base64url of 32 octets.") from None
    if not isinstance(key, ec.EllipticCurvePrivateKey) or not isinstance(key.curve, ec.SECP256R1):
        raise ValueError("A VAPID key is on the curve P-256.")
    return key


def decoded(text: str) -> bytes:
    """Return the octets of base64url without padding."""
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def encoded(octets: bytes) -> str:
    return base64.urlsafe_b64encode(octets).rstrip(b"=").decode()


def _octets(text: str, count: int) -> bytes:
    found = decoded(text)
    if len(found) != count:
        raise ValueError
    return found


def _point(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)


def _hmac(key: bytes, data: bytes) -> bytes:
    return hmac.digest(key, data, "sha256")


def _expand(key: bytes, info: bytes, length: int) -> bytes:
    """HKDF-Expand (RFC 5869 §2.3) for what fits into one block."""
    return _hmac(key, info + b"\x01")[:length]
