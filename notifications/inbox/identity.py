"""Who is at the inbox: a person with a session, or with a token. Never more than that person's own inbox."""

from dataclasses import dataclass
from importlib import import_module
from typing import Any

from django.conf import settings
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
from django.http import HttpRequest
from django.middleware.csrf import get_token
from django.utils.crypto import constant_time_compare
from drf_spectacular.extensions import OpenApiAuthenticationExtension
from drf_spectacular.openapi import AutoSchema
from rest_framework.authentication import BaseAuthentication, CSRFCheck
from rest_framework.exceptions import AuthenticationFailed, PermissionDenied
from rest_framework.request import Request

from notifications.inbox import tokens
from notifications.models import Mode
from preferences.models import User


@dataclass(frozen=True)
class EndUser:
    """A person at their own inbox: `request.auth` of the inbox routes."""

    user: User
    mode: str = Mode.LIVE
    expires_at: float | None = None  # Unix time; None = as long as the session
    scopes: frozenset[str] = frozenset()

    @property
    def actor(self) -> str:
        return f"user:{self.user.user_id}"


def claims_of(token: str) -> tokens.Claims | None:
    """Return what a token says, without asking whether its person is still there; None when it is not valid."""
    try:
        return tokens.verify(token)
    except tokens.InvalidToken:
        return None


def of_token(token: str) -> EndUser | None:
    """Return whom a token speaks for, in one query; None when it is not valid or its person is gone."""
    claims = claims_of(token)
    if claims is None:
        return None
    user = User.objects.filter(pk=claims.user_pk, user_id=claims.user_id).first()
    return EndUser(user, claims.mode, claims.expires_at) if user is not None and _may_enter(user) else None


def of_session(session_key: str | None) -> EndUser | None:
    """Return whose session this is; None when there is none.

    Django's own get_user would give the session a new key when it was signed with a fallback of SECRET_KEY, and a
    websocket cannot tell the browser of it.
    """
    if not session_key:
        return None
    session: Any = import_module(settings.SESSION_ENGINE).SessionStore(session_key)
    user = User.objects.filter(pk=session.get(SESSION_KEY)).first() if SESSION_KEY in session else None
    if user is None or session.get(BACKEND_SESSION_KEY) not in settings.AUTHENTICATION_BACKENDS:
        return None
    signed = session.get(HASH_SESSION_KEY, "")
    hashes = [user.get_session_auth_hash(), *user.get_session_auth_fallback_hash()]
    if not any(constant_time_compare(signed, known) for known in hashes):
        return None
    return EndUser(user) if _may_enter(user) else None


def _may_enter(user: User) -> bool:
    return user.is_active and user.erased_at is None


class EndUserAuthentication(BaseAuthentication):
    """`Authorization: Bearer <token>`, or the session cookie, with CSRF protection for all but reads."""

    def authenticate(self, request: Request) -> tuple[User, EndUser] | None:
        scheme, _, token = request.META.get("HTTP_AUTHORIZATION", "").partition(" ")
        end_user = self._by_token(scheme, token.strip()) if scheme else self._by_session(request._request)
        return None if end_user is None else (end_user.user, end_user)

    def authenticate_header(self, request: Request) -> str:
        return 'Bearer realm="inbox"'

    def _by_token(self, scheme: str, token: str) -> EndUser:
        end_user = of_token(token) if scheme.lower() == "bearer" else None
        if end_user is None:
            raise AuthenticationFailed("The token has expired or is not valid.")
        return end_user

    def _by_session(self, http: HttpRequest) -> EndUser | None:
        user = getattr(http, "user", None)
        if not isinstance(user, User) or not _may_enter(user):
            return None
        check: Any = CSRFCheck(lambda _: None)  # type: ignore[arg-type]
        check.process_request(http)
        if reason := check.process_view(http, None, (), {}):
            raise PermissionDenied(f"CSRF failed: {reason}")
        get_token(http)  # so that the page's scripts find the cookie that their next POST needs
        return EndUser(user)


class EndUserScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]
    """What the OpenAPI document says of EndUserAuthentication."""

    target_class = EndUserAuthentication
    name = ["inboxToken", "session"]

    def get_security_definition(self, auto_schema: AutoSchema) -> list[dict[str, str]]:
        return [
            {"type": "http", "scheme": "bearer", "bearerFormat": "JWT", "description": "Of POST /users/{id}/tokens."},
            {"type": "apiKey", "in": "cookie", "name": settings.SESSION_COOKIE_NAME},
        ]
