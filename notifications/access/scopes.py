"""What a key may do."""

from collections.abc import Mapping
from typing import Any

from rest_framework.permissions import BasePermission
from rest_framework.request import Request

SCOPES = ("send", "read", "users", "preferences", "templates", "broadcasts", "webhooks", "admin")


class HasScopes(BasePermission):
    """The key has every scope that the view names in `required_scopes`. A view that names none is closed to keys."""

    message = "The key lacks a scope that this route needs."

    def has_permission(self, request: Request, view: Any) -> bool:
        needed = required(view, request.method or "")
        return needed is not None and needed <= getattr(request.auth, "scopes", frozenset())


def required(view: Any, method: str) -> set[str] | None:
    """Return the scopes that a view needs for a method; None when the view names none."""
    needed: Any = getattr(view, "required_scopes", None)
    if isinstance(needed, Mapping):
        # A method that the view does not have must get as far as its 405.
        return set(needed.get("GET" if method == "HEAD" else method, set()))
    return None if needed is None else set(needed)
