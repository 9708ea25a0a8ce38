"""What Twilio reports, and how it proves it. Its own library signs the requests of these tests."""

import asyncio
import hashlib
from datetime import UTC, datetime
from urllib.parse import urlencode
from uuid import UUID

import pytest
from twilio.request_validator import RequestValidator

from notifications.providers import options
from notifications.providers.callbacks import Callback, NotGenuine, Receipt
from notifications.providers.twilio import Twilio
from notifications.providers.twilio_voice import TwilioVoice

SID, TOKEN = "AC" + "0" * 32, "12345"
URL = "https://carillon.example.com/receipts/twilio/sms/"
DELIVERY = UUID("019a9c5e-6f0e-7b1c-8c55-0f6b1f1f2a10")
ABOUT = f"{URL}?delivery={DELIVERY}"
# Field by field as in "Track outbound message status" and "Twilio's request to your incoming message webhook URL".
STATUS = [
    ("SmsSid", "SM9b5e"),
    ("SmsStatus", "delivered"),
    ("MessageStatus", "delivered"),
    ("To", "+493012345678"),
    ("MessageSid", "SM9b5e"),
    ("AccountSid", SID),
    ("From", "+4930999999"),
    ("ApiVersion", "2010-04-01"),
]
INCOMING = [
    ("MessageSid", "SMab01"),
    ("SmsSid", "SMab01"),
    ("SmsStatus", "received"),
    ("AccountSid", SID),
    ("From", "+493012345678"),
    ("To", "+4930999999"),
    ("Body", "Stop!"),
    ("NumMedia", "0"),
]


class Pairs(list):
    """A form as Twilio's validator takes it where a name may stand twice."""

    def __iter__(self):
        return iter(dict(list.__iter__(self)))

    def getlist(self, name):
        return [value for key, value in list.__iter__(self) if key == name]


def provider(cls=Twilio, **more):
    stored = {"account_sid": SID, "auth_token": TOKEN, "from": "+4930999999"} | more
    return cls(options.resolve(cls.Options, stored), timeout=5)


def form(pairs):
    return urlencode(pairs).encode()


def signed(pairs, *, url=ABOUT, signed_url=None, token=TOKEN):
    signature = RequestValidator(token).compute_signature(signed_url or url, Pairs(pairs))
    headers = {"content-type": "application/x-www-form-urlencoded; charset=UTF-8", "x-twilio-signature": signature}
    return Callback(url, headers, form(pairs))


def verify(callback, **more):
    asyncio.run(provider(**more).verify(callback))


def changed(pairs, **fields):
    return [(name, fields.pop(name, value)) for name, value in pairs] + list(fields.items())


def test_twilios_own_published_example_is_genuine():
    """The example of "Validating requests are coming from Twilio": the digits, the number called, the token 12345."""
    url = "https://mycompany.com/myapp.php?foo=1&bar=2"
    pairs = [
        ("CallSid", "CA1234567890ABCDE"),
        ("Caller", "+14158675309"),
        ("Digits", "1234"),
        ("From", "+14158675309"),
        ("To", "+18005551212"),
    ]
    headers = {
        "content-type": "application/x-www-form-urlencoded",
        "x-twilio-signature": "RSOYDt4T1cUTdK1PDd93/VVr8B8=",
    }

    verify(Callback(url, headers, form(pairs)))


@pytest.mark.parametrize(
    "signed_url",
    [
        ABOUT,
        ABOUT.replace(".com/", ".com:443/"),
        f"{ABOUT}#rc=3&rp=ct,rt,5xx",
        f"{ABOUT.replace('.com/', '.com:443/')}#rc=3&rp=ct,rt,5xx",
    ],
)
@pytest.mark.parametrize("url", [ABOUT, ABOUT.replace(".com/", ".com:443/")])
def test_a_request_is_genuine_with_and_without_the_port_and_our_fragment(url, signed_url):
    verify(signed(STATUS, url=url, signed_url=signed_url))


def test_a_port_that_is_not_the_usual_one_is_signed_with_or_without():
    url = ABOUT.replace(".com/", ".com:8443/")

    verify(signed(STATUS, url=url))
    verify(signed(STATUS, url=url, signed_url=ABOUT))


def test_names_that_stand_twice_are_signed_sorted_and_once_each():
    pairs = [*STATUS, ("MediaUrl", "b"), ("MediaUrl", "a"), ("MediaUrl", "b"), ("Empty", "")]

    verify(signed(pairs))


