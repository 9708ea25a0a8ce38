"""`Authorization: Bearer crl_…`: services by their API key."""

from typing import Any

from django.contrib.auth.models import AnonymousUser
from django.http import HttpRequest
from drf_spectacular.extensions import OpenApiAuthenticationExtension
from rest_framework.authentication import BaseAuthentication
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.request import Request

from notifications.access import keys
from notifications.access.keys import Credentials

__all__ = ["ApiKeyAuthentication", "Credentials"]


class ApiKeyAuthentication(BaseAuthentication):
    """`request.auth` becomes the key's Credentials. `request.user` stays nobody: a service is no person."""

    def authenticate(self, request: Request) -> tuple[AnonymousUser, Credentials] | None:
        if not request.META.get("HTTP_AUTHORIZATION", "").partition(" ")[0]:
            return None
        credentials = of_key(request._request)
        if credentials is None:
            raise AuthenticationFailed("The API key is unknown, expired or revoked.")
        return AnonymousUser(), credentials

    def authenticate_header(self, request: Request) -> str:
        return 'Bearer realm="api"'


def of_key(request: HttpRequest) -> Credentials | None:
    """Return whom a request's API key speaks for, or None when it has none that holds."""
    scheme, _, text = request.META.get("HTTP_AUTHORIZATION", "").partition(" ")
    return keys.check(text.strip()) if scheme.lower() == "bearer" else None


def credentials(request: Request) -> Credentials:
    """Return whom a request speaks for, in views that only keys reach."""
    assert isinstance(request.auth, Credentials)
    return request.auth


class ApiKeyInOpenApi(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]
    target_class = ApiKeyAuthentication
    name = "ApiKey"

    def get_security_definition(self, auto_schema: Any) -> dict[str, str]:
        return {
            "type": "http",
            "scheme": "bearer",
            "bearerFormat": "crl_live_<id>_<secret>",
            "description": "The API key of a service: `Authorization: Bearer crl_live_…`, or `crl_test_…`.",
        }
