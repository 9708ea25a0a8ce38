"""A text message there and back: sent to a stand-in of Twilio, reported by it under Twilio's own signature."""

from urllib.parse import urlencode, urlsplit

import pytest
from django.test import Client
from twilio.request_validator import RequestValidator

from notifications import account_changes, accounts, delivery, planning
from notifications.models import Delivery, ReceiptRecord
from notifications.providers import loop
from preferences.models import Suppression
from project.foundation.models import AuditEvent
from tests.notifications.given import accepted
from tests.providers.http_server import Says, Service

pytestmark = pytest.mark.django_db
TOKEN = "12345"


@pytest.fixture
def twilio(db):
    service = Service(Says(201, {"sid": "SM9b5e", "status": "queued"}))
    loop.run(service.__aenter__(), deadline_seconds=5)
    options = {"account_sid": "AC0", "auth_token": TOKEN, "from": "+4930999999", "base_url": service.url}
    wanted = account_changes.Wanted(provider="twilio", options=options)
    account_changes.save("texts", wanted, actor="test")
    accounts.forget()
    yield service
    loop.run(service.__aexit__(), deadline_seconds=5)
    accounts.forget()


def post(url, token=TOKEN, **fields):
    """Report as Twilio does: the fragment of the URL is for Twilio itself, and stays with it."""
    url = url.partition("#")[0]
    signature = RequestValidator(token).compute_signature(url, fields)
    parts = urlsplit(url)
    return Client().post(
        f"{parts.path}?{parts.query}",
        urlencode(fields),
        content_type="application/x-www-form-urlencoded",
        headers={"X-Twilio-Signature": signature, "Host": "a-proxy-in-between"},
    )


def test_a_text_is_sent_reported_and_stopped(ada, order_confirmation, twilio):
    accepted(ada, order_confirmation, channels_preferred=["sms"])
    planning.plan_due()
    delivery.deliver_due("sms")
    [asked] = twilio.asked
    found = Delivery.objects.get()
    assert (found.status, found.provider_message_id, found.error) == ("sent", "SM9b5e", "")
    number, url = asked.form["To"], asked.form["StatusCallback"]

    about = {"MessageSid": "SM9b5e", "To": number}
    assert post(url, MessageStatus="delivered", **about).status_code == 204
    assert post(url, MessageStatus="sent", **about).status_code == 204
    assert post(url, MessageStatus="read", token="forged", **about).status_code == 403
    assert Delivery.objects.get().status == "delivered"
    assert ReceiptRecord.objects.count() == 2
    assert AuditEvent.objects.filter(action="receipt.refused").count() == 1

    plain = url.partition("?")[0]
    incoming = {"MessageSid": "SMab01", "SmsStatus": "received", "From": number, "Body": "Stop!"}
    assert post(plain, **incoming).status_code == 204
    assert Suppression.objects.get().reason == "stop"

    accepted(ada, order_confirmation, channels_preferred=["sms"])
    planning.plan_due()
    delivery.deliver_due("sms")
    assert len(twilio.asked) == 1
