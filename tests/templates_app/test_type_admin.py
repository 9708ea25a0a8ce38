import json
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client

from preferences.models import Category, User
from project.foundation.models import AuditEvent
from templates_app.models import Type
from tests.templates_app.conftest import SCHEMA

ADD = "/admin/templates_app/type/add/"


@pytest.fixture
def admin(db: None) -> Client:
    client = Client()
    client.force_login(User.objects.create_superuser("root", "secret"))
    return client


def form(category: Category, **fields: Any) -> dict[str, Any]:
    return {
        "name": "Order shipped",
        "key": "ORDER_SHIPPED",
        "category": category.pk,
        "template": "",
        "priority": "HIGH",
        "expires_after": "10m",
        "schema": json.dumps(SCHEMA),
        **fields,
    }


def test_a_type_is_made_with_a_schema_and_an_expiry(admin: Client, orders: Category) -> None:
    answer = admin.post(ADD, form(orders))

    type_ = Type.objects.get(key="ORDER_SHIPPED")
    assert answer.status_code == 302
    assert (type_.schema, type_.expires_after) == (SCHEMA, timedelta(minutes=10))
    assert AuditEvent.objects.filter(action="type.created", target="type:ORDER_SHIPPED").exists()
    page = admin.get(f"/admin/templates_app/type/{type_.pk}/change/").content.decode()
    assert "10m" in page
    assert "&quot;order_id&quot;" in page


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"schema": "{"}, "JSON"),
        ({"schema": '{"type": "nope"}'}, "/type"),
        ({"schema": "[]"}, "object"),
        ({"schema": '{"$ref": "#"}'}, "circle|stays within"),
        ({"schema": '{"required": ["a"], "examples": [{}]}'}, "/examples/0/a"),
        ({"expires_after": "soon"}, "24h"),
        ({"expires_after": "0s"}, "one second"),
        ({"key": "order shipped/x"}, "letters, digits"),
    ],
)
def test_a_faulty_type_is_refused_in_words(admin: Client, orders: Category, fields: Any, said: str) -> None:
    page = admin.post(ADD, form(orders, **fields)).content.decode()

    assert any(word in page for word in said.split("|"))
    assert not Type.objects.filter(key="ORDER_SHIPPED").exists()


def test_a_key_never_changes(admin: Client, orders: Category) -> None:
    admin.post(ADD, form(orders))
    type_ = Type.objects.get(key="ORDER_SHIPPED")

    admin.post(f"/admin/templates_app/type/{type_.pk}/change/", form(orders, key="OTHER", schema="", expires_after=""))

    type_.refresh_from_db()
    assert (type_.key, type_.schema, type_.expires_after) == ("ORDER_SHIPPED", None, None)


def test_a_new_types_schema_begins_empty(admin: Client) -> None:
    assert admin.get(ADD).context["adminform"].form["schema"].value() in (None, "")
    assert ">\nnull</textarea>" not in admin.get(ADD).content.decode()
