"""/categories: what people may opt out of."""

import re
from typing import Any

from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from preferences import categories
from preferences.api import answers, people
from preferences.api.schemas import CategoryBody
from preferences.models import Category
from project.foundation import bodies, pages
from project.foundation.problems import Fault, InvalidRequest, NotFound, not_available
from project.foundation.views import ApiView

_KEY = re.compile(r"[A-Za-z0-9_-]{1,100}")
_ONE = bodies.openapi_schema(answers.CategoryAnswer)
_PAGE = bodies.openapi_schema(answers.CategoryPage)


class Categories(ApiView):
    required_scopes = {"admin"}

    @extend_schema(
        operation_id="list_categories",
        parameters=[OpenApiParameter("limit", int), OpenApiParameter("cursor")],
        responses={200: _PAGE},
    )
    def get(self, request: Request) -> Response:
        """List categories, newest first."""
        rows, following = pages.page(Category.objects.all(), request, key="-pk")
        return Response(answers.CategoryPage([answers.category(row) for row in rows], following))


class OneCategory(ApiView):
    required_scopes = {"admin"}

    @extend_schema(operation_id="get_category", responses={200: _ONE})
    def get(self, request: Request, key: str) -> Response:
        """Return one category."""
        category = Category.objects.filter(key=key).first() if _KEY.fullmatch(key) else None
        if category is None:
            raise NotFound("There is no such category.")
        return Response(answers.category(category))

    @extend_schema(operation_id="put_category", request=bodies.openapi(CategoryBody), responses={200: _ONE, 201: _ONE})
    def put(self, request: Request, key: str) -> Response:
        """Create or replace a category: what is absent or null gets its default."""
        found = []
        if not _KEY.fullmatch(key):
            message = 'A category\'s key has 1 to 100 letters, digits, "-" and "_".'
            found.append(Fault("/key", "invalid_key", message))
        try:
            body = bodies.read(request, CategoryBody)
        except InvalidRequest as error:
            raise InvalidRequest(errors=[*found, *error.errors]) from None
        if body.approval:
            found.append(not_available("/approval"))
        if found:
            raise InvalidRequest(errors=found)
        category, created = categories.put(key, _values(body), actor=people.actor(request))
        return Response(answers.category(category), status=201 if created else 200)


def _values(body: CategoryBody) -> dict[str, Any]:
    given = {name: getattr(body, name) for name in body.__struct_fields__}
    values = {name: value for name, value in given.items() if value is not None}
    if body.required_channels:
        values["required_channels"] = list(dict.fromkeys(body.required_channels))
    if body.default_channels:
        chosen = {channel: yes for channel, yes in body.default_channels.items() if yes is not None}
        values["default_channels"] = chosen
    return values
