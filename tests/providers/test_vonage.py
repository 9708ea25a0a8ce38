"""Vonage's SMS API: its requests, statuses and reports, in the shapes of its public documentation."""

import asyncio
import hashlib
import hmac
import json
import time
from datetime import UTC, datetime
from urllib.parse import urlencode
from uuid import UUID

import jwt
import pytest

from notifications.providers import options
from notifications.providers.base import Message, Outcome
from notifications.providers.callbacks import Callback, NotGenuine, Receipt
from notifications.providers.vonage import Vonage
from tests.providers.http_server import Says, Service

SECRET = "my-signature-secret-that-is-long-enough-for-everyone"
STORED = {"api_key": "abcd1234", "api_secret": "S3cr3t", "signature_secret": SECRET, "from": "DE=Shop, *=+447700900001"}
URL = "https://carillon.example.com/receipts/vonage/sms/"
DELIVERY = UUID("019a9c5e-6f0e-7b1c-8c55-0f6b1f1f2a10")
DELIVERED = {
    "msisdn": "447700900000",
    "to": "447700900001",
    "network-code": "12345",
    "messageId": "aaaaaaaa-bbbb-4ccc-8ddd-0123456789ab",
    "price": "0.03330000",
    "status": "delivered",
    "scts": "2001011400",
    "err-code": "0",
    "api-key": "abcd1234",
    "message-timestamp": "2026-11-21 18:05:09",
    "client-ref": str(DELIVERY),
}
INCOMING = {
    "msisdn": "447700900000",
    "to": "447700900001",
    "messageId": "aaaaaaaa-bbbb-4ccc-8ddd-0123456789ab",
    "text": "STOP",
    "type": "text",
    "keyword": "STOP",
    "api-key": "abcd1234",
    "message-timestamp": "2026-11-21 18:05:09 +0000",
}


def said(*statuses):
    parts = [
        {"to": "493012345678", "message-id": f"m-{n}", "status": status, "error-text": "of +493012345678"}
        for n, status in enumerate(statuses)
    ]
    return Says(200, {"message-count": str(len(parts)), "messages": parts})


def ask(*says, to="+493012345678", text="Your order & more.", callback_url=URL):
    async def run():
        async with Service(*says) as service:
            provider = Vonage(options.resolve(Vonage.Options, STORED | {"base_url": service.url}), timeout=5)
            provider.callback_url = callback_url
            (outcome,) = await provider.send_many([Message(DELIVERY, "sms", to, {"text": text})])
            await provider.close()
            return outcome, service.asked

    return asyncio.run(run())


def test_a_text_is_posted_with_our_id_as_its_reference():
    outcome, [asked] = ask(said("0"))

    assert outcome == Outcome.accepted("m-0")
    assert (asked.method, asked.path) == ("POST", "/sms/json")
    assert asked.form == {
        "api_key": "abcd1234",
        "api_secret": "S3cr3t",
        "from": "Shop",
        "to": "493012345678",
        "text": "Your order & more.",
        "type": "text",
        "client-ref": str(DELIVERY),
        "callback": URL,
    }


def test_what_is_not_of_the_gsm_alphabet_goes_as_unicode():
    _, [asked] = ask(said("0"), text="Здравствуйте", to="+447400123456")

    assert (asked.form["type"], asked.form["from"]) == ("unicode", "447700900001")


@pytest.mark.parametrize(
    ("statuses", "kind", "dead"),
    [
        (["0", "0", "0"], "accepted", ""),
        (["1"], "throttled", ""),
        (["2"], "recipient", ""),
        (["3"], "recipient", ""),
        (["4"], "account", ""),
        (["5"], "transient", ""),
        (["6"], "recipient", ""),
        (["7"], "recipient", ""),
        (["8"], "account", ""),
        (["9"], "account", ""),
        (["15"], "account", ""),
        (["29"], "recipient", ""),
        (["33"], "recipient", "deactivated"),
        (["0", "5"], "accepted", ""),
    ],
)
def test_each_status_has_its_reaction_and_names_nobody(statuses, kind, dead):
    outcome, _ = ask(said(*statuses))

    assert (outcome.kind, outcome.dead_address) == (kind, dead)
    assert "+49" not in outcome.error and "S3cr3t" not in outcome.error


@pytest.mark.parametrize(
    ("says", "kind"),
    [
        (Says(200, b"<html>"), "unknown"),
        (Says(200, {"messages": []}), "unknown"),
        (Says(429), "throttled"),
        (Says(401), "account"),
        (Says(503), "transient"),
        (Says(then="reset"), "unknown"),
    ],
)
def test_an_answer_that_is_none_has_its_reaction_too(says, kind):
    assert ask(says)[0].kind == kind


def test_no_number_no_call():
    outcome, asked = ask(said("0"), to="493012345678")

    assert (outcome.kind, asked) == ("recipient", [])


def provider(**more):
    return Vonage(options.resolve(Vonage.Options, STORED | more), timeout=5)


def signature(parameters, secret=SECRET, digest=hashlib.sha256):
    """As "Signing messages" has it: sorted, each with its &, harmful characters replaced."""
    text = "".join(f"&{k}={v.replace('&', '_').replace('=', '_')}" for k, v in sorted(parameters.items()))
    return hmac.new(secret.encode(), text.encode(), digest).hexdigest()


