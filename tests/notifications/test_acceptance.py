import threading
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest
from django.db import connection
from django.db.models import F

from notifications import acceptance
from notifications.models import CallerNotificationId, Notification
from tests.notifications.given import accepted

pytestmark = pytest.mark.django_db


def test_an_accepted_request_is_work_that_is_due(ada, order_confirmation, caller):
    accepted(ada, order_confirmation, caller_id=caller.pk, channels_preferred=["email"], metadata={"trace": "x"})

    stored = Notification.objects.get()
    assert (stored.status, stored.priority, stored.lane, stored.mode) == ("accepted", "HIGH", 0, "live")
    assert stored.payload["title"] == "Hello" and stored.metadata == {"trace": "x"}
    assert stored.due_at <= datetime.now(tz=UTC) + timedelta(seconds=1)


def test_a_request_for_later_is_scheduled(ada, order_confirmation):
    later = datetime.now(tz=UTC) + timedelta(days=1)

    notification = accepted(ada, order_confirmation, send_at=later)

    notification.refresh_from_db()
    assert (notification.status, notification.due_at) == ("scheduled", later)


def test_the_request_outranks_the_types_priority(ada, order_confirmation):
    assert accepted(ada, order_confirmation, priority="LOW").lane == 2


def test_a_repeated_notification_id_gives_the_first_notification(ada, order_confirmation, caller):
    scope = {"caller_id": caller.pk, "caller_notification_id": uuid4(), "body_hash": b"h" * 32}
    first = accepted(ada, order_confirmation, **scope)

    again = acceptance.accept(acceptance.Request(ada, order_confirmation, {}, **scope))

    assert again.replayed and again.notification.id == first.id
    assert Notification.objects.count() == 1


def test_a_notification_id_used_for_something_else_is_refused(ada, order_confirmation, caller):
    scope = {"caller_id": caller.pk, "caller_notification_id": uuid4()}
    accepted(ada, order_confirmation, body_hash=b"h" * 32, **scope)

    with pytest.raises(acceptance.IdReused):
        accepted(ada, order_confirmation, body_hash=b"x" * 32, **scope)

    assert Notification.objects.count() == 1


def test_callers_and_modes_do_not_share_notification_ids(ada, order_confirmation, caller):
    scope = {"caller_notification_id": uuid4(), "body_hash": b"h" * 32}

    accepted(ada, order_confirmation, caller_id=caller.pk, mode="live", **scope)
    accepted(ada, order_confirmation, caller_id=caller.pk, mode="test", **scope)

    assert Notification.objects.count() == 2


def test_a_notification_id_may_be_used_again_after_its_time(ada, order_confirmation, caller, settings):
    scope = {"caller_id": caller.pk, "caller_notification_id": uuid4()}
    accepted(ada, order_confirmation, body_hash=b"h" * 32, **scope)
    CallerNotificationId.objects.update(created_at=F("created_at") - settings.NOTIFICATION_ID_TTL - timedelta(hours=1))

    fresh = accepted(ada, order_confirmation, body_hash=b"x" * 32, **scope)

    assert CallerNotificationId.objects.get().notification_id == fresh.id


@pytest.mark.django_db(transaction=True)
def test_fifty_repeats_at_once_make_one_notification(ada, order_confirmation, caller):
    scope = {"caller_id": caller.pk, "caller_notification_id": uuid4(), "body_hash": b"h" * 32}
    start, answers = threading.Barrier(10), []

    def send():
        start.wait()
        for _ in range(5):
            try:
                answers.append(accepted(ada, order_confirmation, **scope).id)
            except acceptance.InProgress as busy:
                assert busy.headers == {"Retry-After": "1"}
        connection.close()

    threads = [threading.Thread(target=send) for _ in range(10)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(set(answers)) == 1
    assert Notification.objects.count() == 1
