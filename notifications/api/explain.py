"""Explaining by API: the rules that were evaluated, the one that decided, and what the person had chosen."""

from typing import Any
from uuid import UUID

import msgspec
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from notifications import explain, history
from notifications.access.authentication import credentials
from notifications.api.notifications import Decision
from preferences.models import User
from project.foundation import bodies
from project.foundation.problems import Fault, InvalidRequest, NotFound
from project.foundation.views import ApiView
from templates_app.models import Type


class RuleAnswer(msgspec.Struct):
    """One rule, asked for one address of one channel. `answer`: a sentence, of what decided."""

    channel: str
    contact_point_id: UUID | None
    rule: str
    evaluated: bool
    answer: str | None
    decided: bool


class Explanation(msgspec.Struct):
    rules: list[RuleAnswer]
    decisions: list[Decision]
    preferences_then: dict[str, str]  # in the words of the consent ledger


class ExplainNotification(ApiView):
    required_scopes = {"read"}

    @extend_schema(operation_id="explain_notification", responses={200: bodies.openapi_schema(Explanation)})
    def get(self, request: Request, id: UUID) -> Response:
        """Show which rules decided on a notification, and what its person had chosen when it was planned."""
        whose = credentials(request)
        notification = history.find(id, mode=whose.mode, caller_id=whose.caller_id)
        if notification is None:
            raise NotFound("There is no such notification of this caller and mode.")
        return Response(explain.of(notification))


class Explain(ApiView):
    required_scopes = {"read"}

    @extend_schema(
        operation_id="explain",
        parameters=[OpenApiParameter("user_id", str, required=True), OpenApiParameter("type", str, required=True)],
        responses={200: bodies.openapi_schema(Explanation)},
    )
    def get(self, request: Request) -> Response:
        """Show what the rules would say, were this person sent this type now. Nothing is sent or counted."""
        return Response(explain.beforehand(*_asked(request)))


def _asked(request: Request) -> tuple[User, Type]:
    given: dict[str, Any] = {name: request.query_params.get(name, "") for name in ("user_id", "type")}
    user = User.objects.filter(user_id=given["user_id"]).first()
    type_ = Type.objects.select_related("category", "template").filter(key=given["type"]).first()
    faults = []
    if user is None:
        faults.append(Fault("/user_id", "unknown_user", "There is no such user."))
    if type_ is None:
        faults.append(Fault("/type", "unknown_type", "There is no such type."))
    if user is None or type_ is None:
        raise InvalidRequest(errors=faults)
    return user, type_
