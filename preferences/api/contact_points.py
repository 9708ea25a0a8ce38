"""/users/{user_id}/contact_points: the addresses of one person, shown masked."""

from typing import Any
from uuid import UUID

from drf_spectacular.utils import OpenApiParameter, extend_schema
from msgspec import UNSET
from rest_framework.request import Request
from rest_framework.response import Response

from preferences import addresses, contact_points
from preferences.api import answers, people
from preferences.api.schemas import ContactPointChanges, NewContactPoint
from preferences.api.times import is_time
from preferences.models import ContactPoint, User
from project.foundation import bodies, pages
from project.foundation.problems import Fault, InvalidRequest, NotFound
from project.foundation.views import ApiView

_ONE = bodies.openapi_schema(answers.ContactPointAnswer)
_PAGE = bodies.openapi_schema(answers.ContactPointPage)
DISABLED_BY_CALLER = "by_caller"


class ContactPoints(ApiView):
    required_scopes = {"users"}

    @extend_schema(
        operation_id="list_contact_points",
        parameters=[OpenApiParameter("limit", int), OpenApiParameter("cursor")],
        responses={200: _PAGE},
    )
    def get(self, request: Request, user_id: str) -> Response:
        """List a person's addresses, newest first."""
        rows, following = pages.page(people.find(user_id).contact_points.all(), request, key="-id")
        return Response(answers.ContactPointPage([answers.contact_point(row) for row in rows], following))

    @extend_schema(
        operation_id="add_contact_point",
        request=bodies.openapi(NewContactPoint),
        responses={201: _ONE, 200: _ONE},
    )
    def post(self, request: Request, user_id: str) -> Response:
        """Add an address, usable at once. One that the person has already is taken back into use: 200."""
        body = bodies.read(request, NewContactPoint)
        address = _normalised(body.channel, body.address)
        user = people.find_changeable(user_id)
        point, created = contact_points.add(user, channel=body.channel, address=address, label=body.label or "")
        return Response(answers.contact_point(point, with_secret=created), status=201 if created else 200)


class OneContactPoint(ApiView):
    required_scopes = {"users"}

    @extend_schema(operation_id="get_contact_point", responses={200: _ONE})
    def get(self, request: Request, user_id: str, id: UUID) -> Response:
        """Return one address."""
        return Response(answers.contact_point(_find(people.find(user_id), id)))

    @extend_schema(
        operation_id="change_contact_point", request=bodies.openapi(ContactPointChanges), responses={200: _ONE}
    )
    def patch(self, request: Request, user_id: str, id: UUID) -> Response:
        """Change the address or the label, or take it out of use and back."""
        body = bodies.read(request, ContactPointChanges)
        point = _find(people.find_changeable(user_id), id)
        if isinstance(body.disabled_at, str) and not is_time(body.disabled_at):
            raise InvalidRequest(errors=[Fault("/disabled_at", "invalid_time", "A time is RFC 3339, or null.")])
        address = None if body.address is UNSET else _normalised(point.channel, body.address)
        label = None if body.label is UNSET else body.label or ""
        point = contact_points.update(point, address=address, label=label)
        if body.disabled_at is None:
            contact_points.enable(point)
        elif isinstance(body.disabled_at, str):
            contact_points.disable(point, reason=DISABLED_BY_CALLER)
        return Response(answers.contact_point(point))

    @extend_schema(operation_id="remove_contact_point", responses={204: None})
    def delete(self, request: Request, user_id: str, id: UUID) -> Response:
        """Forget an address."""
        contact_points.remove(_find(people.find_changeable(user_id), id))
        return Response(status=204)


class Rotation(ApiView):
    required_scopes = {"users"}

    @extend_schema(operation_id="rotate_contact_point_secret", request=None, responses={200: _ONE})
    def post(self, request: Request, user_id: str, id: UUID) -> Response:
        """Give a webhook a new secret, shown once. For 24 hours the one before it signs too. Of other channels: 409."""
        point = _find(people.find_changeable(user_id), id)
        contact_points.rotate_secret(point)
        return Response(answers.contact_point(point, with_secret=True))


def _find(user: User, id: UUID) -> ContactPoint:
    point = user.contact_points.filter(id=id).first()
    if point is None:
        raise NotFound("This user has no such contact point.")
    return point


def _normalised(channel: str, address: Any) -> str:
    try:
        return addresses.reachable(channel, address)
    except addresses.InvalidAddress as error:
        raise InvalidRequest(errors=[Fault("/address", "invalid_address", str(error))]) from error
