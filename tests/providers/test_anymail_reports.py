"""What e-mail services report: payloads in the shapes of their documentation, and how they prove themselves."""

import asyncio
import base64
import hashlib
import hmac
import json
import time
from urllib.parse import urlencode
from uuid import UUID

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from notifications.providers import options
from notifications.providers.anymail import Anymail
from notifications.providers.callbacks import Callback, NotGenuine

DELIVERY = UUID("019a9c5e-6f0e-7b1c-8c55-0f6b1f1f2a10")
URL = "https://carillon.example.com/receipts/anymail/main/"
pytestmark = pytest.mark.filterwarnings("ignore:django-anymail has dropped official support for SendGrid")


def account(esp, **settings):
    return Anymail(options.resolve(Anymail.Options, {"esp": esp, "settings": settings, "from": "a@b.org"}), timeout=5)


def callback(body, **headers):
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    return Callback(URL, {"content-type": "application/json"} | headers, content)


def basic(user="carillon:s3cret"):
    return f"Basic {base64.b64encode(user.encode()).decode()}"


def take_in(provider, request):
    async def run():
        try:
            await provider.verify(request)
        finally:
            await provider.close()

    asyncio.run(run())
    return provider.read_receipts(request)


POSTMARK_BOUNCE = {
    "RecordType": "Bounce",
    "ID": 42,
    "Type": "HardBounce",
    "TypeCode": 1,
    "MessageID": "b7bc2f4a",
    "Metadata": {"delivery_id": str(DELIVERY)},
    "Description": "The server was unable to deliver your message",
    "Details": "550 no such user",
    "Email": "ada@example.com",
    "BouncedAt": "2026-11-21T18:05:00Z",
}


def test_a_hard_bounce_of_postmark_is_permanent_and_names_our_delivery():
    (receipt,) = take_in(
        account("postmark", server_token="t", webhook_secret="carillon:s3cret"),
        callback(POSTMARK_BOUNCE, authorization=basic()),
    )

    assert (receipt.kind, receipt.permanent, receipt.delivery_id) == ("bounced", True, DELIVERY)
    assert (receipt.event_id, receipt.provider_message_id, receipt.address) == ("42", "b7bc2f4a", "ada@example.com")
    assert receipt.at.isoformat() == "2026-11-21T18:05:00+00:00"
    assert "ada" not in receipt.detail


@pytest.mark.parametrize("headers", [{}, {"authorization": basic("carillon:wrong")}])
def test_without_the_right_password_nothing_is_read(headers):
    provider = account("postmark", server_token="t", webhook_secret="carillon:s3cret")

    with pytest.raises(NotGenuine) as refused:
        take_in(provider, callback(POSTMARK_BOUNCE, **headers))

    assert refused.value.unsigned is (not headers)


def test_an_account_that_can_check_nothing_believes_nothing():
    with pytest.raises(NotGenuine):
        take_in(account("postmark", server_token="t"), callback(POSTMARK_BOUNCE))


def mailgun(event, *, key="k3y", at=None, token="a" * 50):
    at = str(int(at or time.time()))
    signature = hmac.new(key.encode(), f"{at}{token}".encode(), hashlib.sha256).hexdigest()
    said = {"id": "ev1", "timestamp": 1764000000.0, "recipient": "ada@example.com"} | event
    said["message"] = {"headers": {"message-id": "20261121.1@mg.example.com"}}
    said["user-variables"] = {"delivery_id": str(DELIVERY)}
    return callback({"signature": {"timestamp": at, "token": token, "signature": signature}, "event-data": said})


def test_mailgun_is_believed_by_its_signature():
    (receipt,) = take_in(account("mailgun", api_key="k", webhook_signing_key="k3y"), mailgun({"event": "delivered"}))

    assert (receipt.kind, receipt.delivery_id, receipt.event_id) == ("delivered", DELIVERY, "ev1:1764000000.0")


def test_mailgun_names_what_each_of_its_requests_has_for_itself():
    provider = account("mailgun", api_key="k", webhook_signing_key="k3y")

    assert provider.once(mailgun({"event": "delivered"}, token="t" * 50)) == "t" * 50
    assert account("postmark", server_token="t").once(callback(POSTMARK_BOUNCE)) == ""


@pytest.mark.parametrize("wrong", [{"key": "other"}, {"at": time.time() - 7200}, {"at": time.time() + 7200}])
def test_a_forged_or_old_report_of_mailgun_is_refused(wrong):
    with pytest.raises(NotGenuine):
        take_in(account("mailgun", api_key="k", webhook_signing_key="k3y"), mailgun({"event": "delivered"}, **wrong))


def test_an_old_signature_of_mailgun_does_not_pass_beside_a_new_time():
    """One body that is a form to who checks the signature, and JSON to who looks at the time."""
    signed = json.loads(mailgun({"event": "delivered"}, at=time.time() - 7200).body)["signature"]
    new = json.dumps({"signature": {"timestamp": str(int(time.time()))}, "x": f"&{urlencode(signed)}&event=delivered&"})
    request = Callback(URL, {"content-type": "application/x-www-form-urlencoded"}, new.encode())

    with pytest.raises(NotGenuine, match="too long ago"):
        take_in(account("mailgun", api_key="k", webhook_signing_key="k3y"), request)


@pytest.mark.parametrize("esp", ["mailgun", "unisender_go", "resend", "mandrill"])
@pytest.mark.parametrize("body", [b"[]", b"1", b"null", b"\xff", b"[" * 50_000, b'{"signature": []}'])
@pytest.mark.parametrize("type", ["application/json", "multipart/form-data; boundary=x"])
def test_a_strange_body_proves_nothing_and_breaks_nothing(esp, body, type):
    keys = {"api_key": "k", "webhook_signing_key": "k", "webhook_key": "k", "signing_secret": "whsec_aaaa"}
    svix = {"svix-id": "1", "svix-timestamp": str(int(time.time())), "svix-signature": "v1,\xe9"}
    request = Callback(URL, {"content-type": type, "x-mandrill-signature": "\xe9"} | svix, body)

    with pytest.raises(NotGenuine):
        take_in(account(esp, **keys), request)


