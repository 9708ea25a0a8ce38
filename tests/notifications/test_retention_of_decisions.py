"""Decisions that many share go when nobody refers to them any more."""

import pytest

from notifications import retention
from notifications.models import Notification, SharedDecisions
from tests.notifications.test_retention import NOW, at, told


@pytest.mark.django_db
def test_what_was_decided_stays_with_a_notification_from_a_clock_ahead_of_its_planners(
    ada, order_confirmation, settings
):
    settings.HISTORY_DAYS = 400
    earlier = SharedDecisions.objects.create(id=at(500.01), decisions=[])
    told(
        ada, order_confirmation, 500, status="processing", delivery="queued",
        shared_decisions=earlier, contact_points=[],
    )  # fmt: skip

    while retention.apply(NOW):
        continue

    assert Notification.objects.get().decided == []
