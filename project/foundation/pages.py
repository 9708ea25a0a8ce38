"""Cursor pages: newest first, and steady while rows are added."""

import base64
import binascii
import json
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, TypeVar

from django.core.exceptions import ValidationError
from django.db.models import Model, QuerySet
from rest_framework.request import Request
from rest_framework.response import Response

from project.foundation.problems import Fault, InvalidRequest

DEFAULT_LIMIT = 50
MAX_LIMIT = 200

Row = TypeVar("Row", bound=Model)


def page(
    queryset: QuerySet[Row], request: Request, *, key: str = "-id", limit: int = DEFAULT_LIMIT
) -> tuple[list[Row], str | None]:
    """Return one page of `queryset` in the order of the unique field `key`, and the cursor of the next, if any.

    Reads `?limit=` and `?cursor=`; raises InvalidRequest for either. One query.
    """
    limit, after = _asked(request, limit)
    name = key.removeprefix("-")
    rows = queryset.order_by(key)
    if after is not None:
        try:
            field = queryset.model._meta.pk if name == "pk" else queryset.model._meta.get_field(name)
            value = field.to_python(after)  # type: ignore[union-attr]
            if isinstance(value, datetime):
                if value.tzinfo is None:
                    raise _bad_cursor()
                value = value.astimezone(UTC)  # what has no place in UTC has none in the database
            rows = rows.filter(**{f"{name}__{'lt' if key.startswith('-') else 'gt'}": value})
        except (ValidationError, ValueError, TypeError, OverflowError):
            raise _bad_cursor() from None
    found = list(rows[: limit + 1])
    more = len(found) > limit
    return found[:limit], _cursor(getattr(found[limit - 1], name)) if more else None


def answer(rows: list[Row], following: str | None, show: Callable[[Row], dict[str, Any]]) -> Response:
    """Return the answer of a list route."""
    return Response({"results": [show(row) for row in rows], "next": following})


def _asked(request: Request, default: int) -> tuple[int, Any]:
    found = []
    text = request.query_params.get("limit", str(default))
    if not (text.isascii() and text.isdecimal() and len(text) < 10 and 1 <= int(text) <= MAX_LIMIT):
        found.append(Fault("/limit", "invalid_value", f"It must be a whole number from 1 to {MAX_LIMIT}."))
    after = None
    if cursor := request.query_params.get("cursor"):
        try:
            after = _read_cursor(cursor)
        except InvalidRequest as error:
            found += error.errors
    if found:
        raise InvalidRequest(errors=found)
    return int(text), after


def _cursor(value: Any) -> str:
    return base64.urlsafe_b64encode(json.dumps(value, default=str).encode()).decode().rstrip("=")


def _read_cursor(cursor: str) -> int | str:
    try:
        value = json.loads(base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True))
    except (binascii.Error, ValueError, RecursionError):
        raise _bad_cursor() from None
    if isinstance(value, bool) or not isinstance(value, int | str) or (isinstance(value, str) and "\0" in value):
        raise _bad_cursor()
    return value


def _bad_cursor() -> InvalidRequest:
    return InvalidRequest(errors=[Fault("/cursor", "invalid_cursor", "Use a cursor that a page gave you, as it is.")])
