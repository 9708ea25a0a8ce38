"""How many web push messages a core encrypts and signs for: `python -m tests.benchmarks.web_push`."""

import os
import time
from uuid import UUID

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from notifications.providers.base import Message
from notifications.providers.web_push import content
from notifications.providers.web_push_encryption import Subscription, Vapid, encoded, encrypt

COUNT = int(os.environ.get("COUNT", 5000))


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


if __name__ == "__main__":
    print(f"{measure():.0f} encryptions/s")
