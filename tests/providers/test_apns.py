"""APNs over HTTP/2: its requests, tokens and answers, in the shapes of Apple's documentation."""

import asyncio
import time
from datetime import UTC, datetime, timedelta
from uuid import UUID

import jwt
import pytest

from notifications.providers import options
from notifications.providers.apns import APNs
from notifications.providers.base import About, Message
from tests.providers.http2_server import Http2Service
from tests.providers.http_server import Says
from tests.providers.push_keys import apple_key

DELIVERY = UUID("019a9c5e-6f0e-7b1c-8c55-0f6b1f1f2a10")
DEVICE = "00fc13adff785122b4ad28809a3420982341241421348097878e577c991de8f0"


def takes(asked):
    return Says(200, headers={"apns-id": asked.headers["apns-id"]})


def settings(url):
    return {"key": apple_key(), "key_id": "ABC123DEFG", "team_id": "DEF123GHIJ", "topic": "org.shop", "base_url": url}


def send(*says, about=None, body="It is on its way.", count=1, timeout=5):
    about = About(**{"type_key": "ORDER_SHIPPED", "category_key": "orders", "notification_id": "n1"} | (about or {}))

    async def run():
        async with Http2Service(*says) as service:
            provider = APNs(options.resolve(APNs.Options, settings(service.url)), timeout=timeout)
            messages = [Message(DELIVERY, "push", DEVICE, {"title": "Hello", "body": body}, about=about)] * count
            outcomes = await provider.send_many(messages)
            await provider.close()
            return outcomes, service

    return asyncio.run(run())


def test_a_message_is_sent_as_apple_says():
    (outcome,), service = send(takes, about={"priority": "HIGH", "badge": 4})
    (asked,) = service.asked

    assert (outcome.kind, outcome.provider_message_id) == ("accepted", str(DELIVERY))
    assert (asked.method, asked.path) == ("POST", f"/3/device/{DEVICE}")
    wanted = {"apns-topic": "org.shop", "apns-push-type": "alert", "apns-priority": "10", "apns-id": str(DELIVERY)}
    assert wanted.items() <= asked.headers.items()
    assert asked.headers["apns-collapse-id"] == str(DELIVERY), "a repeat takes the first one's place"
    assert asked.json == {
        "aps": {
            "alert": {"title": "Hello", "body": "It is on its way."},
            "sound": "default",
            "badge": 4,
            "thread-id": "orders",
        },
        "notification_id": "n1",
        "type": "ORDER_SHIPPED",
    }


def test_what_is_not_urgent_may_wait_and_ends_when_it_is_worthless():
    _, service = send(takes, about={"expires_at": datetime.now(tz=UTC) + timedelta(minutes=5)})
    headers = service.asked[0].headers

    assert headers["apns-priority"] == "5"
    assert 290 <= int(headers["apns-expiration"]) - time.time() <= 301


def test_the_token_is_signed_by_the_key_and_kept():
    _, service = send(takes, count=20)
    (bearer,) = {asked.headers["authorization"] for asked in service.asked}

    token = bearer.removeprefix("bearer ")
    assert jwt.get_unverified_header(token)["kid"] == "ABC123DEFG"
    assert jwt.decode(token, options={"verify_signature": False})["iss"] == "DEF123GHIJ"


def test_many_go_over_few_connections():
    outcomes, service = send(takes, count=100)

    assert {outcome.kind for outcome in outcomes} == {"accepted"}
    assert service.connections <= 4


@pytest.mark.parametrize(
    ("status", "reason", "kind", "dead"),
    [
        (400, "BadDeviceToken", "recipient", "invalid_token"),
        (400, "DeviceTokenNotForTopic", "recipient", "another_app"),
        (400, "BadTopic", "account", ""),
        (400, "BadMessageId", "recipient", ""),
        (403, "InvalidProviderToken", "account", ""),
        (403, "SomethingNew", "account", ""),
        (413, "PayloadTooLarge", "recipient", ""),
        (429, "TooManyRequests", "transient", ""),
        (429, "TooManyProviderTokenUpdates", "throttled", ""),
        (500, "InternalServerError", "transient", ""),
        (503, "Shutdown", "transient", ""),
    ],
)
def test_each_answer_has_its_meaning(status, reason, kind, dead):
    (outcome,), _ = send(Says(status, {"reason": reason}))

    assert (outcome.kind, outcome.dead_address) == (kind, dead)
    assert DEVICE not in outcome.error


def test_a_token_that_is_gone_is_dead_since_the_time_apple_says():
    (outcome,), _ = send(Says(410, {"reason": "Unregistered", "timestamp": 1_764_000_000_000}))

    assert (outcome.kind, outcome.dead_address) == ("recipient", "unregistered")
    assert outcome.error == "APNs answered 410: Unregistered since 2025-11-24 16:00 UTC"


def test_an_expired_provider_token_is_made_anew_at_once():
    (outcome,), service = send(Says(403, {"reason": "ExpiredProviderToken"}), takes)

    assert outcome.kind == "accepted"
    assert len(service.asked) == 2


def test_an_answer_that_never_comes_leaves_the_message_unknown():
    (outcome,), _ = send(Says(then="hang"), timeout=0.5)

    assert outcome.kind == "unknown"


def test_a_broken_connection_leaves_the_message_unknown():
    (outcome,), _ = send(Says(then="reset"))

    assert outcome.kind == "unknown"


def test_a_service_that_cannot_be_reached_took_nothing():
    provider = APNs(options.resolve(APNs.Options, settings("http://127.0.0.1:9")), timeout=5)

    (outcome,) = asyncio.run(provider.send_many([Message(DELIVERY, "push", DEVICE, {"title": "a", "body": "b"})]))

    assert outcome.kind == "transient"


def test_what_is_no_key_is_refused():
    faults = options.faults(APNs.Options, settings("https://api.push.apple.com") | {"key": "nonsense"})

    assert [fault.pointer for fault in faults] == ["/options/key"]
