"""Provider accounts by API. Credentials go in and never come out."""

from typing import Annotated, Any

import msgspec
from drf_spectacular.utils import OpenApiParameter, extend_schema
from msgspec import Meta
from rest_framework.request import Request
from rest_framework.response import Response

from notifications import account_changes, accounts
from notifications.models import ProviderAccount
from notifications.providers import options
from project.foundation import bodies, pages
from project.foundation.problems import NotFound
from project.foundation.views import ApiView


class AccountBody(msgspec.Struct, forbid_unknown_fields=True):
    """`options` are the provider's own; a string "env:NAME" stands for an environment variable of the workers."""

    provider: Annotated[str, Meta(max_length=40)]
    channel: Annotated[str, Meta(max_length=20)] | None = None  # may be left out for a provider of one channel
    options: dict[str, Any] | None = None
    order: Annotated[int, Meta(ge=0, le=32767)] | None = None
    enabled: bool | None = None
    rate_limit: Annotated[str, Meta(max_length=20, description="100/s, 1000/m; none = as fast as it goes")] | None = (
        None
    )
    weight: Annotated[int, Meta(ge=1, le=1000, description="Its share among accounts of the same order")] | None = None
    countries: (
        Annotated[
            list[Annotated[str, Meta(max_length=2)]],
            Meta(max_length=300, description="sms and voice: of the numbers it serves, as DE; none = all"),
        ]
        | None
    ) = None
    categories: (
        Annotated[
            list[Annotated[str, Meta(max_length=100)]],
            Meta(max_length=1000, description="Keys of the categories it serves; none = all"),
        ]
        | None
    ) = None


class AccountAnswer(msgspec.Struct):
    name: str
    provider: str
    channel: str
    options: dict[str, Any]  # a credential is "•••" where set and null where not
    order: int
    enabled: bool
    rate_limit: str | None
    weight: int
    countries: list[str]
    categories: list[str]


class AccountPage(msgspec.Struct):
    results: list[AccountAnswer]
    next: str | None


class ProviderAccounts(ApiView):
    required_scopes = {"admin"}

    @extend_schema(
        operation_id="list_provider_accounts",
        parameters=[OpenApiParameter("limit", int), OpenApiParameter("cursor", str)],
        responses={200: bodies.openapi_schema(AccountPage)},
    )
    def get(self, request: Request) -> Response:
        """List the provider accounts."""
        rows, following = pages.page(ProviderAccount.objects.all(), request)
        return pages.answer(rows, following, _shown)


class ProviderAccountByName(ApiView):
    required_scopes = {"admin"}

    @extend_schema(operation_id="get_provider_account", responses={200: bodies.openapi_schema(AccountAnswer)})
    def get(self, request: Request, name: str) -> Response:
        """Read one provider account."""
        return Response(_shown(_find(name)))

    @extend_schema(
        operation_id="put_provider_account",
        request=bodies.openapi(AccountBody),
        responses={code: bodies.openapi_schema(AccountAnswer) for code in (200, 201)},
    )
    def put(self, request: Request, name: str) -> Response:
        """Make or replace a provider account. A credential that is left out stays what it was."""
        auth: Any = request.auth
        body = bodies.read(request, AccountBody)
        account, created = account_changes.save(
            name,
            account_changes.Wanted(
                provider=body.provider,
                channel=body.channel,
                options=body.options or {},
                order=10 if body.order is None else body.order,
                enabled=body.enabled is not False,
                rate_limit=body.rate_limit or "",
                weight=1 if body.weight is None else body.weight,
                countries=body.countries or [],
                categories=body.categories or [],
            ),
            actor=auth.actor,
        )
        return Response(_shown(account), status=201 if created else 200)

    @extend_schema(operation_id="delete_provider_account", responses={204: None})
    def delete(self, request: Request, name: str) -> Response:
        """Delete a provider account."""
        auth: Any = request.auth
        account_changes.remove(_find(name), actor=auth.actor)
        return Response(status=204)


def _find(name: str) -> ProviderAccount:
    account = ProviderAccount.objects.filter(name=name).first()
    if account is None:
        raise NotFound(f"There is no provider account {name!r}.")
    return account


def _shown(account: ProviderAccount) -> dict[str, Any]:
    provider = accounts.provider_classes().get(account.provider)
    return {
        "name": account.name,
        "provider": account.provider,
        "channel": account.channel,
        "options": options.shown(provider.Options, account.options) if provider else {},
        "order": account.order,
        "enabled": account.enabled,
        "rate_limit": account.rate_limit or None,
        "weight": account.weight,
        "countries": account.countries,
        "categories": account.categories,
    }
