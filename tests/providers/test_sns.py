"""Amazon SNS: publishing texts, and what its topics report, in the shapes of AWS's public documentation."""

import asyncio
import json
from datetime import UTC, datetime
from uuid import UUID

import pytest

from notifications.providers import options
from notifications.providers.base import Message, Outcome
from notifications.providers.callbacks import Receipt
from notifications.providers.sns import SNS
from notifications.providers.sns_reports import read
from tests.providers.http_server import Says, Service

STORED = {"region": "eu-west-1", "access_key_id": "AKIDEXAMPLE", "secret_access_key": "s3cr3t"}
DELIVERY = UUID("019a9c5e-6f0e-7b1c-8c55-0f6b1f1f2a10")
TAKEN = Says(
    200,
    b'<PublishResponse xmlns="https://sns.amazonaws.com/doc/2010-03-31/"><PublishResult>'
    b"<MessageId>94f20ce6-13c5-43a0-9a9e-ca52d816e90b</MessageId></PublishResult><ResponseMetadata>"
    b"<RequestId>f187a3c1-376f-11df-8963-01868b7c937a</RequestId></ResponseMetadata></PublishResponse>",
)


def refused(status, code, message="Invalid parameter: PhoneNumber Reason: +493012345678 is not valid"):
    text = f"<ErrorResponse><Error><Type>Sender</Type><Code>{code}</Code><Message>{message}</Message></Error>"
    return Says(status, f"{text}<RequestId>9dd01905</RequestId></ErrorResponse>".encode())


def ask(*says, to="+493012345678", text="Your order & more.", **more):
    async def run():
        async with Service(*says) as service:
            provider = SNS(options.resolve(SNS.Options, STORED | {"base_url": service.url} | more), timeout=5)
            (outcome,) = await provider.send_many([Message(DELIVERY, "sms", to, {"text": text})])
            await provider.close()
            return outcome, service.asked

    return asyncio.run(run())


def test_a_text_is_published_under_a_signature():
    outcome, [asked] = ask(TAKEN, sender_id="Shop")

    assert outcome == Outcome.accepted("94f20ce6-13c5-43a0-9a9e-ca52d816e90b")
    assert (asked.method, asked.path) == ("POST", "/")
    assert asked.form == {
        "Action": "Publish",
        "Version": "2010-03-31",
        "PhoneNumber": "+493012345678",
        "Message": "Your order & more.",
        "MessageAttributes.entry.1.Name": "AWS.SNS.SMS.SMSType",
        "MessageAttributes.entry.1.Value.DataType": "String",
        "MessageAttributes.entry.1.Value.StringValue": "Transactional",
        "MessageAttributes.entry.2.Name": "AWS.SNS.SMS.SenderID",
        "MessageAttributes.entry.2.Value.DataType": "String",
        "MessageAttributes.entry.2.Value.StringValue": "Shop",
    }
    assert asked.headers["authorization"].startswith("AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/")
    assert "/eu-west-1/sns/aws4_request, SignedHeaders=content-type;host;x-amz-date," in asked.headers["authorization"]


def test_a_number_sends_as_a_number():
    _, [asked] = ask(TAKEN, sender_id="DE=Shop, *=+12025550123", to="+12125550100")

    assert asked.form["MessageAttributes.entry.2.Name"] == "AWS.MM.SMS.OriginationNumber"
    assert asked.form["MessageAttributes.entry.2.Value.StringValue"] == "+12025550123"


@pytest.mark.parametrize(
    ("says", "kind", "dead"),
    [
        (refused(400, "InvalidParameter"), "recipient", ""),
        (refused(400, "OptedOut"), "recipient", "stop"),
        (refused(400, "Throttling"), "throttled", ""),
        (refused(429, "ThrottledException"), "throttled", ""),
        (refused(403, "SignatureDoesNotMatch"), "account", ""),
        (refused(403, "InvalidClientTokenId"), "account", ""),
        (refused(403, "AuthorizationError"), "account", ""),
        (refused(400, "MissingAuthenticationToken"), "account", ""),
        (refused(500, "InternalError"), "transient", ""),
        (Says(503, b"Service Unavailable"), "transient", ""),
        (Says(then="reset"), "unknown", ""),
    ],
)
def test_each_error_has_its_reaction_and_names_nobody(says, kind, dead):
    outcome, _ = ask(says)

    assert (outcome.kind, outcome.dead_address) == (kind, dead)
    assert "+49" not in outcome.error and "s3cr3t" not in outcome.error


