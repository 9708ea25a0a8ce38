"""Web push: what a browser can decrypt and nobody else, with proof of who sends."""

import asyncio
import json
import os
from datetime import UTC, datetime, timedelta
from ipaddress import ip_network
from uuid import UUID

import http_ece
import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat
from hypothesis import given
from hypothesis import strategies as st

from notifications.providers import options
from notifications.providers.base import About, Message, Outcome
from notifications.providers.web_push import WebPush, WebPushOptions, content
from notifications.providers.web_push_encryption import (
    MOST_BYTES,
    Subscription,
    Vapid,
    decoded,
    encoded,
    encrypt,
    read_private_key,
)
from tests.providers.http_server import Says, Service

VAPID = ec.generate_private_key(ec.SECP256R1())
VAPID_TEXT = encoded(VAPID.private_numbers().private_value.to_bytes(32, "big"))
SUBJECT = "mailto:push@example.com"


class Browser:
    """What a browser keeps of its subscription."""

    def __init__(self):
        self.key, self.secret = ec.generate_private_key(ec.SECP256R1()), os.urandom(16)
        self.public = self.key.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)

    def address(self, endpoint):
        keys = {"p256dh": encoded(self.public), "auth": encoded(self.secret)}
        return json.dumps({"endpoint": endpoint, "keys": keys})

    def read(self, body):
        return http_ece.decrypt(body, private_key=self.key, auth_secret=self.secret, version="aes128gcm")


@pytest.fixture
def this_machine_allowed(settings):
    settings.EGRESS_ALLOW = [ip_network("127.0.0.0/8")]


def message(to, *, title="Your order is on its way", body="Grüße, 你好", **about):
    return Message(UUID(int=17), "web_push", to, {"title": title, "body": body}, about=About(**about))


def send(*says, browser=None, address="", key=VAPID_TEXT, timeout=2.0, **about):
    async def run():
        async with Service(*says) as service:
            made = options.resolve(WebPushOptions, {"vapid_private_key": key, "subject": SUBJECT})
            provider = WebPush(made, timeout=timeout)
            to = address or (browser or Browser()).address(f"{service.url}/push/abc")
            (outcome,) = await provider.send_many([message(to, **about)])
            await provider.close()
            return outcome, service

    return asyncio.run(run())


def test_the_example_of_rfc_8291_is_encrypted_octet_for_octet():
    """RFC 8291 §5 and appendix A."""
    to = Subscription(
        "https://push.example.net/push/JzLQ3raZJfFBR0aqvOMsLrt54w4rJUsV",
        decoded("BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4"),
        decoded("BTBZMqHH6r4Tts7J_aSIgg"),
    )
    key = read_private_key("yfWPiYE-n46HLnH0KqZOF1fJJU3MYrct3AELtAQ-oRw")

    body = encrypt(b"When I grow up, I want to be a watermelon", to, key=key, salt=decoded("DGv6ra1nlYgDCS1FRnbzlw"))

    assert encoded(body) == (
        "DGv6ra1nlYgDCS1FRnbzlwAAEABBBP4z9KsN6nGRTbVYI_c7VJSPQTBtkgcy27mlmlMoZIIgDll6e3vCYLocInmYWAmS6TlzAC8wEqKK"
        "6PBru3jl7A_yl95bQpu6cVPTpK4Mqgkf1CXztLVBSt2Ks3oZwbuwXPXLWyouBWLVWGNWQexSgSxsj_Qulcy4a-fN"
    )


@given(st.binary(max_size=MOST_BYTES))
def test_a_browser_reads_what_was_sent(text):
    browser = Browser()

    assert browser.read(encrypt(text, Subscription("", browser.public, browser.secret))) == text


def test_no_two_messages_share_a_key():
    browser = Browser()
    to = Subscription("", browser.public, browser.secret)
    one, two = encrypt(b"same", to), encrypt(b"same", to)

    assert one[:16] != two[:16]
    assert one[21:86] != two[21:86]


def test_a_message_that_fits_no_record_is_refused():
    browser = Browser()

    with pytest.raises(ValueError, match="3993"):
        encrypt(b"x" * (MOST_BYTES + 1), Subscription("", browser.public, browser.secret))


def test_the_push_service_gets_what_the_standards_say(this_machine_allowed):
    browser = Browser()

    outcome, service = send(
        Says(201, headers={"Location": "https://push.example/m/1"}),
        browser=browser,
        link="https://example.com/order/17",
        priority="HIGH",
        expires_at=datetime.now(tz=UTC) + timedelta(minutes=5),
    )

    (asked,) = service.asked
    assert outcome == Outcome.accepted("https://push.example/m/1")
    assert json.loads(browser.read(asked.body)) == {
        "id": str(UUID(int=17)),
        "title": "Your order is on its way",
        "body": "Grüße, 你好",
        "link": "https://example.com/order/17",
    }
    assert (asked.method, asked.path) == ("POST", "/push/abc")
    assert asked.headers["content-encoding"] == "aes128gcm"
    assert asked.headers["urgency"] == "high"
    assert asked.headers["topic"] == UUID(int=17).hex
    assert len(asked.headers["topic"]) <= 32
    assert 290 <= int(asked.headers["ttl"]) <= 300


