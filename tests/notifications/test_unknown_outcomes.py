import pytest

from notifications import rounds, unknown_outcomes
from notifications.models import Delivery, OutboxMessage
from preferences.models import ContactPoint
from project.foundation.models import AuditEvent
from tests.notifications.given import given_delivery

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("outbox_accounts")]


@pytest.fixture
def in_doubt(ada, weekly_offers):
    point = ContactPoint.objects.get(user=ada, channel="email")
    return given_delivery(ada, weekly_offers, status="unknown", contact_point=point, attempts=1)


def test_the_operators_word_ends_the_doubt(in_doubt):
    assert unknown_outcomes.resolve_as_sent([in_doubt.id], actor="staff:root") == 1
    rounds.sweep()

    found = Delivery.objects.get()
    assert (found.status, found.notification.status) == ("sent", "completed")
    assert not OutboxMessage.objects.exists()
    line = AuditEvent.objects.get()
    assert (line.actor, line.action, line.target) == (
        "staff:root",
        "delivery.resolved_as_sent",
        f"delivery:{in_doubt.id}",
    )


def test_it_is_sent_again_under_the_same_id(in_doubt):
    assert unknown_outcomes.send_again([in_doubt.id], actor="staff:root") == 1
    rounds.sweep()

    assert Delivery.objects.get().status == "sent"
    assert OutboxMessage.objects.get().delivery_id == in_doubt.id


def test_what_is_known_meanwhile_is_left_alone(in_doubt):
    Delivery.objects.update(status="delivered")

    assert unknown_outcomes.send_again([in_doubt.id], actor="staff:root") == 0
    assert not AuditEvent.objects.exists()
