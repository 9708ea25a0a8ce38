"""What every provider promises, whatever service it talks to."""

import asyncio
import dataclasses
import json

import pytest

from notifications import accounts
from notifications.providers import options
from notifications.providers.base import Message, Outcome
from notifications.providers.http import HTTPProvider
from preferences.channels import CHANNELS
from project.foundation.ids import new_id
from tests.providers.http2_server import Http2Service
from tests.providers.http_server import Says, Service
from tests.providers.push_keys import apple_key, service_account
from tests.providers.smtp_server import Server

FROM = "+4930999999"
# How to set each provider up, with its service played by a stand-in on this machine at `port`.
SETTINGS = {
    "anymail": lambda port: {"esp": "postmark", "settings": {"server_token": "t"}, "base_url": f"{url(port)}/"},
    "apns": lambda port: {
        "key": apple_key(),
        "key_id": "ABC123DEFG",
        "team_id": "T",
        "topic": "org.shop",
        "base_url": url(port),
    },
    "fcm": lambda port: {"service_account": service_account(f"{url(port)}/token"), "base_url": url(port)},
    "apprise": lambda port: {"base_url": url(port)},
    "outbox": lambda port: {},
    "smtp": lambda port: {"host": "127.0.0.1", "port": port, "security": "none", "from": "shop@example.com"},
    "sns": lambda port: {"region": "eu-west-1", "access_key_id": "k", "secret_access_key": "s", "base_url": url(port)},
    "twilio": lambda port: {"account_sid": "AC0", "auth_token": "t", "from": FROM, "base_url": url(port)},
    "twilio_voice": lambda port: {"account_sid": "AC0", "auth_token": "t", "from": FROM, "base_url": url(port)},
    "vonage": lambda port: {"api_key": "k", "api_secret": "s", "from": FROM, "base_url": url(port)},
    "web_push": lambda port: {
        "vapid_private_key": "yfWPiYE-n46HLnH0KqZOF1fJJU3MYrct3AELtAQ-oRw",  # of RFC 8291's example
        "subject": "mailto:push@example.com",
        "base_url": url(port),
    },
    "webhook": lambda port: {"base_url": url(port)},
}
# What the service says to a request, where it speaks HTTP; 200 and nothing else unless said here.
SAYS = {
    "anymail": lambda asked: Says(200, postmark(asked.json)),
    "apns": lambda asked: Says(200, headers={"apns-id": asked.headers["apns-id"]}),
    "fcm": lambda asked: Says(200, {"access_token": "t"} if asked.path == "/token" else {"name": new_id().hex}),
    "sns": lambda asked: Says(200, f"<PublishResult><MessageId>{new_id()}</MessageId></PublishResult>".encode()),
    "vonage": lambda asked: Says(200, {"messages": [{"status": "0", "message-id": new_id().hex}]}),
    "twilio": lambda asked: Says(201, {"sid": f"SM{new_id().hex}", "status": "queued"}),
    "twilio_voice": lambda asked: Says(201, {"sid": f"CA{new_id().hex}", "status": "queued"}),
}


def postmark(asked):
    """Return what Postmark says to a mail, or to many in one call."""
    if isinstance(asked, list):
        return [postmark(each) for each in asked]
    return {"ErrorCode": 0, "Message": "OK", "MessageID": new_id().hex, "To": asked["To"]}


# An address of each channel that a provider's first channel may be.
ADDRESSES = {
    "chat": "discord://4174216298/JHMHI8qBe7bk2ZwO5U711o3dV_js",
    "email": "ada@example.com",
    "sms": "+493012345678",
    "voice": "+493012345678",
    "web_push": json.dumps(
        {
            "endpoint": "https://push.example.net/push/JzLQ3raZJfFBR0aqvOMsLrt54w4rJUsV",
            "keys": {
                "p256dh": "BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4",
                "auth": "BTBZMqHH6r4Tts7J_aSIgg",
            },
        }
    ),
    "webhook": "https://hooks.example.com/in",
}

providers = pytest.mark.parametrize("key", sorted(accounts.provider_classes()))


def messages(channel: str, count: int) -> list[Message]:
    parts = dict.fromkeys(CHANNELS[channel].parts, "Hello.")
    to = ADDRESSES.get(channel, "somewhere")
    return [Message(delivery_id=new_id(), channel=channel, to=to, parts=parts) for _ in range(count)]


def url(port: int) -> str:
    return f"http://127.0.0.1:{port}"


def service(key: str, *, hangs: bool):
    """Return a stand-in of the provider's service, which takes everything or never answers."""

    async def hang(session, command):
        return True

    if key == "apns":
        return Http2Service(Says(then="hang") if hangs else SAYS[key])
    if issubclass(accounts.provider_class(key), HTTPProvider):
        return Service(Says(then="hang") if hangs else SAYS.get(key, Says()))
    return Server(hook=hang if hangs else None)


def send(key: str, count: int, *, timeout: float = 5, hangs: bool = False) -> list[Outcome]:
    async def run():
        async with service(key, hangs=hangs) as server:
            cls = accounts.provider_class(key)
            provider = cls(options.resolve(cls.Options, SETTINGS[key](server.port)), timeout=timeout)
            outcomes = await provider.send_many(messages(cls.channels[0], count))
            await provider.close()
            await provider.close()
            return outcomes

    return asyncio.run(run())


@providers
def test_it_names_itself_and_channels_that_exist(key):
    cls = accounts.provider_class(key)

    assert cls.key == key
    assert cls.channels
    assert set(cls.channels) <= CHANNELS.keys()


@providers
def test_its_options_are_a_frozen_schema_that_hides_credentials(key):
    schema = accounts.provider_class(key).Options
    described = options.describe(schema)

    assert schema.__dataclass_params__.frozen
    assert {field.name.rstrip("_") for field in dataclasses.fields(schema)} == described.keys()
    secrets = {name for name in described if any(word in name for word in ("password", "secret", "token", "key"))}
    assert {name for name, option in described.items() if option.secret} >= secrets


@providers
def test_an_unknown_option_is_refused(key):
    faults = options.faults(accounts.provider_class(key).Options, SETTINGS[key](25) | {"nonsense": 1})

    assert [(fault.pointer, fault.code) for fault in faults] == [("/options/nonsense", "unknown_field")]


@providers
@pytest.mark.parametrize("count", [0, 1, 7])
def test_there_is_one_outcome_per_message_in_order(key, count):
    outcomes = send(key, count)

    assert [outcome.kind for outcome in outcomes] == ["accepted"] * count
    identified = [outcome.provider_message_id for outcome in outcomes]
    assert len(set(identified)) == count
    assert all(len(each) <= 255 for each in identified)


@providers
def test_it_keeps_to_its_time_when_the_service_hangs(key):
    outcomes = send(key, 3, timeout=0.3, hangs=True)

    assert {outcome.kind for outcome in outcomes} <= {"accepted", "transient", "unknown"}
    assert len(outcomes) == 3
