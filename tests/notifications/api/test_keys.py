from datetime import timedelta

import pytest
from django.utils import timezone

from notifications.models import ApiKey, Caller
from project.foundation.models import AuditEvent
from tests.notifications.api.conftest import Service, pointers, service

KEYS = "/api/v1/keys"


def test_a_key_is_issued_shown_once_and_works(shop):
    response = shop.post(KEYS, {"scopes": ["send", "read"], "name": "Worker", "rate_limit": "100/s"})

    assert response.status_code == 201
    answer = response.json()
    key = ApiKey.objects.get(pk=answer["id"])
    assert (key.caller, key.mode, key.scopes, key.rate_limit) == (shop.key.caller, "live", ["send", "read"], "100/s")
    assert Service(key, answer["key"]).get("/api/v1/notifications").status_code == 200
    listed = shop.get(KEYS)
    assert answer["key"].split("_", 3)[3] not in listed.content.decode()
    assert {row["id"] for row in listed.json()["results"]} == {shop.key.id, key.id}
    assert AuditEvent.objects.filter(action="key.issued", actor="key:shop", target=f"key:{key.id}").exists()


def test_a_key_for_a_new_caller_makes_the_caller(shop):
    answer = shop.post(KEYS, {"scopes": ["send"], "caller": "billing", "mode": "test"}).json()

    assert (answer["caller"], answer["mode"]) == ("billing", "test")
    assert Caller.objects.filter(key="billing").exists()


def test_a_key_cannot_grant_what_it_lacks(caller):
    limited = service(caller, scopes=["admin", "read"])

    response = limited.post(KEYS, {"scopes": ["read", "send"], "caller": "fresh"})

    assert (response.status_code, response.json()["code"]) == (403, "scope_not_held")
    assert "send" in response.json()["detail"]
    assert not Caller.objects.filter(key="fresh").exists()


def test_a_key_cannot_gain_by_rotating_another(caller, shop):
    limited = service(caller, scopes=["admin"])

    assert limited.post(f"{KEYS}/{shop.key.id}/rotate").status_code == 403


def test_a_test_key_cannot_make_live_keys(shop, shop_testing):
    assert shop_testing.post(KEYS, {"scopes": ["send"], "mode": "live"}).status_code == 403
    assert shop_testing.post(f"{KEYS}/{shop.key.id}/rotate").status_code == 403
    assert shop_testing.post(KEYS, {"scopes": ["send"]}).json()["mode"] == "test"


def test_every_fault_of_a_new_key_is_named(shop):
    response = shop.post(
        KEYS, {"scopes": ["send", "everything"], "mode": "both", "rate_limit": "fast", "caller": "a b"}
    )

    assert pointers(response) == {
        "/scopes/1": "invalid_value",
        "/mode": "invalid_value",
        "/rate_limit": "invalid_value",
        "/caller": "invalid_value",
    }


def test_a_line_end_is_part_of_no_name_and_no_rate(shop):
    response = shop.post(KEYS, {"scopes": ["send"], "rate_limit": "100/s\n", "caller": "shop\n"})

    assert pointers(response) == {"/rate_limit": "invalid_value", "/caller": "invalid_value"}


@pytest.mark.parametrize("body", [{}, {"scopes": []}, {"scopes": ["send"], "expires_at": "2020-01-01T00:00:00Z"}])
def test_a_key_that_would_be_useless_is_refused(shop, body):
    assert shop.post(KEYS, body).status_code == 422


def test_a_rotated_key_has_a_successor(shop):
    response = shop.post(f"{KEYS}/{shop.key.id}/rotate")

    assert response.status_code == 201
    successor = Service(ApiKey.objects.get(pk=response.json()["id"]), response.json()["key"])
    assert successor.get(KEYS).status_code == shop.get(KEYS).status_code == 200
    shop.key.refresh_from_db()
    assert shop.key.expires_at is not None


def test_an_ended_key_cannot_be_rotated(shop, caller):
    other = service(caller)
    ApiKey.objects.filter(pk=other.key.pk).update(expires_at=timezone.now() - timedelta(days=1))

    assert shop.post(f"{KEYS}/{other.key.id}/rotate").status_code == 409


@pytest.mark.django_db(transaction=True)
def test_a_revoked_key_is_shut_out(shop, caller):
    other = service(caller)
    assert other.get(KEYS).status_code == 200

    assert shop.delete(f"{KEYS}/{other.key.id}").status_code == 204

    assert other.get(KEYS).status_code == 401
    assert shop.delete(f"{KEYS}/{other.key.id}").status_code == 204
    assert shop.delete(f"{KEYS}/unknown").status_code == 404


def test_the_list_is_newest_first_and_pages(shop):
    made = [shop.post(KEYS, {"scopes": ["send"]}).json()["id"] for _ in range(3)]

    first = shop.get(KEYS, limit=2).json()
    second = shop.get(KEYS, limit=2, cursor=first["next"]).json()

    listed = [row["id"] for page in (first, second) for row in page["results"]]
    assert listed == [*made[::-1], shop.key.id]
    assert second["next"] is None


def test_a_test_key_cannot_revoke_live_keys(shop, shop_testing):
    response = shop_testing.delete(f"{KEYS}/{shop.key.id}")

    assert (response.status_code, response.json()["code"]) == (403, "scope_not_held")
    assert shop.get(KEYS).status_code == 200
