"""Twilio: its requests, errors and reports, in the shapes of its public documentation (Messages, Calls, webhooks)."""

import asyncio
import base64
from collections.abc import Mapping
from urllib.parse import parse_qsl
from uuid import UUID

import pytest

from notifications.providers import options
from notifications.providers.base import About, Message, Outcome
from notifications.providers.twilio import Twilio
from notifications.providers.twilio_voice import TwilioVoice
from tests.providers.http_server import Asked, Says, Service

SID, TOKEN = "AC" + "0" * 32, "12345"
DELIVERY = UUID("019a9c5e-6f0e-7b1c-8c55-0f6b1f1f2a10")
ABOUT_NOTHING = About()
TEXT = {"text": "Your order has shipped & is on its way."}
SENT = Says(201, {"sid": "SM9b5e", "status": "queued", "error_code": None})


def refused(status: int, code: int, **headers: str) -> Says:
    body = {"code": code, "message": "The 'To' number +493012345678 …", "more_info": "https://…", "status": status}
    return Says(status, body, headers)


def ask(
    *says: Says,
    cls: type = Twilio,
    to: str = "+493012345678",
    parts: Mapping[str, str] = TEXT,
    callback_url: str = "https://carillon.example.com/receipts/twilio/sms/",
    about: About = ABOUT_NOTHING,
    **more: object,
) -> tuple[Outcome, list[Asked]]:
    async def run():
        async with Service(*says) as service:
            stored = {"account_sid": SID, "auth_token": TOKEN, "from": "+4930999999", "base_url": service.url} | more
            provider = cls(options.resolve(cls.Options, stored), timeout=5)
            provider.callback_url = callback_url
            (outcome,) = await provider.send_many([Message(DELIVERY, cls.channels[0], to, parts, about=about)])
            await provider.close()
            return outcome, service.asked

    return asyncio.run(run())


def test_a_text_is_posted_as_a_form_with_the_accounts_name_and_token():
    outcome, [asked] = ask(SENT)

    assert outcome == Outcome.accepted("SM9b5e")
    assert (asked.method, asked.path) == ("POST", f"/2010-04-01/Accounts/{SID}/Messages.json")
    assert asked.headers["authorization"] == "Basic " + base64.b64encode(f"{SID}:{TOKEN}".encode()).decode()
    assert asked.headers["content-type"] == "application/x-www-form-urlencoded"
    assert asked.form == {
        "To": "+493012345678",
        "Body": TEXT["text"],
        "From": "+4930999999",
        "StatusCallback": f"https://carillon.example.com/receipts/twilio/sms/?delivery={DELIVERY}#rc=3&rp=ct,rt,5xx",
    }


SENDERS = "DE=Shop, US=+12025550123, *=MG00112233445566778899aabbccddeeff"
AS_AN_OBJECT = {"DE": "Shop", "US": "+12025550123", "*": "MG00112233445566778899aabbccddeeff"}


@pytest.mark.parametrize("senders", [SENDERS, AS_AN_OBJECT])
@pytest.mark.parametrize(
    ("to", "field", "sender"),
    [
        ("+493012345678", "From", "Shop"),
        ("+12125550100", "From", "+12025550123"),
        ("+447400123456", "MessagingServiceSid", "MG00112233445566778899aabbccddeeff"),
    ],
)
def test_each_country_has_its_sender_a_number_a_name_or_a_messaging_service(to, field, sender, senders):
    _, [asked] = ask(SENT, to=to, **{"from": senders})

    assert asked.form[field] == sender
    assert len({"From", "MessagingServiceSid"} & asked.form.keys()) == 1


def test_a_country_without_a_sender_is_refused_without_asking_twilio():
    outcome, asked = ask(SENT, to="+447400123456", **{"from": "DE=Shop"})

    assert (outcome.kind, asked) == ("recipient", [])


@pytest.mark.parametrize(
    "senders", ["", " ", "Germany=Shop", "de=Shop", "DE=", {}, {"de": "Shop"}, {"DE": ""}, {"DE": 1}]
)
def test_senders_that_cannot_be_meant_are_refused_when_they_are_set(senders):
    stored = {"account_sid": SID, "auth_token": TOKEN, "from": senders}

    [fault] = options.faults(Twilio.Options, stored)
    assert fault.pointer.startswith("/options/from")


