"""Mails a second through an e-mail service, many a call beside one a call: `python -m tests.benchmarks.mail_services`.

The service, Postmark's API played from a process of its own, answers after LATENCY seconds (0.05). COUNT mails (1,000)
in sub-batches of 100, as delivery hands them over; ROUNDS (3) of each way, taking turns, and the medians.
"""

import asyncio
import json
import multiprocessing
import os
import statistics
import time
from collections.abc import Mapping
from multiprocessing.connection import Connection
from unittest import mock
from uuid import uuid4

import django

from notifications.providers import anymail_batches, options
from notifications.providers.anymail import Anymail
from notifications.providers.base import Message

COUNT, LATENCY = int(os.environ.get("COUNT", 1_000)), float(os.environ.get("LATENCY", 0.05))
ROUNDS = int(os.environ.get("ROUNDS", 3))
FLUSH_SIZE = 100
_HTML = "<p>" + "Your order is on its way. " * 400 + "</p>"  # 10 kB, as mails are


class Postmark(asyncio.Protocol):
    """Takes each mail of each request, after LATENCY."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport, self.heard = transport, bytearray()

    def data_received(self, data: bytes) -> None:
        self.heard += data
        head, found, body = bytes(self.heard).partition(b"\r\n\r\n")
        if found and len(body) >= int(head.lower().split(b"content-length: ")[1].split(b"\r\n")[0]):
            self.heard = bytearray()
            asyncio.get_running_loop().call_later(LATENCY, self.transport.write, _answer(json.loads(body)))


def _answer(asked: object) -> bytes:
    said = json.dumps([_taken(each) for each in asked] if isinstance(asked, list) else _taken(asked)).encode()
    return b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s" % (len(said), said)


def _taken(mail: object) -> dict[str, object]:
    assert isinstance(mail, dict)
    return {"ErrorCode": 0, "Message": "OK", "MessageID": str(uuid4()), "To": mail["To"]}


def measure(*, together: bool, count: int = COUNT) -> float:
    """Return mails per second through one account of one process."""
    ours, theirs = multiprocessing.Pipe()
    peer = multiprocessing.Process(target=_serve, args=(theirs,), daemon=True)
    peer.start()
    batches: Mapping[str, anymail_batches.Batch] = anymail_batches.BATCHES if together else {}
    try:
        with mock.patch.object(anymail_batches, "BATCHES", batches):
            return asyncio.run(_send(f"http://127.0.0.1:{ours.recv()}/", count))
    finally:
        peer.terminate()
        peer.join()


async def _send(url: str, count: int) -> float:
    stored = {"esp": "postmark", "settings": {"server_token": "t"}, "from": "shop@example.com", "base_url": url}
    provider = Anymail(options.resolve(Anymail.Options, stored), timeout=30)
    started = time.perf_counter()
    for first in range(0, count, FLUSH_SIZE):
        parts = {"subject": "On its way", "text": "Your order is on its way.", "html": _HTML}
        mails = [Message(uuid4(), "email", f"p{first + each}@example.com", parts) for each in range(FLUSH_SIZE)]
        outcomes = await provider.send_many(mails)
        assert {outcome.kind for outcome in outcomes} == {"accepted"}, outcomes
    took = time.perf_counter() - started
    await provider.close()
    return count / took


def _serve(pipe: Connection) -> None:
    async def run() -> None:
        server = await asyncio.get_running_loop().create_server(Postmark, "127.0.0.1", 0)
        pipe.send(server.sockets[0].getsockname()[1])
        await server.serve_forever()

    asyncio.run(run())


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "project.settings")
    django.setup()
    found: dict[bool, list[float]] = {True: [], False: []}
    for _ in range(ROUNDS):
        for together in (False, True):
            found[together].append(measure(together=together))
    alone, joined = (statistics.median(found[each]) for each in (False, True))
    print(
        f"one mail a call: {alone:.0f} mails/s; {FLUSH_SIZE} a call: {joined:.0f} mails/s; ratio {joined / alone:.1f}"
    )


if __name__ == "__main__":
    main()
