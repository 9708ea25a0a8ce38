"""/users/{user_id}/contact_points/{id}/confirmation: asking an address whether its owner wants it used."""

from typing import Any
from uuid import UUID

from django.db import transaction
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from notifications import address_questions
from preferences import confirmations
from preferences.api import answers, people
from preferences.decisions import CONFIRMED_BY_OWNERS
from preferences.models import ContactPoint, User
from project.foundation import bodies
from project.foundation.problems import Conflict, NotFound, Problem
from project.foundation.views import ApiView


class AskedTooOften(Problem):
    status, code, title = 429, "asked_too_often", "This address, or this person, was asked often enough for now."


class Confirmation(ApiView):
    required_scopes = {"users"}

    @extend_schema(
        operation_id="ask_contact_point_to_confirm",
        request=None,
        responses={202: bodies.openapi_schema(answers.ContactPointAnswer)},
    )
    def post(self, request: Request, user_id: str, id: UUID) -> Response:
        """Send an e-mail address a link, or a phone number a code, by which its owner confirms it.

        `confirmed_at` tells when they did. Of other channels, and of what is confirmed or blocked already: 409.
        """
        auth: Any = request.auth
        with transaction.atomic():
            point = _find(people.find_changeable(user_id), id)
            try:
                address_questions.send(point, mode=auth.mode)
            except confirmations.AskedTooOften:
                wait = str(int(confirmations.WINDOW.total_seconds()))
                raise AskedTooOften(headers={"Retry-After": wait}) from None
        return Response(answers.contact_point(point), status=202)


def _find(user: User, id: UUID) -> ContactPoint:
    """Return an address that can be asked. Raises NotFound, Conflict."""
    point = user.contact_points.select_related("user").filter(id=id).first()
    if point is None:
        raise NotFound("This user has no such contact point.")
    if point.channel not in CONFIRMED_BY_OWNERS:
        raise Conflict("Only e-mail addresses and phone numbers are confirmed.")
    if point.confirmed_at is not None:
        raise Conflict("This address is confirmed.")
    if not confirmations.may_be_asked(point):
        raise Conflict("This address is out of use.")
    return point
