from datetime import timedelta

import pytest
from django.db import InterfaceError, OperationalError
from django.db.models import F

from notifications import housekeeping, planning, rounds, sweeper, tasks
from notifications.models import Delivery, IdempotencyRecord, Notification, OutboxMessage
from preferences.models import Import
from project.foundation import ids
from tests.notifications.given import accepted
from tests.preferences.imports.files import upload

pytestmark = pytest.mark.usefixtures("outbox_accounts")


def sweep_until(done):
    """Sweep as a worker's timer does, until that is so or ten seconds are over."""
    sweeper.start()
    try:
        for _ in range(200):
            if done():
                break
            sweeper._running.ending.wait(0.05)
    finally:
        sweeper.stop()


@pytest.mark.django_db
def test_a_sweep_does_all_that_is_due_on_every_channel(ada, order_confirmation):
    notification = accepted(ada, order_confirmation, channels_preferred=["email", "sms", "in_app"])

    assert rounds.sweep() > 0

    notification.refresh_from_db()
    assert notification.status == "completed"
    assert rounds.sweep() == 0


@pytest.mark.django_db
@pytest.mark.parametrize("stage", ["plan", "sms", "email"])
def test_a_wake_up_does_all_that_is_due_whoever_rang(ada, order_confirmation, stage):
    accepted(ada, order_confirmation, channels_preferred=["email", "sms"])

    tasks.wake(stage)

    assert dict(Delivery.objects.values_list("channel", "status")) == {"email": "sent", "sms": "sent"}


@pytest.mark.django_db(transaction=True)
def test_what_no_doorbell_announced_goes_out_within_a_sweep(ada, order_confirmation, settings):
    settings.SWEEP_SECONDS = 0.05
    notification = accepted(ada, order_confirmation)

    sweep_until(lambda: Notification.objects.get(id=notification.id).status == "completed")

    notification.refresh_from_db()
    assert notification.status == "completed"


@pytest.mark.django_db(transaction=True)
def test_a_file_that_waits_is_checked_within_a_sweep(settings):
    settings.SWEEP_SECONDS = 0.05
    job = upload("user_id,name\nada,Ada\n")

    sweep_until(lambda: Import.objects.get(pk=job.pk).status == "checked")

    job.refresh_from_db()
    assert (job.status, job.counts["new"]) == ("checked", 1)


@pytest.mark.django_db
@pytest.mark.parametrize("error", [OperationalError, InterfaceError])
def test_a_database_that_is_away_ends_the_round_and_not_the_sweep(monkeypatch, error):
    def away(**kwargs):
        raise error("the server closed the connection")

    monkeypatch.setattr(planning, "plan_due", away)

    assert rounds.sweep() == 0


@pytest.mark.django_db
def test_rows_past_their_keeping_are_tidied_away(ada, order_confirmation, caller, settings):
    accepted(ada, order_confirmation)
    rounds.sweep()
    old = ids.first_id_at(ids.created_at(ids.new_id()) - timedelta(days=settings.OUTBOX_DAYS, hours=1))
    OutboxMessage.objects.update(id=old)
    scope = {"caller": caller, "mode": "live", "route": "r", "body_hash": b"", "status": 202, "body": {}}
    IdempotencyRecord.objects.create(key="old", **scope)
    IdempotencyRecord.objects.update(created_at=F("created_at") - settings.IDEMPOTENCY_TTL - timedelta(hours=1))
    IdempotencyRecord.objects.create(key="new", **scope)

    housekeeping.tidy()

    assert not OutboxMessage.objects.exists()
    assert [record.key for record in IdempotencyRecord.objects.all()] == ["new"]
