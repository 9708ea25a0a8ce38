"""The live hub: from a commit to the sockets of the people it concerns.

Each process keeps a map of its own, person → sockets. With settings.REDIS_URL frames travel over one Redis channel, to
which each process with sockets subscribes once; without it (embedded) they hop onto the loop of this process's server.
A frame is a hint: the database is the truth, and a client that missed one sees the gap in `seq` and asks again.
"""

import asyncio
import logging
import random
import time
from collections.abc import Sequence
from functools import lru_cache

import msgspec
import redis
import redis.asyncio
from django.conf import settings
from django.utils.crypto import salted_hmac
from redis.backoff import NoBackoff
from redis.retry import Retry

from notifications.inbox.items import Frame
from notifications.inbox.outlet import Outlet

logger = logging.getLogger(__name__)

FRAMES_A_PUBLISH = 500
RESYNC = '{"type":"resync"}'
_PUBLISH_SECONDS = 0.2  # to connect, and again to publish
_PAUSE_SECONDS = 5.0  # after a failed publish nobody waits for Redis again for this long
_QUIET_SECONDS = 10.0  # without a frame or an answer to a ping: the subscription is dead
_RECONNECT_SECONDS = (0.2, 5.0)

_frames_decoder = msgspec.json.Decoder(list[Frame])


class Hub:
    """The sockets of this process. All but `publish` runs on the loop that serves them."""

    def __init__(self) -> None:
        self._loop: asyncio.AbstractEventLoop | None = None
        self._outlets: dict[int, tuple[Outlet, ...]] = {}
        self._listening: asyncio.Task[None] | None = None
        self._subscribed: asyncio.Event | None = None
        self._missed = False  # frames may have passed while nobody listened
        self._deliveries: set[asyncio.Task[None]] = set()
        self._paused_until = 0.0

    def bind(self, loop: asyncio.AbstractEventLoop) -> None:
        """Serve sockets on `loop`. The first socket of a loop does this too."""
        if self._loop is not loop:
            self._loop = loop
            self._outlets.clear()
            self._listening, self._subscribed = None, None

    async def join(self, user_pk: int, outlet: Outlet) -> None:
        """Give this socket the person's frames from now on; returns when none can be missed any more.

        With Redis away it returns after a second: the socket is told to ask again when it is back.
        """
        self.bind(asyncio.get_running_loop())
        self._outlets[user_pk] = (*self._outlets.get(user_pk, ()), outlet)
        if settings.REDIS_URL:
            await self._listen()

    def leave(self, user_pk: int, outlet: Outlet) -> None:
        """Take a socket out; it need not be in."""
        left = tuple(other for other in self._outlets.pop(user_pk, ()) if other is not outlet)
        if left:
            self._outlets[user_pk] = left

    def publish(self, frames: Sequence[Frame]) -> None:
        """Tell the sockets of all processes. Called after the commit, from any thread; never raises, hardly waits."""
        try:
            if frames and settings.REDIS_URL:
                self._publish_to_redis(frames)
            elif frames and self._loop is not None and self._loop.is_running():
                self._loop.call_soon_threadsafe(self._start_delivering, frames)
        except (redis.RedisError, OSError, RuntimeError) as error:
            self._paused_until = time.monotonic() + _PAUSE_SECONDS
            logger.warning("inbox.publish_failed", extra={"error": type(error).__name__})

    async def deliver(self, frames: Sequence[Frame]) -> None:
        """Hand frames to the sockets of this process, each person's in their order."""
        for user_pk, text in frames:
            for outlet in self._outlets.get(user_pk, ()):
                await outlet.tell(text)

    def _publish_to_redis(self, frames: Sequence[Frame]) -> None:
        if time.monotonic() < self._paused_until:
            return
        client = _publisher(settings.REDIS_URL)
        for start in range(0, len(frames), FRAMES_A_PUBLISH):
            client.publish(channel(), msgspec.json.encode(frames[start : start + FRAMES_A_PUBLISH]))

    def _start_delivering(self, frames: Sequence[Frame]) -> None:
        task = asyncio.create_task(self.deliver(frames))
        self._deliveries.add(task)
        task.add_done_callback(self._deliveries.discard)

    async def _listen(self) -> None:
        if self._listening is None or self._listening.done():
            self._subscribed = asyncio.Event()
            self._listening = asyncio.create_task(self._keep_subscribed(self._subscribed))
        assert self._subscribed is not None
        try:
            await asyncio.wait_for(self._subscribed.wait(), timeout=1)
        except TimeoutError:
            self._missed = True
            logger.warning("inbox.not_subscribed")

    async def _keep_subscribed(self, subscribed: asyncio.Event) -> None:
        shortest, longest = _RECONNECT_SECONDS
        wait = shortest
        while True:
            try:
                await self._receive(subscribed)
            except (redis.RedisError, OSError, msgspec.MsgspecError) as error:
                logger.warning("inbox.subscription_lost", extra={"error": type(error).__name__})
            self._missed = True
            wait = shortest if subscribed.is_set() else min(wait * 2, longest)
            subscribed.clear()
            await asyncio.sleep(wait * random.uniform(0.5, 1))

    async def _receive(self, subscribed: asyncio.Event) -> None:
        """Deliver what Redis brings, until the subscription fails."""
        client = redis.asyncio.from_url(
            settings.REDIS_URL, socket_connect_timeout=1, socket_keepalive=True, client_name=channel()
        )
        async with client, client.pubsub() as subscription:
            await subscription.subscribe(channel())
            asked = False
            while True:
                message = await subscription.get_message(timeout=_QUIET_SECONDS)
                if message is None and asked:
                    raise redis.ConnectionError("No answer to a ping.")
                asked = message is None
                if message is None:
                    await subscription.ping()
                elif message["type"] == "subscribe":
                    subscribed.set()
                    if self._missed:
                        self._missed = False
                        await self.deliver([(user_pk, RESYNC) for user_pk in tuple(self._outlets)])
                elif message["type"] == "message":
                    await self.deliver(_frames_decoder.decode(message["data"]))
                    await asyncio.sleep(0)  # neither reading nor sending gives way while there is more


def channel() -> str:
    """Return the Redis channel of this installation. Redis's database numbers do not part channels, so its key must."""
    return f"carillon:inbox:{salted_hmac('carillon.inbox.hub', '').hexdigest()[:16]}"


@lru_cache(maxsize=2)
def _publisher(url: str) -> redis.Redis:
    # redis-py's pool notices a fork by itself. No retries: the sum must stay below half a second.
    return redis.Redis.from_url(
        url, socket_connect_timeout=_PUBLISH_SECONDS, socket_timeout=_PUBLISH_SECONDS, retry=Retry(NoBackoff(), 0)
    )


_hub = Hub()
bind, join, leave, publish = _hub.bind, _hub.join, _hub.leave, _hub.publish
