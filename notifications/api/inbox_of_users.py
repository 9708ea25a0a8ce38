"""What services may do with a person's inbox: read it, and let the person's browser in."""

from datetime import datetime
from typing import Annotated, Any

from drf_spectacular.utils import OpenApiParameter, extend_schema
from msgspec import Meta, Struct
from rest_framework.request import Request
from rest_framework.response import Response

from notifications.api.inbox_schemas import ItemAnswer
from notifications.inbox import feed, tokens
from notifications.models import Mode
from preferences.api import people
from project.foundation import bodies, pages
from project.foundation.problems import Fault, InvalidRequest
from project.foundation.views import ApiView


class ItemsPage(Struct):
    results: list[ItemAnswer]
    next: str | None


class Lifetime(Struct, forbid_unknown_fields=True):
    """How long the token is good for, in seconds; an hour without it."""

    expires_in: Annotated[int, Meta(ge=1, le=tokens.MAX_SECONDS)] | None = None


class TokenAnswer(Struct):
    token: str
    expires_at: datetime


class UserInbox(ApiView):
    required_scopes = {"read"}

    @extend_schema(
        operation_id="list_user_inbox",
        parameters=[
            OpenApiParameter("is_read", bool),
            OpenApiParameter("limit", int),
            OpenApiParameter("cursor", str),
        ],
        responses={200: bodies.openapi_schema(ItemsPage)},
    )
    def get(self, request: Request, user_id: str) -> Response:
        """List a person's items that are not archived, newest first. A test key sees none: its sends write none."""
        auth: Any = request.auth
        is_read = request.query_params.get("is_read", "")
        if is_read not in _STATUS_OF:
            raise InvalidRequest(errors=[Fault("/is_read", "invalid_value", "It must be true or false.")])
        items = feed.listed(people.find(user_id).pk, status=_STATUS_OF[is_read])
        rows, following = pages.page(items if auth.mode == Mode.LIVE else items.none(), request)
        return Response({"results": feed.documents(rows), "next": following})


class UserTokens(ApiView):
    required_scopes = {"users"}

    @extend_schema(
        operation_id="create_user_token",
        request=bodies.openapi(Lifetime),
        responses={201: bodies.openapi_schema(TokenAnswer)},
    )
    def post(self, request: Request, user_id: str) -> Response:
        """Mint a token that opens this person's own inbox for at most an hour, and nothing else."""
        auth: Any = request.auth
        lifetime = bodies.read(request, Lifetime, optional=True)
        user = people.find_changeable(user_id)
        token, expires_at = tokens.mint(
            user_id=user.user_id,
            user_pk=user.pk,
            mode=auth.mode,
            seconds=lifetime.expires_in or tokens.MAX_SECONDS,
        )
        return Response({"token": token, "expires_at": expires_at}, status=201)


_STATUS_OF = {"": "", "true": "read", "false": "unread"}
