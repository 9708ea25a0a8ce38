"""Callers' own ids, many at once."""

import threading
from datetime import timedelta
from uuid import uuid4

import pytest
from django.db import connection
from django.db.models import F

from notifications import acceptance
from notifications.acceptance import Accepted, IdReused, Request
from notifications.models import Caller, CallerNotificationId, Notification

pytestmark = pytest.mark.django_db


@pytest.fixture
def requests(ada, order_confirmation, caller):
    def make(ids, caller_id=caller.pk, mode="live", body_hash=b"h" * 32):
        about = {"caller_id": caller_id, "mode": mode, "body_hash": body_hash}
        return [Request(ada, order_confirmation, {}, caller_notification_id=id, **about) for id in ids]

    return make


def test_each_id_stands_for_the_notification_that_came_with_it(requests):
    ids = [uuid4() for _ in range(20)]

    results = acceptance.accept_many(requests(ids))

    assert not any(each.replayed for each in results)
    stored = {row.key: row.notification_id for row in CallerNotificationId.objects.all()}
    assert stored == dict(zip(ids, [each.notification.id for each in results], strict=True))


def test_what_was_known_is_given_again_and_the_rest_is_stored(requests):
    old, new = [uuid4() for _ in range(3)], [uuid4() for _ in range(3)]
    first = acceptance.accept_many(requests(old))

    again = acceptance.accept_many(requests([new[0], old[1], new[1], old[0], new[2]]))
    clash = acceptance.accept_many(requests([old[2]], body_hash=b"x" * 32))

    assert [each.replayed for each in again] == [False, True, False, True, False]
    assert [again[1].notification.id, again[3].notification.id] == [first[1].notification.id, first[0].notification.id]
    assert isinstance(clash[0], IdReused)
    assert Notification.objects.count() == CallerNotificationId.objects.count() == 6


def test_other_callers_and_modes_have_ids_of_their_own(requests):
    ids = [uuid4(), uuid4()]
    other = Caller.objects.create(key="other", name="Other")

    for about in ({}, {"mode": "test"}, {"caller_id": other.pk}):
        assert not any(each.replayed for each in acceptance.accept_many(requests(ids, **about)))

    assert Notification.objects.count() == 6


def test_an_id_may_be_used_again_after_its_time(requests, settings):
    ids = [uuid4(), uuid4()]
    acceptance.accept_many(requests(ids))
    late = CallerNotificationId.objects.filter(key=ids[0])
    late.update(created_at=F("created_at") - settings.NOTIFICATION_ID_TTL - timedelta(hours=1))

    again = acceptance.accept_many(requests(ids, body_hash=b"x" * 32))

    assert isinstance(again[0], Accepted) and not again[0].replayed
    assert isinstance(again[1], IdReused)
    assert late.get().notification_id == again[0].notification.id


def test_a_repeat_of_what_history_has_dropped_is_told_anew_and_a_clash_is_still_one(requests):
    ids = [uuid4(), uuid4()]
    acceptance.accept_many(requests(ids))
    Notification.objects.all().delete()

    (repeat,) = acceptance.accept_many(requests(ids[:1]))
    (clash,) = acceptance.accept_many(requests(ids[1:], body_hash=b"x" * 32))

    assert isinstance(repeat, Accepted) and not repeat.replayed
    assert isinstance(clash, IdReused)
    assert Notification.objects.get().id == repeat.notification.id


@pytest.mark.django_db(transaction=True)
def test_calls_with_the_same_ids_at_once_store_each_once(requests):
    ids = [uuid4() for _ in range(50)]
    start, found = threading.Barrier(4), []

    def call(shift):
        start.wait()
        results = acceptance.accept_many(requests(ids[shift:] + ids[:shift]))
        found.append({one.notification.caller_notification_id: one.notification.id for one in results})
        connection.close()

    threads = [threading.Thread(target=call, args=[10 * n]) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(found) == 4 and all(each == found[0] for each in found)
    assert Notification.objects.count() == CallerNotificationId.objects.count() == 50
