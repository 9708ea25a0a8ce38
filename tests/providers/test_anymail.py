"""Mail through e-mail services, each in the shape of its public documentation."""

import asyncio
import base64
import json
from uuid import UUID

import pytest

from notifications.providers import options
from notifications.providers.anymail import SERVICES, Anymail
from notifications.providers.base import File, Message
from tests.providers.http_server import Says, Service

DELIVERY = UUID("019a9c5e-6f0e-7b1c-8c55-0f6b1f1f2a10")
SENDGRID = Says(202, headers={"X-Message-Id": "14c5d75ce93.dfd.64b469"})
POSTMARK = Says(200, {"ErrorCode": 0, "Message": "OK", "MessageID": "b7bc2f4a", "To": "ada@example.com"})
MAILGUN = Says(200, {"id": "<20261121.1@mg.example.com>", "message": "Queued. Thank you."})
SETTINGS = {
    "sendgrid": {"api_key": "SG.k3y"},
    "postmark": {"POSTMARK_SERVER_TOKEN": "t0k3n"},
    "mailgun": {"api_key": "k3y", "sender_domain": "mg.example.com"},
}

pytestmark = pytest.mark.filterwarnings("ignore:django-anymail has dropped official support for SendGrid")


def send(esp, *says, settings=None, count=1, timeout=5.0, files=(), **parts):
    async def run():
        async with Service(*says) as service:
            stored = {"esp": esp, "settings": settings or SETTINGS[esp], "from": "Shop <hello@example.com>"}
            provider = Anymail(
                options.resolve(Anymail.Options, stored | {"base_url": f"{service.url}/"}), timeout=timeout
            )
            message = Message(
                DELIVERY,
                "email",
                "ada@example.com",
                {"subject": "Hello", "text": "It works.", "html": "<p>It works.</p>"} | parts,
                headers={"List-Unsubscribe": "<https://example.com/u/x/>"},
                files=files,
            )
            outcomes = await provider.send_many([message] * count)
            await provider.close()
            return outcomes, service.asked

    return asyncio.run(run())


def test_sendgrid_gets_the_mail_with_its_headers_and_our_id():
    (outcome,), (asked,) = send("sendgrid", SENDGRID)

    assert outcome.kind == "accepted"
    assert outcome.provider_message_id == asked.json["personalizations"][0]["custom_args"]["anymail_id"]
    assert (asked.path, asked.headers["authorization"]) == ("/mail/send", "Bearer SG.k3y")
    said = asked.json
    assert said["from"] == {"email": "hello@example.com", "name": "Shop"}
    assert said["personalizations"][0]["to"] == [{"email": "ada@example.com"}]
    assert said["subject"] == "Hello"
    assert [part["type"] for part in said["content"]] == ["text/plain", "text/html"]
    headers = said["personalizations"][0].get("headers") or said["headers"]
    assert headers["List-Unsubscribe"] == "<https://example.com/u/x/>"
    assert str(DELIVERY) in headers["Message-ID"]
    assert said["custom_args"]["delivery_id"] == str(DELIVERY)


@pytest.mark.parametrize("name", ["invoice.pdf", "Rechnung März.pdf"])
def test_files_go_along_byte_for_byte(name):
    file = File(name, "application/pdf", bytes(range(256)) * 9)
    text = File("list.csv", "text/csv", b"a;\xc3\xa4\r\nb\n")
    latin = File("old.csv", "text/csv", b"a;\xe4\r\n")

    (outcome,), (asked,) = send("sendgrid", SENDGRID, files=(file, text, latin))

    assert outcome.kind == "accepted"
    found = [
        (each["filename"], each["type"].partition(";")[0], base64.b64decode(each["content"]))
        for each in asked.json["attachments"]
    ]
    assert found == [
        (name, "application/pdf", file.content),
        ("list.csv", "text/csv", text.content),
        ("old.csv", "application/octet-stream", latin.content),
    ]
    (outcome,), (asked,) = send("postmark", POSTMARK, files=(file,))
    (said,) = asked.json["Attachments"]
    assert (said["Name"], base64.b64decode(said["Content"])) == (name, file.content)


def test_postmark_gets_the_mail_and_settings_may_bear_anymails_full_names():
    (outcome,), (asked,) = send("postmark", POSTMARK)

    assert (outcome.kind, outcome.provider_message_id) == ("accepted", "b7bc2f4a")
    assert asked.headers["x-postmark-server-token"] == "t0k3n"
    assert asked.json["Metadata"] == {"delivery_id": str(DELIVERY)}


