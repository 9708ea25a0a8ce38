"""What the live hub is measured against, each an ASGI application of its own: run by tests.benchmarks.live.

`raw` is one Redis subscription and a dictionary, and nothing else: no origin, no person, no queue for slow readers.
`layer` is what Channels' documentation shows: a consumer, and a group per person of RedisPubSubChannelLayer.
Environment: REDIS_URL, CHANNEL (the hub's Redis channel). `python -m tests.benchmarks.live_peers` publishes to `layer`.
"""

import asyncio
import json
import os
import sys
from collections import defaultdict
from collections.abc import Awaitable, Callable
from typing import Any

import redis.asyncio

REDIS_URL = os.environ.get("REDIS_URL", "redis://127.0.0.1:6379/5")
CHANNEL = os.environ.get("CHANNEL", "carillon:bench")
READY = '{"type":"ready"}'
Send = Callable[[dict[str, Any]], Awaitable[None]]

_sends: defaultdict[int, set[Send]] = defaultdict(set)
_listening: asyncio.Task[None] | None = None


async def raw(scope: Any, receive: Any, send: Send) -> None:
    global _listening
    if scope["type"] != "websocket":
        return
    await receive()
    await send({"type": "websocket.accept"})
    who = int(json.loads((await receive())["text"])["token"])
    if _listening is None:
        _listening = asyncio.create_task(_fan_out())
    _sends[who].add(send)
    await send({"type": "websocket.send", "text": READY})
    while (await receive())["type"] != "websocket.disconnect":
        pass
    _sends[who].discard(send)


async def _fan_out() -> None:
    subscription = redis.asyncio.from_url(REDIS_URL).pubsub()
    await subscription.subscribe(CHANNEL)
    async for message in subscription.listen():
        if message["type"] == "message":
            for who, text in json.loads(message["data"]):
                for send in _sends.get(who, ()):
                    await send({"type": "websocket.send", "text": text})


def __getattr__(name: str) -> Any:
    """Make `layer` when uvicorn asks for it: Channels' Redis layer is in the environment of the peers alone."""
    if name != "layer":
        raise AttributeError(name)
    _configure()
    from channels.generic.websocket import AsyncWebsocketConsumer

    class Consumer(AsyncWebsocketConsumer):  # type: ignore[misc]
        async def receive(self, text_data: str | None = None, bytes_data: bytes | None = None) -> None:
            await self.channel_layer.group_add(f"user.{json.loads(text_data or '')['token']}", self.channel_name)
            await self.send(READY)

        async def tell(self, event: dict[str, str]) -> None:
            await self.send(event["text"])

    return Consumer.as_asgi()


def _configure() -> None:
    from django.conf import settings

    if settings.configured:  # uvicorn asks more than once
        return
    backend = "channels_redis.pubsub.RedisPubSubChannelLayer"
    settings.configure(CHANNEL_LAYERS={"default": {"BACKEND": backend, "CONFIG": {"hosts": [REDIS_URL]}}})


async def _publish() -> None:
    """Take a line of standard input, a JSON list of (who, text); send that through the layer at the line "go"."""
    _configure()
    from channels.layers import get_channel_layer

    layer: Any = get_channel_layer()
    frames: list[Any] = []
    print("ready", flush=True)
    while line := await asyncio.to_thread(sys.stdin.readline):
        if line != "go\n":
            frames = json.loads(line)
            print("loaded", flush=True)
            continue
        for who, text in frames:
            await layer.group_send(f"user.{who}", {"type": "tell", "text": text})


if __name__ == "__main__":
    asyncio.run(_publish())
