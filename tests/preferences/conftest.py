import json
from typing import Any

import pytest
from django.test import Client

from notifications.access import keys
from notifications.models import Caller
from preferences.models import Category, User
from templates_app.models import Type


class Api:
    """A service that calls the API with its key."""

    def __init__(self, key: str) -> None:
        self._client = Client(headers={"Authorization": f"Bearer {key}"})

    def __call__(self, method: str, path: str, body: Any = None, **headers: str) -> tuple[int, Any]:
        """Return the status and the JSON of the answer."""
        more = {} if body is None else {"data": json.dumps(body), "content_type": "application/json"}
        call = getattr(self._client, method.lower())
        response = call(f"/api/v1{path}", **more, **({"headers": headers} if headers else {}))
        return response.status_code, response.json() if response.content else None

    def get(self, path: str) -> Any:
        status, answer = self("GET", path)
        assert status == 200, answer
        return answer

    def faults(self, method: str, path: str, body: Any) -> dict[str, str]:
        """Return the faults of a refused request: pointer → code."""
        status, answer = self(method, path, body)
        assert status == 422, answer
        return {error["pointer"]: error["code"] for error in answer["errors"]}


@pytest.fixture
def api(db):
    return api_with({"users", "preferences", "admin"})


@pytest.fixture
def api_that_only_sends(db):
    return api_with({"send"})


def api_with(scopes: set[str]) -> Api:
    caller, _ = Caller.objects.get_or_create(key="shop", defaults={"name": "Shop"})
    _, text = keys.issue(caller, name="test", mode="live", scopes=scopes, actor="system")
    return Api(text)


@pytest.fixture
def ada(db):
    return User.objects.create_user("ada", name="Ada Lovelace", locale="en", timezone="Europe/London")


@pytest.fixture
def bob(db):
    return User.objects.create_user("bob", name="Bob", locale="de", timezone="Europe/Berlin")


@pytest.fixture
def grace(db):
    return User.objects.create_superuser("grace", "secret")


@pytest.fixture
def orders(db):
    return Category.objects.create(key="orders", name="Orders", required_channels=["email"])


@pytest.fixture
def offers(db):
    return Category.objects.create(key="offers", name="Offers", kind="marketing", default_channels={"push": False})


@pytest.fixture
def weekly_offers(offers):
    return Type.objects.create(key="WEEKLY_OFFERS", name="Offers of the week", category=offers)