def test_no_number_no_call():
    assert ask(TAKEN, to="12345")[1] == []


@pytest.mark.parametrize(("field", "value"), [("region", "evil.example.com/"), ("sender_id", "Germany=Shop")])
def test_options_that_cannot_be_meant_are_refused_when_they_are_set(field, value):
    assert [fault.pointer for fault in options.faults(SNS.Options, STORED | {field: value})] == [f"/options/{field}"]


def event(name, **more):
    """An event of AWS End User Messaging SMS."""
    said = {
        "eventType": name,
        "eventVersion": "1.0",
        "eventTimestamp": 1795284309000,
        "isFinal": True,
        "originationPhoneNumber": "+12065550152",
        "destinationPhoneNumber": "+493012345678",
        "isoCountryCode": "DE",
        "messageId": "862a8790-60c0-4430-9b2b-658bdexample",
        "messageType": "TRANSACTIONAL",
        "messageStatus": "DELIVERED",
    }
    return json.dumps(said | more)


@pytest.mark.parametrize(
    ("name", "kind", "permanent"),
    [
        ("TEXT_SENT", "sent", False),
        ("TEXT_DELIVERED", "delivered", False),
        ("TEXT_UNREACHABLE", "bounced", False),
        ("TEXT_INVALID", "bounced", True),
        ("TEXT_SPAM", "failed", False),
    ],
)
def test_an_event_of_a_text_is_a_receipt(name, kind, permanent):
    [receipt] = read(event(name), message_id="sns-1")

    assert (receipt.event_id, receipt.kind, receipt.permanent) == ("sns-1", kind, permanent)
    assert receipt.provider_message_id == "862a8790-60c0-4430-9b2b-658bdexample"
    assert receipt.at == datetime(2026, 11, 21, 18, 5, 9, tzinfo=UTC)


@pytest.mark.parametrize(
    ("status", "answer", "kind", "permanent"),
    [
        ("SUCCESS", "Message has been accepted by phone carrier", "delivered", False),
        ("FAILURE", "Unknown error attempting to reach phone", "failed", False),
        ("FAILURE", "Phone number is opted out", "failed", False),
        ("FAILURE", "Unknown phone number", "bounced", True),
    ],
)
def test_a_line_of_the_delivery_log_is_a_receipt(status, answer, kind, permanent):
    said = {
        "notification": {"messageId": "34d9b400-c6dd-5444-820d-fbeb0f1f54cf", "timestamp": "2026-11-21 18:05:09.123"},
        "delivery": {"phoneCarrier": "X", "destination": "+493012345678", "providerResponse": answer},
        "status": status,
    }

    [receipt] = read(json.dumps(said), message_id="sns-1")

    assert (receipt.kind, receipt.permanent) == (kind, permanent)
    assert receipt.provider_message_id == "34d9b400-c6dd-5444-820d-fbeb0f1f54cf"
    assert receipt.at == datetime(2026, 11, 21, 18, 5, 9, 123000, tzinfo=UTC)


def test_a_person_may_stop():
    said = {
        "originationNumber": "+493012345678",
        "destinationNumber": "+12125550101",
        "messageKeyword": "KEYWORD_1",
        "messageBody": "Stop.",
        "inboundMessageId": "cae173d2-66b9-564c-8309-21f858e9fb84",
        "previousPublishedMessageId": "wJalrXUtnFEMI",
    }

    assert read(json.dumps(said), message_id="sns-1") == [Receipt("sns-1", "stop", address="+493012345678")]


@pytest.mark.parametrize(
    "text", ["", "Hello.", "[]", "{}", '{"eventType": "TEXT_QUEUED"}', '{"messageBody": "STOP"}', "[" * 9999]
)
def test_what_else_a_topic_says_is_left_alone(text):  # fmt: skip
    assert read(text, message_id="sns-1") == []
