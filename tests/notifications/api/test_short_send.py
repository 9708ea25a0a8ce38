"""The short way of sending, on PostgreSQL: the same answers and the same rows as the long one."""

import threading
from datetime import timedelta
from uuid import UUID, uuid4

import pytest
from django.db import connection, connections
from django.utils import timezone

from notifications.access import keys
from notifications.api import short_send
from notifications.models import ApiKey, CallerNotificationId, IdempotencyRecord, Notification
from templates_app.models import Type
from tests.notifications.api.conftest import pointers, service

pytestmark = [
    pytest.mark.django_db,
    pytest.mark.skipif(connection.vendor != "postgresql", reason="one statement is PostgreSQL's"),
]
OWN_ID = "018f8a50-0000-7000-8000-000000000001"


@pytest.fixture(autouse=True)
def _ready(ada, typed):
    pass


@pytest.fixture
def long_way(monkeypatch):
    """Return what makes the next requests go the long way."""
    return lambda: monkeypatch.setattr(short_send, "answer", lambda request: None)


def test_an_ordinary_request_takes_no_query_of_the_orm(shop, body, django_assert_num_queries):
    shop.send(body)

    with django_assert_num_queries(0):
        assert shop.send(body).status_code == 202

    assert Notification.objects.count() == 2


@pytest.mark.parametrize(
    "more",
    [
        {},
        {"locale": "de_at", "metadata": {"trace": "ü"}, "channels_preferred": ["sms", "email", "sms"]},
        {"priority": "LOW", "timestamp": "2026-11-21T18:05:00+02:00", "channels_preferred": []},
        {"notification_id": OWN_ID},
    ],
)
@pytest.mark.parametrize("headers", [{}, {"Idempotency_Key": "k1"}])
def test_both_ways_answer_and_store_alike(shop, shop_testing, body, more, headers, long_way):
    short = shop.send(body | more, **headers)
    long_way()
    long = shop_testing.send(body | more, **headers)

    assert _told(short) == _told(long)
    assert _headers(short) == _headers(long)
    stored = [_stored(Notification.objects.get(mode=mode)) for mode in ("live", "test")]
    assert stored[0] == stored[1]
    for model in (IdempotencyRecord, CallerNotificationId):
        hashes = [bytes(row.body_hash) for row in model.objects.all()]
        assert len(set(hashes)) <= 1 and len(hashes) in (0, 2)
    assert not headers or [row.status for row in IdempotencyRecord.objects.all()] == [202, 202]


def test_what_went_the_short_way_is_replayed_by_the_long_one(shop, body):
    body |= {"notification_id": OWN_ID}
    first = shop.send(body, Idempotency_Key="k1")

    by_key = shop.send(body, Idempotency_Key="k1")
    by_id = shop.send(body)
    by_id_with_another_key = shop.send(body, Idempotency_Key="k2")

    for repeat in (by_key, by_id, by_id_with_another_key):
        assert repeat.json() == first.json() and repeat["Idempotent-Replayed"] == "true"
    assert Notification.objects.count() == 1


def test_a_changed_schema_counts_at_once(shop, body, typed):
    assert shop.send(body).status_code == 202
    typed.schema["required"].append("total")
    typed.save()

    assert pointers(shop.send(body)) == {"/payload/template_variables/total": "required"}


def test_a_type_that_is_gone_is_unknown_at_once(shop, body):
    shop.send(body)
    Notification.objects.all().delete()
    Type.objects.all().delete()

    assert pointers(shop.send(body)) == {"/type": "unknown_type"}


def test_somebody_erased_is_unknown_at_once(shop, body, ada):
    shop.send(body)
    ada.erased_at = timezone.now()
    ada.save()

    assert pointers(shop.send(body, Idempotency_Key="k1")) == {"/user_id": "unknown_user"}
    assert not IdempotencyRecord.objects.exists()


@pytest.mark.parametrize("text", ["\\u0000", "\\ud800"])
def test_what_no_database_can_hold_is_refused(shop, body, text):
    raw = b'{"user_id": "ada", "type": "ORDER_CONFIRMATION", "payload": {"title": "%s", "template_variables": '
    raw += b'{"order_id": "1", "customer_name": "A"}}}'

    response = shop.post_raw("/api/v1/notifications/send", raw % text.encode())

    assert pointers(response) == {"/payload/title": "invalid_string"}


def test_a_revoked_key_ends_within_five_seconds(shop, body, monkeypatch):
    assert shop.send(body).status_code == 202
    ApiKey.objects.update(revoked_at=timezone.now() - timedelta(seconds=1))  # by another process
    assert shop.send(body).status_code == 202
    later = keys.time.monotonic() + keys.CACHE_SECONDS
    monkeypatch.setattr(keys.time, "monotonic", lambda: later)

    assert shop.send(body).status_code == 401


def test_a_limited_key_counts_each_request_once(caller, body):
    limited = service(caller, rate_limit="3/d")

    first = limited.send(body)
    odd = limited.send(body | {"type": "NOTHING"})  # short, then long
    last, refused = limited.send(body), limited.send(body)

    assert [r.status_code for r in (first, odd, last, refused)] == [202, 422, 202, 429]
    assert [r["RateLimit-Remaining"] for r in (first, odd, last, refused)] == ["2", "1", "0", "0"]


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("more", [{}, {"notification_id": OWN_ID}])
def test_a_connection_that_broke_while_idle_is_replaced(shop, body, more):
    shop.send(body)
    shop.send(body)
    other = connections.create_connection("default")
    with other.cursor() as cursor:
        cursor.execute("SELECT pg_terminate_backend(%s)", [connection.connection.info.backend_pid])
    other.close()

    assert shop.send(body | more).status_code == 202
    assert Notification.objects.count() == 3


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("by", ["key", "id", "both"])
def test_fifty_at_once_are_carried_out_once(shop, body, by):
    if by != "key":
        body |= {"notification_id": str(uuid4())}
    headers = {"Idempotency_Key": "k1"} if by != "id" else {}
    start, answers = threading.Barrier(10), []

    def send():
        start.wait()
        answers.extend(shop.send(body, **headers) for _ in range(5))
        connection.close()

    threads = [threading.Thread(target=send) for _ in range(10)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert {answer.status_code for answer in answers} <= {202, 409}
    assert len({answer.json()["notification_id"] for answer in answers if answer.status_code == 202}) == 1
    assert Notification.objects.count() == 1


def _told(response):
    told = response.json()
    assert UUID(told["notification_id"]) and told["links"]["self"].endswith(told["notification_id"])
    return {name: value for name, value in told.items() if name in {"status", "user_id", "type", "priority", "send_at"}}


def _headers(response):
    return {name: value for name, value in response.headers.items() if name not in {"X-Request-ID", "Content-Length"}}


def _stored(row):
    own = {"id", "mode", "due_at"}
    assert abs(row.due_at - timezone.now()) < timedelta(minutes=1)
    return {field.name: getattr(row, field.attname) for field in row._meta.fields if field.name not in own}
