"""Building a mail: from a skeleton, and as Django does it: `python -m tests.benchmarks.mime`.

One mail of 2.5 KB with text, HTML and list headers, to one person after another. "accents": nothing fits into seven
bits as it is. Both mails are read back first and say the same. Microseconds of processor time, so that neighbours on
the machine weigh little. ROUNDS (5); BENCH=quick: 3.
"""

import email
import os
import sys
import time
from collections.abc import Callable
from email import policy
from uuid import UUID

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.settings")

import django  # noqa: E402

django.setup()

from cryptography.hazmat.primitives import serialization  # noqa: E402
from cryptography.hazmat.primitives.asymmetric import rsa  # noqa: E402

from notifications import mail  # noqa: E402
from notifications.mail import plain  # noqa: E402
from notifications.mail.signing import Signer  # noqa: E402
from notifications.providers.base import Message  # noqa: E402
from tests.benchmarks.harness import Measured, Part, interleaved, must_equal, ratio  # noqa: E402

ROUNDS = int(os.environ.get("ROUNDS", 3 if os.environ.get("BENCH") == "quick" else 5))
SENDER = "Shop <shop@example.com>"
HEADERS = {
    "List-Unsubscribe": "<https://notify.example.com/u/vJ8xq2m0PzK4s7RtY1wLbN5cH3dF6gAe/>, <mailto:u@example.com>",
    "List-Unsubscribe-Post": "List-Unsubscribe=One-Click",
}
TEXT = "Hello Ada,\n\nyour order has left our warehouse:\n\n" + "A small green plant in a pot, 12.00 EUR\n" * 10
ROW = '<tr><td style="padding:8px 0;color:#333333">A small green plant in a pot</td></tr>\n'
HTML = f'<html><body style="font-family:Arial">\n<p>Hello Ada,</p>\n<table>\n{ROW * 18}</table>\n</body></html>\n'
ACCENTS = str.maketrans("aeou", "äéöü")


def message(number: int, *, accents: bool = False) -> Message:
    """Return the message to p<number>@example.com."""
    parts = {"subject": f"Order {number} is on its way", "text": TEXT, "html": HTML}
    if accents:
        parts = {"subject": parts["subject"].translate(ACCENTS), "text": TEXT.translate(ACCENTS)}
        parts["html"] = HTML.replace("plant", "plänt").replace("Hello", "Schönen Gruß")
    return Message(UUID(int=number), "email", f"p{number}@example.com", parts, HEADERS)


def measure() -> Part:
    part = Part("mime", "Building a mail")
    key = _key()
    signer = Signer(domain="example.com", selector="s1", private_key=key)
    messages = {kind: [message(number, accents=kind == "accents") for number in range(500)] for kind in KINDS}
    for kind in KINDS:
        for each in messages[kind][:20]:
            must_equal(skeleton=_said(_skeleton(each)), django=_said(_django(each)))
    cases = {f"Carillon, {kind}": _case(_skeleton, messages[kind]) for kind in KINDS}
    cases |= {f"Django, {kind}": _case(_django, messages[kind][:100]) for kind in KINDS}
    cases["Carillon, signed by DKIM (RSA, 2048 bits)"] = _case(
        lambda each: signer.signed(_skeleton(each)), messages["ascii"][:100]
    )
    found = interleaved(cases, ROUNDS, unit="µs")
    part.measured = list(found.values())
    for kind in KINDS:
        ours, theirs = found[f"Carillon, {kind}"], found[f"Django, {kind}"]
        part.ratios.append(ratio(f"Django's time for a mail, {kind}, by ours", theirs, ours, must=15, aim=30))
    part.facts["bytes of a mail"] = len(_skeleton(messages["ascii"][0]))
    return part


KINDS = ("ascii", "accents")


def _skeleton(each: Message) -> bytes:
    return mail.build(each, sender=SENDER).content


def _django(each: Message) -> bytes:
    return plain.content(each, sender=SENDER, recipient=mail.address(each.to))


def _case(build: Callable[[Message], bytes], messages: list[Message]) -> Callable[[], float]:
    def run() -> float:
        started = time.process_time()
        for each in messages:
            build(each)
        return (time.process_time() - started) / len(messages) * 1e6

    return run


def _said(content: bytes) -> str:
    parsed = email.message_from_bytes(content, policy=policy.default)
    headers = sorted(
        (name, str(value).strip()) for name, value in parsed.items() if name != "Date" and "type" not in name
    )
    bodies = [part.get_content() for part in parsed.walk() if not part.is_multipart()]
    return repr(([each for each in headers if not each[0].startswith("Content-")], bodies))


def _key() -> str:
    made = rsa.generate_private_key(65537, 2048)
    form = serialization.PrivateFormat.PKCS8
    return made.private_bytes(serialization.Encoding.PEM, form, serialization.NoEncryption()).decode()


def _show(measured: Measured) -> str:
    return f"{measured.name:45} {measured.median:9.1f} {measured.unit}"


if __name__ == "__main__":
    result = measure()
    print("\n".join([_show(each) for each in result.measured]))
    print("\n".join(f"{each.name:45} {each.median:9.1f} {each.unit} {each.met}" for each in result.ratios))
    sys.exit(0)
