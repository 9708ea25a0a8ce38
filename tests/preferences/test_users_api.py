from urllib.parse import quote

import pytest
from django.db import connection

from preferences.models import ContactPoint, User

ADA = {
    "name": "Ada Lovelace",
    "email": "ada@example.com",
    "phone": "+15005550006",
    "locale": "en",
    "timezone": "Europe/London",
    "attributes": {"plan": "pro"},
}


def test_put_makes_a_user_and_then_changes_them(api):
    assert api("PUT", "/users/ada", ADA)[0] == 201
    status, answer = api("PUT", "/users/ada", {"locale": "de"})

    assert status == 200
    assert answer == api.get("/users/ada")
    assert {name: answer[name] for name in ADA} == ADA | {"locale": "de"}
    assert answer["created_at"].endswith("Z")


def test_what_get_gave_can_be_put_back_field_by_field(api):
    api("PUT", "/users/ada", {})
    answer = api.get("/users/ada")

    status, again = api("PUT", "/users/ada", {name: answer[name] for name in ADA})

    assert (status, again["email"], again["name"], again["attributes"]) == (200, None, None, {})


@pytest.mark.parametrize("user_id", ["ada@example.com", "tenant:42", "a.b", "a b", "Ü", "50%", "a?b#c"])
def test_ids_with_odd_characters_are_escaped_in_the_path(api, user_id):
    assert api("PUT", f"/users/{quote(user_id)}", {})[0] == 201
    assert api.get(f"/users/{quote(user_id)}")["user_id"] == user_id


def test_every_fault_of_a_body_is_named_and_nothing_stored(api):
    body = {"name": 7, "nick": "a", "attributes": []}

    assert api.faults("PUT", "/users/ada", body) == {
        "/name": "wrong_type",
        "/nick": "unknown_field",
        "/attributes": "wrong_type",
    }
    assert api.faults("PUT", "/users/ada", {"email": "nobody", "timezone": "Mars", "phone": "1"}) == {
        "/email": "invalid_address",
        "/timezone": "invalid_timezone",
        "/phone": "invalid_address",
    }
    assert api.faults("PUT", "/users/%20", {}) == {"/user_id": "invalid_user_id"}
    assert not User.objects.exists()


def test_an_unknown_user_is_404(api):
    for path in ("", "/contact_points", "/preferences"):
        status, answer = api("GET", f"/users/nobody{path}")
        assert (status, answer["code"]) == (404, "not_found")
    assert api("GET", "/users/%00")[0] == 404


def test_staff_cannot_be_changed(api, grace):
    for method, path, body in [
        ("PUT", "", {}),
        ("POST", "/contact_points", {"channel": "email", "address": "eve@example.com"}),
        ("PUT", "/preferences", {}),
        ("PATCH", "/preferences", {}),
    ]:
        status, answer = api(method, f"/users/grace{path}", body)
        assert (status, answer["code"]) == (403, "staff_user")


def test_a_key_without_the_scope_is_refused(api_that_only_sends, ada):
    for path in ("/users", "/users/ada", "/users/ada/contact_points", "/users/ada/preferences", "/categories"):
        assert api_that_only_sends("GET", path)[0] == 403


def test_people_are_listed_newest_first_page_by_page(api):
    for number in range(5):
        api("PUT", f"/users/user-{number}", {})

    first = api.get("/users?limit=3")
    second = api.get(f"/users?limit=3&cursor={first['next']}")

    assert [user["user_id"] for user in first["results"] + second["results"]] == [f"user-{n}" for n in (4, 3, 2, 1, 0)]
    assert second["next"] is None


def test_people_are_found_by_address_and_by_the_beginning_of_their_id(api):
    api("PUT", "/users/ada", ADA)
    api("PUT", "/users/bob", {"email": "bob@example.com"})

    assert [user["user_id"] for user in api.get("/users?email=ada@EXAMPLE.com")["results"]] == ["ada"]
    assert [user["user_id"] for user in api.get("/users?phone=%2B1%20500%20555%200006")["results"]] == ["ada"]
    assert [user["user_id"] for user in api.get("/users?user_id=bo")["results"]] == ["bob"]
    assert api.get("/users?email=ada@example.com&user_id=bob")["results"] == []
    assert api.faults("GET", "/users?email=nobody&phone=1", None) == {
        "/email": "invalid_address",
        "/phone": "invalid_address",
    }


def test_listing_costs_the_same_for_any_number_of_people(api, django_assert_max_num_queries):
    for number in range(30):
        api("PUT", f"/users/user-{number}", {"email": f"{number}@example.com"})

    with django_assert_max_num_queries(4):
        assert len(api.get("/users")["results"]) == 30


def test_in_bulk_each_item_has_its_own_result(api, grace):
    items = [
        {"user_id": "ada", **ADA},
        {"user_id": "bob", "email": "nobody", "timezone": "Mars"},
        {"user_id": "chen", "nick": "c"},
        {"name": "without id"},
        "not an object",
        {"user_id": "nul\0"},
        {"user_id": "grace", "name": "Eve"},
        {"user_id": "dora"},
    ]

    status, answer = api("POST", "/users/bulk", {"items": items})

    assert status == 207
    results = answer["results"]
    assert [(result["index"], result["status"]) for result in results] == [
        (0, 201),
        (1, 422),
        (2, 422),
        (3, 422),
        (4, 422),
        (5, 422),
        (6, 403),
        (7, 201),
    ]
    assert [error["pointer"] for error in results[1]["errors"]] == ["/items/1/email", "/items/1/timezone"]
    assert results[2]["errors"][0]["code"] == "unknown_field"
    assert results[6]["code"] == "staff_user"
    assert set(User.objects.values_list("user_id", flat=True)) == {"ada", "dora", "grace"}


