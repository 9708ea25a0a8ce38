from typing import Any

import pytest
from django.core.cache import cache
from rest_framework.test import APIClient

from notifications.access import keys
from notifications.access.scopes import SCOPES
from notifications.models import ApiKey, Caller


class Service:
    """A service that calls the API with its key."""

    def __init__(self, key: ApiKey, text: str) -> None:
        self.key, self.text = key, text
        self.client = APIClient()

    def send(self, body: Any, *, path: str = "/api/v1/notifications/send", **headers: str) -> Any:
        return self.post(path, body, **headers)

    def post(self, path: str, body: Any = None, **headers: str) -> Any:
        return self.client.post(path, body, format="json", headers=self._headers(headers))

    def post_raw(self, path: str, body: bytes, content_type: str = "application/json", **headers: str) -> Any:
        return self.client.generic("POST", path, body, content_type=content_type, headers=self._headers(headers))

    def get(self, path: str, **params: Any) -> Any:
        return self.client.get(path, params, headers=self._headers({}))

    def delete(self, path: str) -> Any:
        return self.client.delete(path, headers=self._headers({}))

    def _headers(self, more: dict[str, str]) -> dict[str, str]:
        given = {name.replace("_", "-"): value for name, value in more.items()}
        return {"authorization": f"Bearer {self.text}"} | given


def service(caller: Caller, mode: str = "live", scopes: Any = SCOPES, **fields: Any) -> Service:
    return Service(*keys.issue(caller, mode, scopes, actor="test", **fields))


def pointers(response: Any) -> dict[str, str]:
    """Return the code of each pointer that an answer names."""
    assert response["Content-Type"] == "application/problem+json", response.content
    return {error["pointer"]: error["code"] for error in response.json()["errors"]}


@pytest.fixture
def shop(caller):
    return service(caller)


@pytest.fixture
def shop_testing(caller):
    return service(caller, "test")


@pytest.fixture
def stranger(db):
    return service(Caller.objects.create(key="stranger", name="Stranger"))


@pytest.fixture(autouse=True)
def _empty_cache():
    cache.clear()


@pytest.fixture
def typed(order_confirmation):
    """ORDER_CONFIRMATION as the demo has it: two variables are required."""
    order_confirmation.schema = {
        "type": "object",
        "required": ["order_id", "customer_name"],
        "properties": {"order_id": {"type": "string", "maxLength": 20}, "customer_name": {"type": "string"}},
    }
    order_confirmation.save()
    return order_confirmation


@pytest.fixture
def body():
    return {
        "user_id": "ada",
        "type": "ORDER_CONFIRMATION",
        "channels_preferred": ["email", "sms"],
        "priority": "HIGH",
        "payload": {
            "title": "Your Order #1234 Confirmed!",
            "body": "Thank you for your purchase.",
            "link": "https://example.com/order/1234",
            "template_variables": {"order_id": "1234", "customer_name": "John Doe"},
        },
        "timestamp": "2026-11-21T18:05:00Z",
        "metadata": {"trace": "x"},
    }
