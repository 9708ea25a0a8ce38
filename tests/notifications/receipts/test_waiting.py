"""Receipts of messages that wait for another try."""

import pytest

from notifications.models import Delivery
from tests.notifications.gazette import report

pytestmark = pytest.mark.django_db
UNKNOWN = {"reason": "unknown_outcome"}


@pytest.mark.parametrize(
    ("status", "fields", "kind", "becomes"),
    [
        ("queued", UNKNOWN, "sent", "sent"),
        ("queued", UNKNOWN, "delivered", "delivered"),
        ("queued", {}, "delivered", "delivered"),
        ("held", {"reason": "account"}, "delivered", "delivered"),
        # An earlier try came to nothing, and it is about to be tried anew.
        ("queued", {}, "sent", "queued"),
        ("queued", UNKNOWN, "failed", "queued"),
        ("queued", UNKNOWN, "bounced", "queued"),
        ("held", {"reason": "account"}, "failed", "held"),
        # What has ended badly was surely sent before that, which is no news.
        ("failed", {}, "sent", "failed"),
        ("bounced", {}, "sent", "bounced"),
        ("bounced", {}, "delivered", "bounced"),
    ],
)
def test_the_wait_ends_when_the_service_had_it_after_all(text_message, status, fields, kind, becomes):
    delivery = text_message(status, provider_message_id="", **fields)

    report({"event_id": "e-1", "kind": kind, "delivery_id": delivery.id})

    stored = Delivery.objects.get()
    assert stored.status == becomes
    assert (stored.due_at is None) is (becomes != "queued")


@pytest.mark.parametrize("status", ["queued", "held"])
def test_nothing_ends_the_wait_of_what_was_never_tried(text_message, status):
    delivery = text_message(status, provider_message_id="", attempts=0, reason="account")

    report({"event_id": "e-1", "kind": "delivered", "delivery_id": delivery.id})

    assert Delivery.objects.get().status == status
