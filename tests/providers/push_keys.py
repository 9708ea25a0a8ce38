"""Keys of push accounts, made for this run."""

import json
from functools import cache

from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat


@cache
def apple_key() -> str:
    """Return a .p8 file as Apple gives it."""
    return _pem(ec.generate_private_key(ec.SECP256R1()))


@cache
def _google_key() -> str:
    return _pem(rsa.generate_private_key(public_exponent=65537, key_size=2048))


def service_account(token_uri: str) -> str:
    """Return the JSON file of a service account, in the shape that Google gives it."""
    return json.dumps(
        {
            "type": "service_account",
            "project_id": "shop-123",
            "private_key_id": "0123abcd",
            "private_key": _google_key(),
            "client_email": "push@shop-123.iam.gserviceaccount.com",
            "client_id": "1",
            "token_uri": token_uri,
        }
    )


def _pem(key: ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey) -> str:
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
