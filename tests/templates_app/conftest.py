from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest
from django.contrib.auth.models import AnonymousUser
from rest_framework.test import APIClient

from preferences.models import Category
from templates_app import drafts, publishing, rendering
from templates_app.models import Template, Type

SCHEMA: dict[str, Any] = {
    "type": "object",
    "required": ["order_id", "customer_name"],
    "properties": {"order_id": {"type": "string"}, "customer_name": {"type": "string"}},
    "examples": [{"order_id": "A-17", "customer_name": "Ada"}],
}


@dataclass(frozen=True)
class Key:
    """What a view reads of an API key."""

    scopes: frozenset[str]
    caller_id: int | None = None
    caller_key: str = "shop"
    key_id: int | None = None
    mode: str = "live"
    actor: str = "key:shop"
    rate_limit: int | None = None
    limits: dict[str, int] = field(default_factory=dict)


@pytest.fixture(autouse=True)
def no_kept_versions() -> Iterator[None]:
    rendering.forget()
    yield
    rendering.forget()


@pytest.fixture
def api(db: None) -> Callable[..., APIClient]:
    """Return a client whose key has the scopes named, all of ours when none are."""

    def client(*scopes: str) -> APIClient:
        client = APIClient(raise_request_exception=True)
        key = Key(frozenset(scopes or ("templates", "admin")))
        client.force_authenticate(user=AnonymousUser(), token=key)  # type: ignore[arg-type]
        return client

    return client


@pytest.fixture
def orders(db: None) -> Category:
    return Category.objects.create(key="orders", name="Orders")


@pytest.fixture
def template(db: None) -> Template:
    """A template with one draft content: an SMS."""
    return draft("order_shipped", ("sms", "en", {"text": "Order {{ order_id }} is on its way, {{ customer_name }}."}))


@pytest.fixture
def order_shipped(orders: Category, template: Template) -> Type:
    return Type.objects.create(
        key="ORDER_SHIPPED", name="Order shipped", category=orders, template=template, schema=SCHEMA
    )


def draft(key: str, *contents: tuple[str, str, dict[str, str]]) -> Template:
    """Write a template's draft and return the template."""
    version, _ = drafts.save(key, name=key, contents=[drafts.ContentDraft(*content) for content in contents], actor="t")
    return version.template


def published(key: str, *contents: tuple[str, str, dict[str, str]]) -> rendering.VersionContents:
    """Publish contents and return them as sends see them."""
    return rendering.version_contents(publishing.publish(draft(key, *contents), actor="t").pk)
