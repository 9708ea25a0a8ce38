"""Browsers and services that call the inbox routes."""

from typing import Any

from django.test import Client

from notifications.access import keys
from notifications.inbox import tokens
from notifications.models import Caller
from preferences.models import User

INBOX = "/api/v1/inbox"


def at_inbox(user: User, *, mode: str = "live") -> Client:
    """Return a browser that holds a token of this person."""
    token, _ = tokens.mint(user_id=user.user_id, user_pk=user.pk, mode=mode)
    return Client(headers={"Authorization": f"Bearer {token}"})


def service(*scopes: str, mode: str = "live") -> Client:
    caller, _ = Caller.objects.get_or_create(key="inbox-shop", name="Shop")
    _, key = keys.issue(caller, mode, scopes, actor="test")
    return Client(headers={"Authorization": f"Bearer {key}"})


def post(client: Client, path: str, body: Any = None) -> Any:
    return client.post(path, body if body is not None else {}, content_type="application/json")