@pytest.mark.parametrize(
    ("to", "text"),
    [
        ("493012345678", "Hello."),
        ("+49 30 12345678", "Hello."),
        ("+4", "Hello."),
        ("+493012345678", "  "),
        ("+493012345678", "x" * 1601),
        ("+493012345678", "ж" * 700),
    ],
)
def test_what_twilio_could_not_take_is_not_sent_to_it(to, text):
    outcome, asked = ask(SENT, to=to, parts={"text": text})

    assert (outcome.kind, asked) == ("recipient", [])
    assert to not in outcome.error


@pytest.mark.parametrize(
    ("says", "kind", "dead"),
    [
        (refused(400, 21211), "recipient", "not_a_number"),
        (refused(400, 21614), "recipient", "not_a_mobile"),
        (refused(400, 21610), "recipient", "stop"),
        (refused(400, 21408), "recipient", ""),
        (refused(400, 21606), "account", ""),
        (refused(401, 20003), "account", ""),
        (refused(403, 20003), "account", ""),
        (refused(404, 20404), "account", ""),
        (refused(429, 20429), "throttled", ""),
        (refused(400, 21611), "throttled", ""),
        (refused(503, 20503), "transient", ""),
        (Says(502, b"<html>Bad gateway</html>"), "transient", ""),
    ],
)
def test_each_error_has_its_reaction_and_names_nobody(says, kind, dead):
    outcome, _ = ask(says)

    assert (outcome.kind, outcome.dead_address) == (kind, dead)
    assert "+49" not in outcome.error and TOKEN not in outcome.error


def test_a_wait_that_twilio_asks_for_is_heard():
    outcome, _ = ask(refused(429, 20429, **{"Retry-After": "7"}))

    assert (outcome.kind, outcome.retry_after) == ("throttled", 7.0)


def test_an_answer_that_is_lost_leaves_it_unknown():
    outcome, _ = ask(Says(then="reset"))

    assert outcome.kind == "unknown"


@pytest.mark.parametrize("url", ["", "http://127.0.0.1:8000/receipts/twilio/sms/", "http://localhost/receipts/t/s/"])
def test_the_real_twilio_is_not_told_an_address_that_it_cannot_reach(url):
    provider = Twilio(options.resolve(Twilio.Options, {"account_sid": SID, "from": "Shop"}), timeout=5)
    provider.callback_url = url

    assert provider.reports_to(DELIVERY) == ""


def test_a_call_speaks_its_script_escaped_and_reports_when_it_is_over():
    script = 'Code 1 & 2 </Say><Hangup/> "now"\x07'
    called = Says(201, {"sid": "CA42", "status": "queued"})

    outcome, [asked] = ask(called, cls=TwilioVoice, parts={"script": script}, language="de-DE", voice="Polly.Vicki")

    assert outcome == Outcome.accepted("CA42")
    assert asked.path == f"/2010-04-01/Accounts/{SID}/Calls.json"
    assert asked.form["Twiml"] == (
        '<Response><Say language="de-DE" voice="Polly.Vicki">'
        'Code 1 &amp; 2 &lt;/Say&gt;&lt;Hangup/&gt; "now" </Say></Response>'
    )
    events = [value for name, value in parse_qsl(asked.body.decode()) if name == "StatusCallbackEvent"]
    assert events == ["answered", "completed"]


@pytest.mark.parametrize(
    ("locale", "language"),
    [("de", "de-DE"), ("de-AT", "de-DE"), ("en-GB", "en-GB"), ("pt", "pt-BR"), ("", "en-US"), ("sw", "en-US")],
)
def test_a_script_is_spoken_in_the_language_it_is_written_in(locale, language):
    _, [asked] = ask(Says(201, {"sid": "CA42"}), cls=TwilioVoice, parts={"script": "Hallo"}, about=About(locale=locale))

    assert f'<Say language="{language}">' in asked.form["Twiml"]


def test_a_script_that_is_too_long_is_not_read_out():
    outcome, asked = ask(SENT, cls=TwilioVoice, parts={"script": "x" * 3001})

    assert (outcome.kind, asked) == ("recipient", [])
