import threading
from datetime import timedelta

import pytest
from django.db import connection, transaction
from django.utils import timezone

from notifications import acceptance
from notifications.models import ApiKey, IdempotencyRecord, Notification
from preferences.models import User
from project.foundation.locks import try_lock
from tests.notifications.api.conftest import _empty_cache, body, shop, shop_testing, stranger, typed  # noqa: F401


@pytest.fixture(autouse=True)
def _ready(ada, typed):  # noqa: F811
    pass


def test_the_same_key_and_body_are_answered_alike_and_carried_out_once(shop, body):  # noqa: F811
    first = shop.send(body, Idempotency_Key="k1")
    second = shop.send(dict(reversed(body.items())) | {"timestamp": "2026-11-21T19:00:00Z"}, Idempotency_Key="k1")

    assert (first.status_code, second.status_code) == (202, 202)
    assert second.json() == first.json()
    assert "Idempotent-Replayed" not in first
    assert second["Idempotent-Replayed"] == "true"
    assert Notification.objects.count() == 1


def test_both_addresses_of_send_are_one_route(shop, body):  # noqa: F811
    shop.send(body, Idempotency_Key="k1")

    assert shop.send(body, path="/api/notifications/send", Idempotency_Key="k1")["Idempotent-Replayed"] == "true"


def test_another_body_is_refused(shop, body):  # noqa: F811
    shop.send(body, Idempotency_Key="k1")

    response = shop.send(body | {"priority": "LOW"}, Idempotency_Key="k1")

    assert (response.status_code, response.json()["code"]) == (422, "idempotency_key_reused")
    assert Notification.objects.count() == 1


def test_keys_belong_to_caller_mode_and_route(shop, shop_testing, stranger, body):  # noqa: F811
    for each in (shop, shop_testing, stranger):
        assert each.send(body, Idempotency_Key="k1").status_code == 202

    assert Notification.objects.count() == 3
    assert shop.post("/api/v1/keys", {"scopes": ["send"]}, Idempotency_Key="k1").status_code == 201


def test_a_key_that_rotates_does_not_forget(shop, body):  # noqa: F811
    shop.send(body, Idempotency_Key="k1")
    shop.text = shop.post(f"/api/v1/keys/{shop.key.id}/rotate").json()["key"]

    assert shop.send(body, Idempotency_Key="k1")["Idempotent-Replayed"] == "true"


def test_faults_are_not_kept_so_that_a_corrected_request_may_use_its_key(shop, body):  # noqa: F811
    assert shop.send(body | {"type": "NOTHING"}, Idempotency_Key="k1").status_code == 422
    assert shop.send(body, Idempotency_Key="k1").status_code == 202


def test_what_breaks_is_undone_and_not_kept(shop, body, monkeypatch):  # noqa: F811
    def broken(request):
        raise RuntimeError("out of luck")

    shop.client.raise_request_exception = False
    body |= {"user_id": "dora", "user": {"name": "Dora"}}
    with monkeypatch.context() as patch:
        patch.setattr(acceptance, "accept", broken)
        response = shop.send(body, Idempotency_Key="k1")

    assert (response.status_code, response.json()["code"]) == (500, "server_error")
    assert response["Content-Type"] == "application/problem+json"
    assert not User.objects.filter(user_id="dora").exists()
    assert not IdempotencyRecord.objects.exists()
    assert shop.send(body, Idempotency_Key="k1").status_code == 202


def test_a_key_past_its_time_is_a_new_one(shop, body, settings):  # noqa: F811
    shop.send(body, Idempotency_Key="k1")
    IdempotencyRecord.objects.update(created_at=timezone.now() - settings.IDEMPOTENCY_TTL - timedelta(seconds=1))

    response = shop.send(body | {"priority": "LOW"}, Idempotency_Key="k1")

    assert response.status_code == 202 and "Idempotent-Replayed" not in response
    assert IdempotencyRecord.objects.count() == 1


@pytest.mark.parametrize("key", ["", "k" * 256, "a\tb"])
def test_a_key_that_is_none_is_400(shop, body, key):  # noqa: F811
    response = shop.send(body, Idempotency_Key=key)

    assert (response.status_code, response.json()["code"]) == (400, "invalid_idempotency_key")
    assert not Notification.objects.exists()


def test_the_longest_key_is_taken(shop, body):  # noqa: F811
    assert shop.send(body, Idempotency_Key="k" * 255).status_code == 202


def test_a_new_api_key_is_answered_again_and_issued_once(shop):  # noqa: F811
    first = shop.post("/api/v1/keys", {"scopes": ["send"]}, Idempotency_Key="k1")
    second = shop.post("/api/v1/keys", {"scopes": ["send"]}, Idempotency_Key="k1")

    assert second.json() == first.json()
    assert ApiKey.objects.count() == 2
    secret = first.json()["key"].split("_", 3)[3]
    with connection.cursor() as cursor:
        cursor.execute("SELECT body FROM notifications_idempotencyrecord")
        assert secret.encode() not in bytes(cursor.fetchone()[0])


@pytest.mark.skipif(connection.vendor != "postgresql", reason="SQLite has one writer at a time")
@pytest.mark.django_db(transaction=True)
def test_a_request_that_is_in_progress_is_409(shop, body):  # noqa: F811
    held, done = threading.Event(), threading.Event()

    def hold():
        with transaction.atomic():
            route = "POST /notifications/send"
            assert try_lock("idempotency", shop.key.caller_id, "live", route, "k1")
            held.set()
            done.wait(10)
        connection.close()

    other = threading.Thread(target=hold)
    other.start()
    held.wait(10)
    response = shop.send(body, Idempotency_Key="k1")
    done.set()
    other.join()

    assert (response.status_code, response.json()["code"], response["Retry-After"]) == (409, "in_progress", "1")
    assert shop.send(body, Idempotency_Key="k1").status_code == 202