@pytest.mark.parametrize(
    "callback",
    [
        signed(STATUS, token="another"),
        signed(STATUS, signed_url=URL),
        signed(STATUS, signed_url="http://carillon.example.com/receipts/twilio/sms/"),
        Callback(ABOUT, signed(STATUS).headers, form(changed(STATUS, MessageStatus="failed"))),
        Callback(ABOUT, signed(STATUS).headers, form([*STATUS, ("ErrorCode", "30005")])),
        Callback(ABOUT, signed(STATUS).headers | {"x-twilio-signature": "ünsinn"}, form(STATUS)),
        Callback(ABOUT, signed([]).headers | {"content-type": "application/json"}, b'{"MessageStatus": "failed"}'),
        Callback(ABOUT, signed(STATUS).headers, b"\xff\xfe"),
    ],
)
def test_what_was_forged_or_changed_on_the_way_is_not_genuine(callback):
    with pytest.raises(NotGenuine) as refusal:
        verify(callback)
    assert not refusal.value.unsigned


def test_without_a_signature_or_a_token_nothing_is_genuine():
    with pytest.raises(NotGenuine) as refusal:
        verify(Callback(ABOUT, {"content-type": "application/x-www-form-urlencoded"}, form(STATUS)))
    assert refusal.value.unsigned
    with pytest.raises(NotGenuine):
        verify(signed(STATUS, token=""), auth_token="")


def test_json_is_genuine_when_its_hash_is_signed_in_the_url():
    body = b'{"a": 1}'
    url = f"{URL}?bodySHA256={hashlib.sha256(body).hexdigest()}"
    headers = signed([], url=url).headers | {"content-type": "application/json"}

    verify(Callback(url, headers, body))
    with pytest.raises(NotGenuine):
        verify(Callback(url, headers, b'{"a": 2}'))


def read(pairs, *, url=ABOUT, cls=Twilio, **more):
    return provider(cls, **more).read_receipts(signed(pairs, url=url))


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        ("sent", "sent"),
        ("delivered", "delivered"),
        ("read", "opened"),
        ("undelivered", "bounced"),
        ("failed", "failed"),
        ("canceled", "failed"),
    ],
)
def test_a_status_is_a_receipt_of_the_delivery_in_its_url(status, kind):
    [receipt] = read(changed(STATUS, MessageStatus=status))

    assert (receipt.event_id, receipt.kind, receipt.delivery_id) == (f"SM9b5e:{status}", kind, DELIVERY)
    assert (receipt.provider_message_id, receipt.permanent) == ("SM9b5e", False)


@pytest.mark.parametrize("status", ["accepted", "queued", "sending"])
def test_steps_on_the_way_are_no_news(status):
    assert read(changed(STATUS, MessageStatus=status)) == []


@pytest.mark.parametrize(("code", "permanent"), [("30003", False), ("30005", True), ("30007", False), ("30008", False)])
def test_only_a_number_that_does_not_exist_is_never_tried_again(code, permanent):
    [receipt] = read(changed(STATUS, MessageStatus="undelivered", ErrorCode=code))

    assert (receipt.kind, receipt.permanent) == ("bounced", permanent)
    assert receipt.detail == f"Twilio: error {code}"


def test_a_stop_that_twilio_knew_before_us_is_learned_from_its_error():
    failed, stop = read(changed(STATUS, MessageStatus="failed", ErrorCode="21610"))

    assert (failed.kind, stop.kind, stop.address, stop.answered) == ("failed", "stop", "+493012345678", True)


@pytest.mark.parametrize(("body", "kind"), [("STOP", "stop"), ("start", "start"), ("Help?", "help")])
def test_what_a_person_writes_is_read(body, kind):
    assert read(changed(INCOMING, Body=body), url=URL) == [
        Receipt("SMab01:received", kind, address="+493012345678", answered=False)
    ]


def test_what_twilio_answered_itself_is_not_answered_again():
    [opted] = read(changed(INCOMING, Body="Arrêt", OptOutType="STOP"), url=URL)
    [other] = read(INCOMING, url=URL, replies=False)

    assert (opted.kind, opted.answered, other.answered) == ("stop", True, True)


def test_anything_else_that_people_write_is_left_alone():
    assert read(changed(INCOMING, Body="Cancel my order please"), url=URL) == []


def test_a_report_of_nothing_makes_no_sense():
    with pytest.raises(ValueError):
        read([("Hello", "there")])


@pytest.mark.parametrize(
    ("status", "kind"),
    [("in-progress", "sent"), ("completed", "delivered"), ("busy", "failed"), ("no-answer", "failed")],
)
def test_a_call_is_told_by_its_end(status, kind):
    pairs = [
        ("CallSid", "CA42"),
        ("CallStatus", status),
        ("CallDuration", "14"),
        ("SequenceNumber", "3"),
        ("Timestamp", "Sat, 21 Nov 2026 18:05:09 +0000"),
    ]

    [receipt] = read(pairs, cls=TwilioVoice)

    assert (receipt.event_id, receipt.kind, receipt.delivery_id) == (f"CA42:{status}", kind, DELIVERY)
    assert receipt.at == datetime(2026, 11, 21, 18, 5, 9, tzinfo=UTC)


def test_a_call_that_rings_is_no_news():
    assert read([("CallSid", "CA42"), ("CallStatus", "ringing")], cls=TwilioVoice) == []
