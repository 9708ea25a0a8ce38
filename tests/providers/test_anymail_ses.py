"""What Amazon SES reports through the topics of SNS."""

import asyncio
import json

import pytest

from notifications.providers.callbacks import NotGenuine
from tests.providers.http_server import Says, Service
from tests.providers.test_anymail_reports import DELIVERY, account, callback, take_in


def test_amazon_ses_is_believed_by_the_signature_of_sns_alone():
    said = {"Type": "Notification", "MessageId": "1", "TopicArn": "arn:aws:sns:eu-west-1:1:ses", "Message": "{}"}

    with pytest.raises(NotGenuine):
        take_in(account("amazon_ses", topics="arn:aws:sns:eu-west-1:1:ses"), callback(said))


def test_the_certificate_for_amazon_ses_is_fetched_once():
    async def run():
        async with Service(Says(503), Says(200, b"pem")) as service:
            provider = account("amazon_ses", topics="arn:aws:sns:eu-west-1:1:ses")
            with pytest.raises(TimeoutError):
                await provider._topics.certificate(f"{service.url}/a.pem")
            for _ in range(3):
                assert await provider._topics.certificate(f"{service.url}/a.pem") == b"pem"
            await provider.close()
            return service.asked

    assert len(asyncio.run(run())) == 2


def ses(kind, **event):
    """Return a report as "Contents of event data that Amazon SES publishes to Amazon SNS" shows it, its proof apart."""
    headers = [{"name": "X-Metadata", "value": json.dumps({"delivery_id": str(DELIVERY)})}]
    mail = {"messageId": "0102018a", "destination": ["ada@example.com"], "headers": headers}
    said = {
        "Type": "Notification",
        "MessageId": "sns-1",
        "TopicArn": "arn:aws:sns:eu-west-1:1:ses",
        "Timestamp": "2026-11-21T18:05:00.000Z",
        "Message": json.dumps({"eventType": kind, "mail": mail} | event),
    }
    return callback(said)


@pytest.mark.parametrize(("how", "permanent"), [("Permanent", True), ("Transient", False)])
def test_a_bounce_of_amazon_ses_is_for_good_when_it_says_so(how, permanent):
    bounce = {"bounceType": how, "bounceSubType": "General", "bouncedRecipients": [{"emailAddress": "ada@example.com"}]}

    (receipt,) = account("amazon_ses").read_receipts(ses("Bounce", bounce=bounce))

    assert (receipt.kind, receipt.permanent, receipt.delivery_id) == ("bounced", permanent, DELIVERY)
    assert (receipt.event_id, receipt.provider_message_id) == ("sns-1", "0102018a")


def test_a_complaint_to_amazon_ses_is_read_without_its_library():
    complaint = {"complaintFeedbackType": "abuse", "complainedRecipients": [{"emailAddress": "ada@example.com"}]}

    (receipt,) = account("amazon_ses").read_receipts(ses("Complaint", complaint=complaint))

    assert (receipt.kind, receipt.address) == ("complained", "ada@example.com")
