"""What a service reports with characters that no database can hold."""

import pytest

from notifications.models import Delivery, ReceiptRecord
from tests.notifications.gazette import report

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("strange", ["\0", "\ud800", "\udfff\ud800"])
def test_a_report_counts_without_the_characters_that_cannot_be_kept(text_message, strange):
    text_message()
    event = {"event_id": f"e{strange}1", "kind": "bounced", "provider_message_id": f"m-1{strange}", "detail": strange}

    assert report(event | {"address": f"+4930{strange}1234567"}).status_code == 204

    assert Delivery.objects.get().status == "bounced"
    record = ReceiptRecord.objects.get()
    assert (record.event_id, record.provider_message_id, record.detail) == ("e1", "m-1", "")
