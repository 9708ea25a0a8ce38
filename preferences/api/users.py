"""/users: people by the caller's own id, one or a thousand at once."""

from datetime import UTC
from typing import Any

from django.db.models import QuerySet
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from preferences import contact_points, erasure
from preferences.addresses import InvalidAddress, normalise
from preferences.api import answers, people
from preferences.api.schemas import BulkUser, BulkUsers
from preferences.models import User
from preferences.users import Upserted, UserFields, upsert, upsert_many
from project.foundation import bodies, pages
from project.foundation.client_ip import client_ip
from project.foundation.problems import Fault, InvalidRequest, Problem
from project.foundation.views import ApiView

_PAGE = bodies.openapi_schema(answers.UserPage)
_USER = bodies.openapi_schema(answers.UserAnswer)
_ERASED = bodies.openapi_schema(answers.ErasedAnswer)
_FILTERS = [
    OpenApiParameter("user_id", description="Begins with this."),
    OpenApiParameter("email", description="Has this address."),
    OpenApiParameter("phone", description="Has this number."),
    OpenApiParameter("limit", int),
    OpenApiParameter("cursor"),
]


class Users(ApiView):
    required_scopes = {"users"}

    @extend_schema(operation_id="list_users", parameters=_FILTERS, responses={200: _PAGE})
    def get(self, request: Request) -> Response:
        """List people, newest first."""
        rows, following = pages.page(_filtered(request.query_params), request, key="-pk")
        return Response(answers.UserPage([answers.user(row, row.contact_points.all()) for row in rows], following))


class OneUser(ApiView):
    required_scopes = {"users"}

    @extend_schema(operation_id="get_user", responses={200: _USER})
    def get(self, request: Request, user_id: str) -> Response:
        """Return one person."""
        user = people.find(user_id)
        return Response(answers.user(user, user.contact_points.all()))

    @extend_schema(operation_id="put_user", request=bodies.openapi(UserFields), responses={200: _USER, 201: _USER})
    def put(self, request: Request, user_id: str) -> Response:
        """Create or change one person.

        An absent field stays as it is, null clears it, `attributes` replaces all attributes. `email` and `phone`
        replace the address that an earlier `email` or `phone` set, and no other contact point.
        """
        user, created = upsert(user_id, bodies.read(request, UserFields))
        return Response(answers.user(user, user.contact_points.all()), status=201 if created else 200)

    @extend_schema(operation_id="erase_user", responses={202: _ERASED})
    def delete(self, request: Request, user_id: str) -> Response:
        """Erase one person: addresses, name, texts and choices go at once, and nothing more is sent to them.

        What waited for them is cancelled in the same transaction. Their addresses stay blocked, by a fingerprint, until
        the person asks for messages again; a later PUT of the same id makes a new person. A repeat is answered alike.
        """
        earlier = erasure.erased_at(user_id) if not people.exists(user_id) else None
        if earlier is None:
            actor, ip = people.actor(request), client_ip(request)
            earlier = erasure.erase(people.find_changeable(user_id), actor=actor, ip=ip)
        return Response(answers.ErasedAnswer(user_id, earlier.astimezone(UTC)), status=202)


class UsersInBulk(ApiView):
    required_scopes = {"users"}

    @extend_schema(
        operation_id="put_users",
        request=bodies.openapi(BulkUsers),
        responses={207: bodies.openapi_schema(answers.BulkAnswer)},
    )
    def post(self, request: Request) -> Response:
        """Create or change up to 1,000 people. Each item has its own result; a bad one spoils no other."""
        items = _items(bodies.data(request))
        results: list[answers.BulkResult | None] = [None] * len(items)
        good: list[tuple[int, BulkUser]] = []
        for index, item in enumerate(items):
            try:
                good.append((index, bodies.check(item, BulkUser, pointer=f"/items/{index}")))
            except InvalidRequest as problem:
                results[index] = answers.bulk_problem(index, problem)
        done = upsert_many([(item.user_id, item) for _, item in good])
        for (index, item), result in zip(good, done, strict=True):
            results[index] = _result(index, item.user_id, result)
        return Response(answers.BulkAnswer([result for result in results if result is not None]), status=207)


def _items(data: Any) -> list[Any]:
    """Return the items, not yet checked: only what holds them has to be right for the call as a whole."""
    items = data.get("items") if isinstance(data, dict) else None
    empty = {"user_id": ""}
    bodies.check(data | {"items": [empty] * len(items)} if isinstance(items, list) else data, BulkUsers)
    return items or []


def _result(index: int, user_id: str, result: Upserted | Problem) -> answers.BulkResult:
    if isinstance(result, Problem):
        return answers.bulk_problem(index, result, f"/items/{index}")
    return answers.BulkResult(index, 201 if result.created else 200, user_id=user_id)


def _filtered(query: Any) -> QuerySet[User]:
    users = User.objects.filter(erased_at=None).prefetch_related("contact_points")
    faults = []
    for name, channel in (("email", "email"), ("phone", "sms")):
        if text := query.get(name):
            try:
                users = users.filter(pk__in=contact_points.find_users(channel, normalise(channel, text)))
            except InvalidAddress as error:
                faults.append(Fault(f"/{name}", "invalid_address", str(error)))
    prefix = query.get("user_id", "")
    if "\0" in prefix:
        faults.append(Fault("/user_id", "invalid_user_id", "A user_id is printable."))
    if faults:
        raise InvalidRequest(errors=faults)
    return users.filter(user_id__startswith=prefix) if prefix else users
