"""How many web push messages a core encrypts and signs for: `python -m tests.benchmarks.web_push`.

Beside the bare cryptography of a message (a key, an agreement, two derivations, a sealing), which none can do without.
COUNT messages (5,000; BENCH=quick: 500) a round, ROUNDS (3) of each, taking turns, and the medians.
"""

import os
import statistics
import time
from uuid import UUID

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from notifications.providers.base import Message
from notifications.providers.web_push import content
from notifications.providers.web_push_encryption import Subscription, Vapid, encoded, encrypt

COUNT = int(os.environ.get("COUNT", 500 if os.environ.get("BENCH") == "quick" else 5000))
ROUNDS = int(os.environ.get("ROUNDS", 3))


def measure(count: int = COUNT) -> float:
    """Return messages per second in one thread: content, encryption and the Authorization header."""
    browsers = [ec.generate_private_key(ec.SECP256R1()) for _ in range(100)]
    points = [key.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint) for key in browsers]
    to = [Subscription("https://fcm.googleapis.com/fcm/send/abc", point, os.urandom(16)) for point in points]
    vapid = Vapid(encoded(os.urandom(31).rjust(32, b"\x01")), "mailto:push@example.com")
    message = Message(UUID(int=1), "web_push", "", {"title": "Your order is on its way", "body": "It left us today."})
    started = time.perf_counter()
    for number in range(count):
        encrypt(content(message), to[number % 100])
        vapid.authorization(to[number % 100].endpoint)
    return count / (time.perf_counter() - started)


def bare(count: int = COUNT) -> float:
    """Return how many messages a second the cryptography alone would allow."""
    theirs = ec.generate_private_key(ec.SECP256R1()).public_key()
    started = time.perf_counter()
    for _ in range(count):
        shared = ec.generate_private_key(ec.SECP256R1()).exchange(ec.ECDH(), theirs)
        for length in (32, 16):
            shared = HKDF(hashes.SHA256(), length, os.urandom(16), b"info").derive(shared)
        AESGCM(shared).encrypt(os.urandom(12), bytes(200), b"")
    return count / (time.perf_counter() - started)


def main() -> None:
    found: dict[str, list[float]] = {"bare": [], "ours": []}
    for _ in range(ROUNDS):
        found["bare"].append(bare())
        found["ours"].append(measure())
    least, ours = (statistics.median(found[name]) for name in ("bare", "ours"))
    print(f"{ours:.0f} messages/s, encrypted and signed for; the cryptography alone: {least:.0f}/s")
    print(f"ratio {ours / least:.2f}, median of {ROUNDS} rounds")


if __name__ == "__main__":
    main()
