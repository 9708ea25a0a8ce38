"""/types: what may happen, and what it needs to be told."""

from datetime import timedelta
from typing import Any

from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from project.foundation import bodies, pages
from project.foundation.durations import InvalidDuration, duration, written
from project.foundation.problems import Fault, InvalidRequest, NotFound
from project.foundation.views import ApiView
from templates_app import types
from templates_app.api import later
from templates_app.api.schemas import TypeAnswer, TypeBody, TypePage
from templates_app.models import Type

_LATER = ("steps", "throttle", "digest", "sensitive")
_ONE = bodies.openapi_schema(TypeAnswer)


class Types(ApiView):
    required_scopes = {"admin"}

    @extend_schema(
        operation_id="list_types",
        parameters=[OpenApiParameter("limit", int), OpenApiParameter("cursor", str)],
        responses={200: bodies.openapi_schema(TypePage)},
    )
    def get(self, request: Request) -> Response:
        """List types, newest first."""
        rows, following = pages.page(Type.objects.select_related("category", "template"), request, key="-pk")
        return Response(TypePage([_answer(row) for row in rows], following))


class OneType(ApiView):
    required_scopes = {"admin"}

    @extend_schema(operation_id="get_type", responses={200: _ONE})
    def get(self, request: Request, key: str) -> Response:
        """Return one type."""
        type_ = Type.objects.select_related("category", "template").filter(key=key).first() if _is_key(key) else None
        if type_ is None:
            raise NotFound("There is no such type.")
        return Response(_answer(type_))

    @extend_schema(operation_id="put_type", request=bodies.openapi(TypeBody), responses={200: _ONE, 201: _ONE})
    def put(self, request: Request, key: str) -> Response:
        """Create or replace a type: what is absent or null gets its default."""
        auth: Any = request.auth
        found = [] if _is_key(key) else [Fault("/key", "invalid_key", "A type's key looks like ORDER_SHIPPED.")]
        body = later.check(bodies.data(request), TypeBody, later=_LATER, found=found)
        try:
            expires_after = duration(body.expires_after)
        except InvalidDuration as error:
            expires_after, found = None, [Fault("/expires_after", "invalid_duration", str(error))]
        wanted = types.Wanted(
            name=body.name or key,
            category=body.category,
            template=body.template,
            schema=body.schema,
            priority=body.priority or "MEDIUM",
            expires_after=expires_after,
        )
        type_, created = _save(key, wanted, found, auth.actor)
        return Response(_answer(type_), status=201 if created else 200)


def _save(key: str, wanted: types.Wanted, found: list[Fault], actor: str) -> tuple[Type, bool]:
    if found:
        raise InvalidRequest(errors=[*types.faults(wanted), *found])
    return types.save(key, wanted, actor=actor)


def _is_key(key: str) -> bool:
    return types.KEY.fullmatch(key) is not None


def _answer(type_: Type) -> TypeAnswer:
    expires_after: timedelta | None = type_.expires_after
    return TypeAnswer(
        key=type_.key,
        name=type_.name,
        category=type_.category.key,
        template=type_.template.key if type_.template else None,
        schema=type_.schema,
        priority=type_.priority,
        expires_after=None if expires_after is None else written(expires_after),
    )
