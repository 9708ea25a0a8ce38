from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from rest_framework.test import APIClient

from preferences.models import Category
from project.foundation.durations import duration, written
from templates_app.models import Template, Type
from tests.templates_app.conftest import SCHEMA

Api = Callable[..., APIClient]


def faults(response: Any) -> list[tuple[str, str]]:
    assert response.status_code == 422, response.content
    return [(error["pointer"], error["code"]) for error in response.json()["errors"]]


def test_a_type_is_made_read_and_replaced(api: Api, orders: Category, template: Template) -> None:
    client = api()
    full = {
        "name": "Order shipped",
        "category": "orders",
        "template": "order_shipped",
        "schema": SCHEMA,
        "priority": "HIGH",
        "expires_after": "24h",
    }

    made = client.put("/api/v1/types/ORDER_SHIPPED", full)
    read = client.get("/api/v1/types/ORDER_SHIPPED")
    replaced = client.put("/api/v1/types/ORDER_SHIPPED", {"category": "orders"})

    assert (made.status_code, replaced.status_code) == (201, 200)
    assert made.json() == read.json() == {"key": "ORDER_SHIPPED", **full}
    assert replaced.json() == {
        "key": "ORDER_SHIPPED",
        "name": "ORDER_SHIPPED",
        "category": "orders",
        "template": None,
        "schema": None,
        "priority": "MEDIUM",
        "expires_after": None,
    }
    assert client.get("/api/v1/types?limit=1").json()["results"] == [replaced.json()]


def test_what_is_not_built_may_be_absent_or_empty(api: Api, orders: Category) -> None:
    body = {"category": "orders", "steps": None, "throttle": None, "digest": None, "sensitive": False}

    assert api().put("/api/v1/types/A", body).status_code == 201


def test_every_fault_is_named_at_once(api: Api) -> None:
    body = {
        "name": "x",
        "category": "none",
        "template": "none",
        "schema": {"type": "nope"},
        "expires_after": "soon",
    }

    assert sorted(faults(api().put("/api/v1/types/A", body))) == [
        ("/category", "unknown_category"),
        ("/expires_after", "invalid_duration"),
        ("/schema/type", "invalid_schema"),
        ("/template", "unknown_template"),
    ]
    assert not Type.objects.filter(key="A").exists()


@pytest.mark.parametrize(
    ("field", "value", "code"),
    [
        ("steps", [{"send": ["email"]}], "not_available"),
        ("throttle", {"max": 1, "per": "1m"}, "not_available"),
        ("digest", {"window": "30m"}, "not_available"),
        ("sensitive", True, "not_available"),
        ("expires_after", "0s", "invalid_value"),
        ("expires_after", "9999d", "invalid_value"),
        ("expires_after", "999999999d", "invalid_value"),
        ("priority", "URGENT", "invalid_value"),
        ("schema", {"$ref": "http://127.0.0.1/"}, "invalid_schema"),
        ("nope", 1, "unknown_field"),
        ("name", "x" * 201, "too_long"),
    ],
)
def test_a_bad_field_is_refused(api: Api, orders: Category, field: str, value: Any, code: str) -> None:
    ((pointer, found),) = faults(api().put("/api/v1/types/A", {"category": "orders", field: value}))

    assert (pointer.startswith(f"/{field}"), found) == (True, code)
    assert not Type.objects.filter(key="A").exists()


@pytest.mark.parametrize("key", ["a b", "ä", "x" * 101])
def test_a_bad_key_is_refused(api: Api, orders: Category, key: str) -> None:
    assert faults(api().put(f"/api/v1/types/{key}", {"category": "orders"})) == [("/key", "invalid_key")]
    assert api().get(f"/api/v1/types/{key}").status_code == 404


@pytest.mark.parametrize("text", ["30s", "10m", "24h", "7d", "90m", "36h"])
def test_a_duration_reads_back_as_the_same_time(text: str) -> None:
    value = duration(text)

    assert value is not None
    assert duration(written(value)) == value


def test_a_day_is_written_as_24h() -> None:
    assert written(timedelta(days=1)) == "24h"
    assert written(timedelta(days=7)) == "7d"
