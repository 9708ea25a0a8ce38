"""How many messages a worker hands to a service that speaks HTTP: `python -m tests.benchmarks.http_providers`.

The service answers after LATENCY seconds (0.05), from a process of its own. COUNT messages (10,000; BENCH=quick: 1,000)
in sub-batches of 100, as delivery hands them over, one, two and four at once. ROUNDS (3) of each, taking turns, and the
medians, beside what 64 connections can carry at all.
"""

import asyncio
import multiprocessing
import os
import statistics
import time
from multiprocessing.connection import Connection
from uuid import uuid4

from notifications.providers.base import Message, Outcome
from notifications.providers.http import HTTPProvider

COUNT = int(os.environ.get("COUNT", 1_000 if os.environ.get("BENCH") == "quick" else 10_000))
LATENCY = float(os.environ.get("LATENCY", 0.05))
ROUNDS = int(os.environ.get("ROUNDS", 3))
FLUSH_SIZE = 100
_ANSWER = b'HTTP/1.1 201 Created\r\nContent-Type: application/json\r\nContent-Length: 12\r\n\r\n{"id":"m-1"}'


class Service(asyncio.Protocol):
    """Answers each request of a connection after LATENCY."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport, self.heard = transport, b""

    def data_received(self, data: bytes) -> None:
        self.heard += data
        head, found, body = self.heard.partition(b"\r\n\r\n")
        if found and len(body) >= int(head.lower().split(b"content-length: ")[1].split(b"\r\n")[0]):
            self.heard = b""
            asyncio.get_running_loop().call_later(LATENCY, self.transport.write, _ANSWER)


class Gateway(HTTPProvider):
    key, channels, service = "gateway", ("sms",), "Gateway"

    async def send_one(self, message: Message, deadline: float) -> Outcome:
        body = {"to": message.to, "text": message.parts["text"], "id": str(message.delivery_id)}
        answer = await self.ask(
            "POST", self.options, deadline=deadline, body=body, headers={"Authorization": "Bearer x"}
        )
        return self.outcome_of(answer, provider_message_id=answer.json()["id"])


def measure(count: int = COUNT, *, batches_at_once: int = 1) -> float:
    """Return messages per second through one account of one process, at most 64 connections."""
    ours, theirs = multiprocessing.Pipe()
    peer = multiprocessing.Process(target=_serve, args=(theirs,), daemon=True)
    peer.start()
    try:
        return asyncio.run(_send(f"http://127.0.0.1:{ours.recv()}/messages", count, batches_at_once))
    finally:
        peer.terminate()
        peer.join()


async def _send(url: str, count: int, at_once: int) -> float:
    provider = Gateway(url, timeout=10)
    batch = [Message(uuid4(), "sms", "+4930123456", {"text": "Your code is 123456."}) for _ in range(FLUSH_SIZE)]
    started = time.perf_counter()

    async def work() -> None:
        for _ in range(count // FLUSH_SIZE // at_once):
            outcomes = await provider.send_many(batch)
            assert {outcome.kind for outcome in outcomes} == {"accepted"}, outcomes

    await asyncio.gather(*(work() for _ in range(at_once)))
    took = time.perf_counter() - started
    await provider.close()
    return count / took


def _serve(pipe: Connection) -> None:
    async def run() -> None:
        server = await asyncio.get_running_loop().create_server(Service, "127.0.0.1", 0)
        pipe.send(server.sockets[0].getsockname()[1])
        await server.serve_forever()

    asyncio.run(run())


def main() -> None:
    found: dict[int, list[float]] = {1: [], 2: [], 4: []}
    for _ in range(ROUNDS):
        for at_once, rates in found.items():
            rates.append(measure(batches_at_once=at_once))
    most = Gateway.concurrency / LATENCY
    for at_once, rates in found.items():
        rate = statistics.median(rates)
        print(
            f"{at_once} sub-batches at once: {rate:.0f} messages/s, {rate / most:.2f} of what the connections can carry"
        )


if __name__ == "__main__":
    main()
