"""FCM's HTTP v1 API: its requests, tokens and errors, in the shapes of Firebase's reference."""

import asyncio
import json
from datetime import UTC, datetime, timedelta
from uuid import UUID

import jwt
import pytest

from notifications.providers import options
from notifications.providers.base import About, Message
from notifications.providers.fcm import FCM
from tests.providers.http_server import Says, Service
from tests.providers.push_keys import service_account

DELIVERY = UUID("019a9c5e-6f0e-7b1c-8c55-0f6b1f1f2a10")
TOKEN = Says(200, {"access_token": "ya29.abc", "expires_in": 3599, "token_type": "Bearer"})
SENT = Says(200, {"name": "projects/shop-123/messages/0:1500415314455276%31bd1c9631bd1c96"})
FCM_ERROR = "type.googleapis.com/google.firebase.fcm.v1.FcmError"


def refuses(status, code, **more):
    detail = {"@type": FCM_ERROR, "errorCode": code}
    error = {"code": status, "message": "of the token d3v1ce", "status": "SOME_STATUS", "details": [detail]}
    return Says(status, {"error": error | more}, headers=more.pop("headers", {}))


def send(*says, about=None, body="It is on its way.", count=1):
    """Return the outcomes and the requests; the first of `says` answers for the token."""
    fields = {"priority": "HIGH", "type_key": "ORDER_SHIPPED", "notification_id": "n1", "link": "https://e.org/1"}
    about = About(**fields | (about or {}))

    async def run():
        async with Service(*says) as service:
            stored = {"service_account": service_account(f"{service.url}/token"), "base_url": service.url}
            provider = FCM(options.resolve(FCM.Options, stored), timeout=5)
            messages = [Message(DELIVERY, "push", "d3v1ce", {"title": "Hello", "body": body}, about=about)] * count
            outcomes = await provider.send_many(messages)
            await provider.close()
            return outcomes, service.asked

    return asyncio.run(run())


def test_a_message_is_sent_as_the_reference_says():
    (outcome,), (_, asked) = send(TOKEN, SENT, about={"badge": 3})

    assert (outcome.kind, outcome.provider_message_id) == ("accepted", SENT.body["name"])
    assert (asked.method, asked.path) == ("POST", "/v1/projects/shop-123/messages:send")
    assert asked.headers["authorization"] == "Bearer ya29.abc"
    message = asked.json["message"]
    assert (message["token"], message["notification"]) == ("d3v1ce", {"title": "Hello", "body": "It is on its way."})
    assert message["data"] == {"notification_id": "n1", "type": "ORDER_SHIPPED", "link": "https://e.org/1"}
    assert message["android"]["priority"] == "HIGH"
    assert message["android"]["notification"]["tag"] == str(DELIVERY), "a repeat takes the first one's place"
    assert message["apns"]["payload"]["aps"]["badge"] == 3


def test_a_message_lives_as_long_as_it_is_worth_telling():
    _, (_, asked) = send(TOKEN, SENT, about={"expires_at": datetime.now(tz=UTC) + timedelta(minutes=5)})

    assert 290 <= int(asked.json["message"]["android"]["ttl"].removesuffix("s")) <= 300


def test_the_token_is_asked_for_with_a_signed_assertion_and_kept():
    outcomes, (first, *rest) = send(TOKEN, SENT, count=5)

    assert [outcome.kind for outcome in outcomes] == ["accepted"] * 5
    assert (first.path, first.form["grant_type"]) == ("/token", "urn:ietf:params:oauth:grant-type:jwt-bearer")
    claims = jwt.decode(first.form["assertion"], options={"verify_signature": False})
    assert claims["iss"] == "push@shop-123.iam.gserviceaccount.com"
    assert claims["scope"] == "https://www.googleapis.com/auth/firebase.messaging"
    assert claims["aud"].endswith("/token")
    assert jwt.get_unverified_header(first.form["assertion"])["kid"] == "0123abcd"
    assert [asked.path for asked in rest] == ["/v1/projects/shop-123/messages:send"] * 5


def test_a_token_that_was_taken_back_is_asked_for_anew_once():
    (outcome,), asked = send(TOKEN, refuses(401, "UNAUTHENTICATED"), TOKEN, SENT)

    assert outcome.kind == "accepted"
    assert len(asked) == 4


@pytest.mark.parametrize(
    ("says", "kind", "dead"),
    [
        (refuses(404, "UNREGISTERED"), "recipient", "unregistered"),
        (refuses(403, "SENDER_ID_MISMATCH"), "recipient", "another_project"),
        (refuses(400, "INVALID_ARGUMENT"), "recipient", ""),
        (refuses(401, "THIRD_PARTY_AUTH_ERROR"), "account", ""),
        (refuses(403, "PERMISSION_DENIED"), "account", ""),
        (refuses(500, "INTERNAL"), "transient", ""),
        (refuses(503, "UNAVAILABLE"), "transient", ""),
        (Says(502, b"<html>"), "transient", ""),
    ],
)
def test_each_error_has_its_meaning_and_names_no_token(says, kind, dead):
    (outcome,), _ = send(TOKEN, says)

    assert (outcome.kind, outcome.dead_address) == (kind, dead)
    assert "d3v1ce" not in outcome.error


def test_an_argument_that_is_the_token_means_a_dead_address():
    violation = {"@type": "type.googleapis.com/google.rpc.BadRequest", "fieldViolations": [{"field": "message.token"}]}
    details = [{"@type": FCM_ERROR, "errorCode": "INVALID_ARGUMENT"}, violation]

    (outcome,), _ = send(TOKEN, refuses(400, "INVALID_ARGUMENT", details=details))

    assert (outcome.kind, outcome.dead_address) == ("recipient", "invalid_token")


def test_too_fast_waits_as_long_as_asked():
    error = {"error": {"code": 429, "details": [{"@type": FCM_ERROR, "errorCode": "QUOTA_EXCEEDED"}]}}
    (outcome,), _ = send(TOKEN, Says(429, error, headers={"Retry-After": "30"}))

    assert (outcome.kind, outcome.retry_after) == ("throttled", 30.0)


@pytest.mark.parametrize(("status", "kind"), [(400, "account"), (401, "account"), (503, "transient")])
def test_no_token_means_that_nothing_was_sent(status, kind):
    (outcome,), asked = send(Says(status, {"error": "invalid_grant"}))

    assert outcome.kind == kind
    assert {each.path for each in asked} == {"/token"}


def test_a_long_body_is_cut_to_what_fcm_takes():
    _, (_, asked) = send(TOKEN, SENT, body="ä" * 5000)

    assert len(asked.body) < 4096
    assert asked.json["message"]["notification"]["body"].endswith("…")


@pytest.mark.parametrize("text", ["", "{}", "[]", "not JSON", '{"project_id": "x", "client_email": 1}'])
def test_what_is_no_service_account_is_refused(text):
    faults = options.faults(FCM.Options, {"service_account": text})

    assert [fault.pointer for fault in faults] == ["/options/service_account"]


def test_a_key_that_is_none_is_the_accounts_fault():
    broken = json.loads(service_account("http://127.0.0.1:9/token")) | {"private_key": "-----BEGIN NOTHING-----"}
    provider = FCM(options.resolve(FCM.Options, {"service_account": json.dumps(broken)}), timeout=5)
    message = Message(DELIVERY, "push", "d3v1ce", {"title": "Hello", "body": "x"})

    (outcome,) = asyncio.run(provider.send_many([message]))

    assert outcome.kind == "account"