def test_the_sender_is_proven_to_this_push_service_alone(this_machine_allowed):
    _, service = send(Says(201))

    scheme, _, fields = service.asked[0].headers["authorization"].partition(" ")
    token, public = (field.partition("=")[2] for field in fields.split(", "))
    assert scheme == "vapid"
    key = ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), decoded(public))
    assert key == VAPID.public_key()
    claims = jwt.decode(token, key, algorithms=["ES256"], audience=service.url)
    assert claims["sub"] == SUBJECT
    hours = (claims["exp"] - datetime.now(tz=UTC).timestamp()) / 3600
    assert 6 <= hours <= 24


def test_a_token_is_signed_once_for_many_messages():
    vapid = Vapid(VAPID_TEXT, SUBJECT)

    assert vapid.authorization("https://a.example/1") == vapid.authorization("https://a.example/2")
    assert vapid.authorization("https://a.example/1") != vapid.authorization("https://b.example/1")


@pytest.mark.parametrize(
    ("status", "kind", "dead"),
    [
        (200, "accepted", ""),
        (202, "accepted", ""),
        (302, "transient", ""),
        (400, "recipient", ""),
        (401, "recipient", ""),
        (403, "recipient", ""),
        (404, "recipient", "gone"),
        (410, "recipient", "gone"),
        (413, "recipient", ""),
        (429, "transient", ""),
        (500, "transient", ""),
        (503, "transient", ""),
    ],
)
def test_each_status_has_one_meaning(status, kind, dead, this_machine_allowed):
    outcome, _ = send(Says(status))

    assert (outcome.kind, outcome.dead_address) == (kind, dead)


def test_a_wait_is_heard(this_machine_allowed):
    assert send(Says(429, headers={"Retry-After": "60"}))[0].retry_after == 60


@pytest.mark.parametrize(
    "address",
    [
        "",
        "{}",
        "[]",
        '"x"',
        '{"endpoint": "https://push.example/", "keys": {"p256dh": "AAAA", "auth": "AAAA"}}',
        '{"endpoint": "https://push.example/", "keys": {"p256dh": "%%%", "auth": 1}}',
    ],
)
def test_a_subscription_that_is_none_fails_by_itself(address):
    outcome, service = send(Says(201), address=address or "x")

    assert (outcome.kind, outcome.dead_address, service.asked) == ("recipient", "unusable", [])


def test_a_push_service_inside_our_network_is_not_asked(settings):
    outcome, service = send(Says(201))

    assert (outcome.kind, service.asked) == ("recipient", [])


def test_without_a_key_the_account_is_at_fault():
    assert send(Says(201), key="")[0].kind == "account"


@given(st.text(max_size=6000), st.text(max_size=6000), st.text(max_size=5000))
def test_texts_that_are_too_long_are_cut_to_fit(title, body, link):
    said = content(message("", title=title, body=body, link=link))

    assert len(said) <= MOST_BYTES
    assert set(json.loads(said)) == {"id", "title", "body", "link"}


def test_a_long_body_is_cut_and_the_rest_stays():
    said = json.loads(content(message("", body="ä" * 5000, link="https://example.com/")))

    assert said["title"] == "Your order is on its way"
    assert said["link"] == "https://example.com/"
    assert said["body"].endswith("ä…")
    assert len(said["body"]) > 1500


def test_a_key_may_be_pem_or_base64url():
    pem = VAPID.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()

    assert Vapid(pem, SUBJECT).public_key == Vapid(VAPID_TEXT, SUBJECT).public_key


@pytest.mark.parametrize("key", ["x", "AAAA", "A" * 43, "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----"])
def test_a_key_that_is_none_is_refused_when_it_is_set(key):
    faults = options.faults(WebPushOptions, {"vapid_private_key": key, "subject": SUBJECT})

    assert [fault.pointer for fault in faults] == ["/options/vapid_private_key"]


def test_a_key_of_another_curve_is_refused():
    other = ec.generate_private_key(ec.SECP384R1())
    pem = other.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()

    with pytest.raises(ValueError, match="P-256"):
        read_private_key(pem)


@pytest.mark.parametrize("subject", ["", "push@example.com", "http://example.com"])
def test_a_subject_is_an_address_that_push_services_can_use(subject):
    faults = options.faults(WebPushOptions, {"vapid_private_key": VAPID_TEXT, "subject": subject})

    assert [fault.pointer for fault in faults] == ["/options/subject"]
