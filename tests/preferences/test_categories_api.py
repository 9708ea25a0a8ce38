import pytest

from preferences.models import Category
from project.foundation.models import AuditEvent


def test_put_makes_a_category_with_the_defaults_of_its_kind(api):
    status, answer = api("PUT", "/categories/offers", {"name": "Offers", "kind": "marketing", "overflow": None})

    assert status == 201
    assert answer == api.get("/categories/offers")
    assert answer == {
        "key": "offers",
        "name": "Offers",
        "description": "",
        "kind": "marketing",
        "required_channels": [],
        "default_channels": {},
        "overflow": "digest",
        "urgent": False,
        "unknown_outcome": "hold",
        "approval": False,
        "track_opens": True,
        "track_clicks": True,
        "double_opt_in": False,
    }
    assert api("PUT", "/categories/orders", {"name": "Orders"})[1]["unknown_outcome"] == "resend"


def test_put_replaces_a_category_whole_and_is_audited(api):
    api("PUT", "/categories/orders", {"name": "Orders", "required_channels": ["email", "email"], "urgent": True})
    status, answer = api(
        "PUT", "/categories/orders", {"name": "Your orders", "default_channels": {"sms": False, "push": None}}
    )

    assert status == 200
    assert (answer["name"], answer["required_channels"], answer["urgent"]) == ("Your orders", [], False)
    assert answer["default_channels"] == {"sms": False}
    events = AuditEvent.objects.filter(target="category:orders").order_by("id")
    assert [(event.action, event.actor) for event in events] == [
        ("category.created", "key:shop"),
        ("category.changed", "key:shop"),
    ]


def test_categories_are_listed(api, orders, offers):
    assert [category["key"] for category in api.get("/categories?limit=2")["results"]] == ["offers", "orders"]


@pytest.mark.parametrize(
    ("body", "faults"),
    [
        ({}, {"/name": "required"}),
        ({"name": ""}, {"/name": "too_short"}),
        ({"name": "x", "kind": "spam"}, {"/kind": "invalid_value"}),
        ({"name": "x", "required_channels": ["fax"]}, {"/required_channels/0": "invalid_value"}),
        ({"name": "x", "default_channels": {"fax": True}}, {"/default_channels/fax": "invalid_value"}),
        ({"name": "x", "colour": "red", "urgent": "no"}, {"/colour": "unknown_field", "/urgent": "wrong_type"}),
        ({"name": "x", "approval": True}, {"/approval": "not_available"}),
    ],
)
def test_every_fault_is_named_and_nothing_stored(api, body, faults):
    assert api.faults("PUT", "/categories/offers", body) == faults
    assert not Category.objects.filter(key="offers").exists()


def test_a_key_is_a_word(api):
    assert api.faults("PUT", "/categories/two%20words", {"name": 1}) == {"/key": "invalid_key", "/name": "wrong_type"}
    assert api("GET", "/categories/two%20words")[0] == 404
    assert api("GET", "/categories/unknown")[0] == 404