def test_a_thousand_in_bulk_cost_as_many_queries_as_one_and_a_bad_one_spoils_none(api, django_assert_max_num_queries):
    items = [{"user_id": f"u{n}", "email": f"{n}@example.com", "attributes": {"n": n}} for n in range(1000)]
    items[500]["email"] = "nobody"

    # SQLite stores in parts: it limits the parameters of a statement.
    with django_assert_max_num_queries(24 if connection.vendor == "postgresql" else 60):
        status, answer = api("POST", "/users/bulk", {"items": items})

    assert status == 207
    assert [result["index"] for result in answer["results"]] == list(range(1000))
    assert [result["status"] for result in answer["results"]] == [201] * 500 + [422] + [201] * 499
    assert User.objects.filter(is_staff=False).count() == ContactPoint.objects.count() == 999


def test_a_bulk_body_that_holds_no_items_is_refused_whole(api):
    assert api.faults("POST", "/users/bulk", {}) == {"/items": "required"}
    assert api.faults("POST", "/users/bulk", []) == {"": "wrong_type"}
    assert api.faults("POST", "/users/bulk", {"items": "x"}) == {"/items": "wrong_type"}
    assert api.faults("POST", "/users/bulk", {"items": []}) == {"/items": "too_short"}
    assert api.faults("POST", "/users/bulk", {"items": [{}], "more": 1}) == {"/more": "unknown_field"}
    assert api.faults("POST", "/users/bulk", {"items": [{"user_id": f"u{n}"} for n in range(1001)]}) == {
        "/items": "too_long"
    }
    assert not User.objects.exists()


def test_addresses_are_listed_masked(api):
    api("PUT", "/users/ada", ADA)

    points = api.get("/users/ada/contact_points")["results"]

    assert {point["channel"]: point["address"] for point in points} == {
        "email": "a•••@example.com",
        "sms": "+1•••06",
        "voice": "+1•••06",
    }
    assert all(point["verified_at"] and not point["disabled_at"] and "secret" not in point for point in points)


def test_a_webhooks_secret_is_shown_once(api, ada):
    body = {"channel": "webhook", "address": "https://example.com/hook", "label": "CRM"}

    status, point = api("POST", "/users/ada/contact_points", body)

    assert (status, point["label"], point["secret"][:6]) == (201, "CRM", "whsec_")
    assert "secret" not in api.get(f"/users/ada/contact_points/{point['id']}")
    status, again = api("POST", "/users/ada/contact_points", body)
    assert (status, again["id"]) == (200, point["id"])
    assert "secret" not in again


def test_an_address_can_be_changed_disabled_enabled_and_removed(api, ada):
    _, point = api("POST", "/users/ada/contact_points", {"channel": "email", "address": "old@example.com"})
    path = f"/users/ada/contact_points/{point['id']}"

    assert api("PATCH", path, {"address": "new@example.com"})[1]["address"] == "n•••@example.com"
    off = api("PATCH", path, {"disabled_at": "2026-11-21T18:05:00Z"})[1]
    assert (bool(off["disabled_at"]), off["disabled_reason"]) == (True, "by_caller")
    assert api("PATCH", path, {"label": "home"})[1]["disabled_at"]
    assert api("PATCH", path, {"disabled_at": None})[1]["disabled_at"] is None
    assert api("DELETE", path)[0] == 204
    assert api("GET", path)[0] == 404
    assert not ContactPoint.objects.exists()


def test_an_address_belongs_to_its_own_person_only(api, ada, bob):
    _, point = api("POST", "/users/ada/contact_points", {"channel": "email", "address": "ada@example.com"})

    for method in ("GET", "PATCH", "DELETE"):
        assert api(method, f"/users/bob/contact_points/{point['id']}", {} if method == "PATCH" else None)[0] == 404
    assert ContactPoint.objects.exists()


def test_bad_addresses_are_refused(api, ada):
    path = "/users/ada/contact_points"
    assert api.faults("POST", path, {"channel": "fax", "address": "1", "x": 1}) == {
        "/channel": "invalid_value",
        "/x": "unknown_field",
    }
    assert api.faults("POST", path, {"channel": "email"}) == {"/address": "required"}
    assert api.faults("POST", path, {"channel": "email", "address": "nobody"}) == {"/address": "invalid_address"}
    assert api.faults("POST", path, {"channel": "in_app", "address": "x"}) == {"/address": "invalid_address"}
    assert api.faults("POST", path, {"channel": "email", "address": {"endpoint": 1}}) == {"/address": "invalid_address"}
    assert api.faults("POST", path, {"channel": "email", "address": "a\0@example.com"}) == {
        "/address": "invalid_string"
    }
    assert not ContactPoint.objects.exists()
