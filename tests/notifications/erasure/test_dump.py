"""After an erasure the database holds nothing that leads to the person, in clear or under any key that we have."""

import pytest

from notifications.models import (
    AttachmentContent,
    Delivery,
    DigestItem,
    IdempotencyRecord,
    InboxItem,
    OutboxMessage,
    ReceiptCall,
)
from preferences import erasure
from preferences.models import AddressConfirmation, ConsentRecord, Mute, TopicSubscription
from project.foundation import clock
from project.foundation.models import AuditEvent
from tests.flow import run_until_idle
from tests.notifications.erasure import dump, known

pytestmark = pytest.mark.django_db


@pytest.fixture
def ada(shop, news, order_confirmation, weekly_offers, settings):
    settings.FILTERABLE_ATTRIBUTES = ["plan"]
    return known.everywhere(shop, order_confirmation, weekly_offers)


def test_a_dump_knows_nobody_any_more(shop, ada):
    before = dump.found(known.NEEDLES)
    _is_known_everywhere(before)

    assert shop.delete(f"/api/v1/users/{known.USER_ID}").status_code == 202
    assert dump.found(known.NEEDLES) == {}

    run_until_idle()
    erasure.look_again(clock.now() + erasure.LOOKS[0])
    assert dump.found(known.NEEDLES) == {}


def _is_known_everywhere(before):
    """Say that the search would have found what is not there later."""
    tables = {place.partition(".")[0] for place in before}
    for model in (OutboxMessage, InboxItem, AttachmentContent, IdempotencyRecord, ReceiptCall, AuditEvent):
        assert model._meta.db_table in tables
    assert "preferences_user" in tables and "preferences_contactpoint" in tables and "django_admin_log" in tables
    assert ConsentRecord._meta.db_table in tables
    assert set().union(*before.values()) == set(known.NEEDLES)
    assert DigestItem.objects.exists() and TopicSubscription.objects.exists() and Mute.objects.exists()
    assert AddressConfirmation.objects.exists()
    assert Delivery.objects.filter(dead=True).exists()