def form(parameters, *, secret=SECRET, digest=hashlib.sha256, age=0):
    parameters = parameters | {"timestamp": str(int(time.time()) - age), "nonce": "7e5b"}
    body = urlencode(parameters | {"sig": signature(parameters, secret, digest)}).encode()
    return Callback(URL, {"content-type": "application/x-www-form-urlencoded"}, body)


def token(body, *, secret=SECRET, age=0, **claims):
    stated = {"iat": int(time.time()) - age, "iss": "Vonage", "api_key": "abcd1234", "jti": "x"}
    stated |= {"payload_hash": hashlib.sha256(body).hexdigest()} | claims
    headers = {
        "content-type": "application/json",
        "authorization": f"Bearer {jwt.encode(stated, secret, algorithm='HS256')}",
    }
    return Callback(URL, headers, body)


def verify(callback, **more):
    asyncio.run(provider(**more).verify(callback))


BODY = json.dumps(DELIVERED).encode()
PLAIN_MD5 = hashlib.md5(b"&messageId=1" + SECRET.encode()).hexdigest().encode()


@pytest.mark.parametrize("digest", [hashlib.md5, hashlib.sha1, hashlib.sha256, hashlib.sha512])
def test_a_form_with_its_hmac_is_genuine(digest):
    verify(form(INCOMING | {"text": "a=b&c=d ü"}, digest=digest))


def test_json_with_its_hmac_is_genuine():
    parameters = DELIVERED | {"timestamp": str(int(time.time()))}
    body = json.dumps(parameters | {"sig": signature(parameters).upper()}).encode()

    verify(Callback(URL, {"content-type": "application/json"}, body))


def test_a_request_with_its_token_is_genuine():
    verify(token(BODY))


@pytest.mark.parametrize(
    "callback",
    [
        form(DELIVERED, secret="another"),
        form(DELIVERED, age=301),
        form(DELIVERED, age=-7200),
        Callback(URL, form(DELIVERED).headers, form(DELIVERED).body.replace(b"delivered", b"failed")),
        Callback(URL, form(DELIVERED).headers, b"messageId=1&sig=1234"),
        Callback(URL, form(DELIVERED).headers, b"messageId=1&sig=" + PLAIN_MD5),
        token(BODY, secret="another-secret-of-sufficient-length-for-hs256"),
        token(BODY, age=301),
        token(BODY, api_key="other"),
        token(BODY, payload_hash="0" * 64),
        Callback(URL, token(BODY).headers, BODY.replace(b"delivered", b"failed")),
        Callback(URL, {"authorization": "Bearer a.b.c"}, BODY),
    ],
)  # fmt: skip
def test_what_was_forged_changed_or_recorded_is_not_genuine(callback):
    with pytest.raises(NotGenuine) as refusal:
        verify(callback)
    assert not refusal.value.unsigned


def test_an_unsigned_token_is_not_genuine():
    claims = {"iat": int(time.time()), "payload_hash": hashlib.sha256(BODY).hexdigest()}
    headers = {"authorization": f"Bearer {jwt.encode(claims, None, algorithm='none')}x"}

    with pytest.raises(NotGenuine):
        verify(Callback(URL, headers, BODY))


def test_without_a_signature_or_a_secret_nothing_is_genuine():
    with pytest.raises(NotGenuine) as refusal:
        verify(Callback(URL, {"content-type": "application/json"}, BODY))
    assert refusal.value.unsigned
    with pytest.raises(NotGenuine):
        verify(form(DELIVERED, secret=""), signature_secret="")


def read(parameters):
    return provider().read_receipts(form(parameters))


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        ("accepted", "sent"),
        ("buffered", "deferred"),
        ("delivered", "delivered"),
        ("expired", "bounced"),
        ("failed", "failed"),
        ("rejected", "failed"),
    ],
)
def test_a_delivery_receipt_is_about_the_delivery_in_its_reference(status, kind):
    [receipt] = read(DELIVERED | {"status": status})

    assert (receipt.event_id, receipt.kind) == (f"{DELIVERED['messageId']}:{status}", kind)
    assert (receipt.delivery_id, receipt.provider_message_id) == (DELIVERY, DELIVERED["messageId"])
    assert receipt.at == datetime(2026, 11, 21, 18, 5, 9, tzinfo=UTC)


@pytest.mark.parametrize(("code", "kind"), [("3", "bounced"), ("9", "bounced"), ("1", "failed"), ("6", "failed")])
def test_only_a_number_that_is_gone_is_never_tried_again(code, kind):
    [receipt] = read(DELIVERED | {"status": "failed", "err-code": code})

    assert (receipt.kind, receipt.permanent, receipt.address) == (kind, kind == "bounced", "+447700900000")


def test_a_person_may_stop():
    assert read(INCOMING) == [
        Receipt(
            f"{INCOMING['messageId']}:received",
            "stop",
            datetime(2026, 11, 21, 18, 5, 9, tzinfo=UTC),
            address="+447700900000",
        )
    ]
    assert read(INCOMING | {"text": "Where is it?"}) == []


def test_what_has_no_id_makes_no_sense_and_what_is_unknown_is_no_news():
    with pytest.raises(ValueError):
        read({"status": "delivered"})
    assert read(DELIVERED | {"status": "unknown"}) == []