def sendgrid(key, events, *, at=None, spoil=b""):
    at = str(int(at or time.time()))
    body = json.dumps(events).encode() + b"\r\n"
    signature = key.sign(at.encode() + body + spoil, ec.ECDSA(hashes.SHA256()))
    return Callback(
        URL,
        {
            "content-type": "application/json",
            "x-twilio-email-event-webhook-signature": base64.b64encode(signature).decode(),
            "x-twilio-email-event-webhook-timestamp": at,
        },
        body,
    )


@pytest.fixture(scope="module")
def key():
    return ec.generate_private_key(ec.SECP256R1())


@pytest.fixture
def sendgrid_account(key):
    public = key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return account("sendgrid", api_key="k", tracking_webhook_verification_key=base64.b64encode(public).decode())


EVENTS = [
    {
        "email": "ada@example.com",
        "timestamp": 1764000000,
        "smtp-id": "<x@y>",
        "event": "open",
        "sg_event_id": "e1",
        "sg_message_id": "14c5d75ce93.filter0001",
        "useragent": "Mozilla/5.0",
        "delivery_id": str(DELIVERY),
    },
    {
        "email": "ada@example.com",
        "timestamp": 1764000001,
        "event": "dropped",
        "sg_event_id": "e2",
        "sg_message_id": "14c5d75ce93.filter0001",
        "reason": "Bounced Address",
    },
    {"email": "ada@example.com", "timestamp": 1764000002, "event": "spamreport", "sg_event_id": "e3"},
]


def test_sendgrid_is_believed_by_its_signature_over_the_raw_body(sendgrid_account, key):
    opened, dropped, complained = take_in(sendgrid_account, sendgrid(key, EVENTS))

    assert (opened.kind, opened.machine, opened.delivery_id) == ("opened", True, DELIVERY)
    assert (dropped.kind, dropped.permanent) == ("bounced", True)
    assert complained.kind == "complained"
    assert [each.event_id for each in (opened, dropped, complained)] == ["e1", "e2", "e3"]


@pytest.mark.parametrize("wrong", [{"spoil": b" "}, {"at": time.time() - 7200}])
def test_a_forged_or_old_report_of_sendgrid_is_refused(sendgrid_account, key, wrong):
    with pytest.raises(NotGenuine):
        take_in(sendgrid_account, sendgrid(key, EVENTS, **wrong))


def resend(secret, *, at=None, spoil=""):
    at = str(int(at or time.time()))
    body = json.dumps(
        {
            "type": "email.delivered",
            "created_at": "2026-11-21T18:05:00.000Z",
            "data": {
                "created_at": "2026-11-21T18:05:00.000Z",
                "email_id": "56761188-7520-42d8-8898-ff6fc54ce618",
                "from": "Shop <hello@example.com>",
                "to": ["ada@example.com"],
                "subject": "Hello",
                "headers": [{"name": "X-Metadata", "value": json.dumps({"delivery_id": str(DELIVERY)})}],
            },
        }
    ).encode()
    signed = f"msg_1.{at}.".encode() + body + spoil.encode()
    signature = base64.b64encode(hmac.digest(base64.b64decode(secret), signed, "sha256")).decode()
    headers = {"svix-id": "msg_1", "svix-timestamp": at, "svix-signature": f"v1,{signature}"}
    return Callback(URL, {"content-type": "application/json"} | headers, body)


SECRET = base64.b64encode(b"0123456789abcdef01234567").decode()


def test_resend_is_believed_by_its_signature():
    (receipt,) = take_in(account("resend", api_key="k", signing_secret=f"whsec_{SECRET}"), resend(SECRET))

    assert (receipt.kind, receipt.delivery_id) == ("delivered", DELIVERY)
    assert receipt.provider_message_id == "56761188-7520-42d8-8898-ff6fc54ce618"


@pytest.mark.parametrize("wrong", [{"spoil": " "}, {"at": time.time() - 7200}])
def test_a_forged_or_old_report_of_resend_is_refused(wrong):
    with pytest.raises(NotGenuine):
        take_in(account("resend", api_key="k", signing_secret=f"whsec_{SECRET}"), resend(SECRET, **wrong))


def test_mandrill_is_believed_by_its_signature_over_url_and_form():
    events = [{"event": "hard_bounce", "_id": "m1", "ts": 1764000000, "msg": {"_id": "m1", "email": "ada@example.com"}}]
    form = {"mandrill_events": json.dumps(events)}
    content = URL + "mandrill_events" + form["mandrill_events"]
    signature = base64.b64encode(hmac.new(b"k3y", content.encode(), hashlib.sha1).digest()).decode()
    request = Callback(
        URL,
        {"content-type": "application/x-www-form-urlencoded", "x-mandrill-signature": signature},
        urlencode(form).encode(),
    )

    (receipt,) = take_in(account("mandrill", api_key="k", webhook_key="k3y"), request)

    assert (receipt.kind, receipt.permanent, receipt.address) == ("bounced", True, "ada@example.com")


def test_what_is_no_report_is_an_error_and_no_crash(sendgrid_account, key):
    with pytest.raises(ValueError, match="cannot be read"):
        take_in(sendgrid_account, sendgrid(key, {"not": "a list"}))


def test_a_service_that_reports_nothing_is_not_believed():
    with pytest.raises(NotGenuine):
        take_in(account("scaleway", secret_key="k", project_id="p"), callback({}))
