import asyncio
import json
import threading
import time
from collections.abc import Mapping
from typing import Any
from uuid import uuid4

import pytest
import redis
from pytest_django import Settings

from notifications.inbox import hub as hub_module
from notifications.inbox.hub import FRAMES_A_PUBLISH, Hub, channel
from notifications.inbox.outlet import MOST_WAITING, Outlet

ADA, BOB = 1, 2


class Wire:
    """What a socket was sent. Like a server without `writable`, or one whose reader has stopped."""

    def __init__(self) -> None:
        self.sent: list[Any] = []
        self.reading = asyncio.Event()
        self.reading.set()

    async def send(self, message: Mapping[str, Any]) -> None:
        await self.reading.wait()
        self.sent.append(message.get("code") or json.loads(message["text"]))

    async def wait_for(self, *wanted: Any) -> None:
        deadline = time.monotonic() + 5
        while self.sent != list(wanted) and time.monotonic() < deadline:
            await asyncio.sleep(0.01)
        assert self.sent == list(wanted)


@pytest.fixture
def with_redis(redis_url: str, settings: Settings) -> str:
    """A Redis in which this test is an installation of its own."""
    settings.REDIS_URL, settings.SECRET_KEY = redis_url, uuid4().hex
    return redis_url


def in_a_thread(act: Any, *args: Any) -> None:
    thread = threading.Thread(target=act, args=args)
    thread.start()
    thread.join()


def test_frames_of_any_thread_reach_the_sockets_of_this_process() -> None:
    async def scenario() -> None:
        hub, ada, bob = Hub(), Wire(), Wire()
        await hub.join(ADA, Outlet(ada.send))
        await hub.join(BOB, Outlet(bob.send))

        in_a_thread(hub.publish, [(ADA, "1"), (BOB, "2"), (3, "3"), (ADA, "4")])

        await ada.wait_for(1, 4)
        await bob.wait_for(2)

    asyncio.run(scenario())


def test_a_socket_that_left_hears_no_more() -> None:
    async def scenario() -> None:
        hub, left, stays = Hub(), Wire(), Wire()
        outlet = Outlet(left.send)
        await hub.join(ADA, outlet)
        await hub.join(ADA, Outlet(stays.send))
        hub.leave(ADA, outlet)
        hub.leave(BOB, outlet)

        hub.publish([(ADA, "1")])

        await stays.wait_for(1)
        assert left.sent == []

    asyncio.run(scenario())


def test_publishing_where_nobody_listens_does_nothing() -> None:
    hub = Hub()
    hub.publish([(ADA, "1")])

    loop = asyncio.new_event_loop()
    hub.bind(loop)
    loop.close()
    hub.publish([(ADA, "1")])


def test_a_reader_that_has_stopped_is_closed_and_holds_up_nobody() -> None:
    async def scenario() -> None:
        hub, stuck, quick = Hub(), Wire(), Wire()
        stuck.reading.clear()
        await hub.join(ADA, Outlet(stuck.send))
        await hub.join(ADA, Outlet(quick.send))
        numbers = list(range(MOST_WAITING + 10))
        for number in numbers:
            await hub.deliver([(ADA, str(number))])
            await asyncio.sleep(0)
        await quick.wait_for(*numbers)

        stuck.reading.set()

        await stuck.wait_for(0, 4413)

    asyncio.run(scenario())


def test_what_is_held_goes_nowhere_until_it_is_released() -> None:
    async def scenario() -> None:
        wire = Wire()
        outlet = Outlet(wire.send)
        outlet.hold()
        one, two, three = ('{"seq":1}', '{"seq":2}', '{"seq":3}')
        await outlet.tell(one)
        await outlet.tell(two)
        assert outlet.release(1) == [two]
        await outlet.tell(three)
        await wire.wait_for({"seq": 3})

    asyncio.run(scenario())


def test_a_frame_that_comes_late_repeats_nothing() -> None:
    async def scenario() -> None:
        wire = Wire()
        outlet = Outlet(wire.send)
        outlet.hold()
        outlet.release(1)
        await outlet.tell('{"type":"item.created","item":{"seq":1}}')
        await outlet.tell('{"seq":2}')
        await outlet.tell('{"type":"resync"}')
        await wire.wait_for({"seq": 2}, {"type": "resync"})

    asyncio.run(scenario())