@pytest.mark.parametrize("written", [dict, json.dumps])
def test_mailgun_gets_the_mail_and_a_credential_may_stand_in_the_environment(monkeypatch, written):
    monkeypatch.setenv("CARILLON_CREDENTIAL_MAILGUN", "fr0m-env")
    named = {"api_key": "env:CARILLON_CREDENTIAL_MAILGUN", "sender_domain": "mg.example.com"}

    (outcome,), (asked,) = send("mailgun", MAILGUN, settings=written(named))

    assert (outcome.kind, outcome.provider_message_id) == ("accepted", "<20261121.1@mg.example.com>")
    assert asked.path == "/mg.example.com/messages"
    assert base64.b64decode(asked.headers["authorization"].split()[1]) == b"api:fr0m-env"


def test_connections_are_kept():
    outcomes, asked = send("sendgrid", SENDGRID, count=40)

    assert {outcome.kind for outcome in outcomes} == {"accepted"}
    assert len(asked) == 40


@pytest.mark.parametrize(
    ("says", "kind"),
    [
        (Says(400, {"errors": [{"message": "ada@example.com is bad", "field": "to"}]}), "recipient"),
        (Says(401, {"errors": [{"message": "The provided authorization grant is invalid"}]}), "account"),
        (Says(403, {"errors": [{"message": "The from address does not match"}]}), "account"),
        (Says(413, b""), "recipient"),
        (Says(429, b"", headers={"Retry-After": "7"}), "throttled"),
        (Says(500, b""), "transient"),
        (Says(503, b""), "transient"),
        (Says(504, b""), "unknown"),
        (Says(then="reset"), "unknown"),
    ],
)
def test_each_refusal_has_its_meaning_and_repeats_no_address(says, kind):
    (outcome,), _ = send("sendgrid", says)

    assert outcome.kind == kind
    assert "ada@" not in outcome.error and "SG." not in outcome.error
    assert (outcome.retry_after == 7.0) == (kind == "throttled")


def test_a_recipient_whom_the_service_has_on_its_list_is_refused():
    (outcome,), _ = send(
        "postmark", Says(422, {"ErrorCode": 406, "Message": "You tried to send to an inactive recipient"})
    )

    assert outcome.kind == "recipient"


def test_a_service_that_hangs_leaves_its_mails_unknown_and_the_rest_untried():
    outcomes, _ = send("sendgrid", Says(then="hang"), count=20, timeout=0.7)

    kinds = [outcome.kind for outcome in outcomes]
    assert set(kinds) == {"unknown", "throttled"}
    assert kinds.count("unknown") == Anymail.concurrency


def test_a_service_that_cannot_be_reached_took_nothing():
    stored = {"esp": "sendgrid", "settings": SETTINGS["sendgrid"], "from": "a@b.org", "base_url": "http://127.0.0.1:9/"}
    provider = Anymail(options.resolve(Anymail.Options, stored), timeout=5)

    (outcome,) = asyncio.run(
        provider.send_many([Message(DELIVERY, "email", "ada@example.com", {"subject": "a", "text": "b", "html": ""})])
    )

    assert outcome.kind == "transient"


def test_settings_that_lack_the_credential_are_the_accounts_fault():
    (outcome,), asked = send("sendgrid", SENDGRID, settings={"nothing": "x"})

    assert (outcome.kind, asked) == ("account", [])


@pytest.mark.parametrize("settings", ["", "[]", "x", '{"a b": 1}', {"1": 2}])
def test_settings_are_names_and_values(settings):
    faults = options.faults(Anymail.Options, {"esp": "sendgrid", "settings": settings})

    assert [fault.pointer for fault in faults] == ["/options/settings"]


@pytest.mark.parametrize("written", [dict, json.dumps])
def test_settings_name_no_variable_that_was_not_set_aside(written):
    named = written({"api_key": "env:HOME"})

    (fault,) = options.faults(Anymail.Options, {"esp": "sendgrid", "settings": named})

    assert (fault.pointer, "CARILLON_CREDENTIAL_" in fault.message) == ("/options/settings", True)
    with pytest.raises(options.BadOptions):
        options.resolve(Anymail.Options, {"esp": "sendgrid", "settings": named})


def test_every_service_that_anymail_knows_may_be_named():
    assert {"sendgrid", "mailgun", "postmark", "amazon_ses", "brevo", "resend", "sparkpost"} <= set(SERVICES)
    faults = options.faults(Anymail.Options, {"esp": "pigeon", "settings": {}})
    assert [fault.code for fault in faults] == ["invalid_value"]