def test_a_socket_that_fails_is_forgotten_quietly() -> None:
    async def gone(message: Mapping[str, Any]) -> None:
        raise OSError("gone")

    async def scenario() -> None:
        hub, stays = Hub(), Wire()
        outlet = Outlet(gone)
        await hub.join(ADA, outlet)
        await hub.join(ADA, Outlet(stays.send))
        for number in range(3):
            await hub.deliver([(ADA, str(number))])
            await asyncio.sleep(0.01)
        await stays.wait_for(0, 1, 2)
        assert outlet.closed

    asyncio.run(scenario())


def test_frames_travel_between_processes_through_redis(with_redis: str) -> None:
    async def scenario() -> None:
        here, there, wire = Hub(), Hub(), Wire()
        await there.join(ADA, Outlet(wire.send))

        here.publish([(ADA, "1"), (BOB, "2")])
        here.publish([(ADA, "3")])

        await wire.wait_for(1, 3)
        await stop(there)

    asyncio.run(scenario())


def test_many_frames_are_few_publishes(with_redis: str) -> None:
    listener: Any = redis.Redis.from_url(with_redis).pubsub()  # type: ignore[no-untyped-call]
    listener.subscribe(channel())
    listener.get_message(timeout=5)

    Hub().publish([(ADA, '"é"')] * (FRAMES_A_PUBLISH + 1))

    batches = [json.loads(listener.get_message(timeout=5)["data"]) for _ in range(2)]
    assert [len(batch) for batch in batches] == [FRAMES_A_PUBLISH, 1]
    assert batches[1] == [[ADA, '"é"']]
    assert listener.get_message(timeout=0.1) is None
    listener.close()


def test_what_others_write_to_the_channel_harms_nothing(with_redis: str) -> None:
    async def scenario() -> None:
        hub, wire = Hub(), Wire()
        await hub.join(ADA, Outlet(wire.send))
        redis.Redis.from_url(with_redis).publish(channel(), b"\xff no JSON")

        await wire.wait_for({"type": "resync"})
        hub.publish([(ADA, "1")])

        await wire.wait_for({"type": "resync"}, 1)
        await stop(hub)

    asyncio.run(scenario())


def test_sockets_are_told_to_ask_again_when_redis_comes_back(with_redis: str) -> None:
    async def scenario() -> None:
        hub, wire = Hub(), Wire()
        await hub.join(ADA, Outlet(wire.send))

        server = redis.Redis.from_url(with_redis)
        for client in server.client_list(_type="pubsub"):
            if client["name"] == channel():
                server.client_kill_filter(_id=client["id"])

        await wire.wait_for({"type": "resync"})
        hub.publish([(ADA, "1")])
        await wire.wait_for({"type": "resync"}, 1)
        await stop(hub)

    asyncio.run(scenario())


def test_two_installations_on_one_redis_do_not_hear_each_other(with_redis: str, settings: Settings) -> None:
    async def scenario() -> None:
        hub, wire = Hub(), Wire()
        await hub.join(ADA, Outlet(wire.send))
        own = settings.SECRET_KEY

        settings.SECRET_KEY = "of another installation"
        Hub().publish([(ADA, "1")])
        settings.SECRET_KEY = own
        Hub().publish([(ADA, "2")])

        await wire.wait_for(2)
        await stop(hub)

    asyncio.run(scenario())


@pytest.mark.parametrize("url", ["redis://127.0.0.1:9/0", "redis://10.255.255.1:6379/0"])
def test_without_redis_publishing_costs_half_a_second_at_most_and_then_nothing(url: str, settings: Settings) -> None:
    settings.REDIS_URL = url
    hub = Hub()

    started = time.monotonic()
    hub.publish([(ADA, "1")] * 1200)
    assert time.monotonic() - started < 0.5

    started = time.monotonic()
    for _ in range(100):
        hub.publish([(ADA, "1")])
    assert time.monotonic() - started < 0.05


def test_without_redis_a_socket_still_opens(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    settings.REDIS_URL = "redis://127.0.0.1:9/0"

    async def scenario() -> None:
        hub = Hub()
        started = time.monotonic()
        await hub.join(ADA, Outlet(Wire().send))
        assert time.monotonic() - started < 2
        await stop(hub)

    asyncio.run(scenario())


async def stop(hub: hub_module.Hub) -> None:
    assert hub._listening is not None
    hub._listening.cancel()
    await asyncio.gather(hub._listening, return_exceptions=True)
