"""/users/{user_id}/preferences: what a person chose, and what applies to them."""

from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from preferences import consent, documents
from preferences.api import answers, choices, people
from preferences.api.schemas import Choices
from preferences.consent import Origin
from preferences.loading import load_categories, load_person
from preferences.models import User
from project.foundation import bodies, clock
from project.foundation.client_ip import client_ip
from project.foundation.problems import Fault, InvalidRequest
from project.foundation.views import ApiView

_CHOSEN = bodies.openapi_schema(answers.PreferencesAnswer)
_EITHER = {"oneOf": [_CHOSEN, bodies.openapi_schema(answers.EffectiveAnswer)]}
_FLAGS = {"true": True, "1": True, "false": False, "0": False, "": False}


class Preferences(ApiView):
    required_scopes = {"preferences"}

    @extend_schema(
        operation_id="get_preferences",
        parameters=[OpenApiParameter("effective", bool, description="Show what applies and why, not what was chosen.")],
        responses={200: _EITHER},
    )
    def get(self, request: Request, user_id: str) -> Response:
        """Return a person's explicit choices; null = none, the default applies."""
        effective = _FLAGS.get(request.query_params.get("effective", "").lower())
        if effective is None:
            raise InvalidRequest(errors=[Fault("/effective", "invalid_value", "It is true or false.")])
        return _answer(people.find(user_id), effective=effective)

    @extend_schema(operation_id="replace_preferences", request=bodies.openapi(Choices), responses={200: _CHOSEN})
    def put(self, request: Request, user_id: str) -> Response:
        """Replace all choices and mutes: what is not given is forgotten. Takes what GET gave."""
        return _store(request, user_id, replace=True)

    @extend_schema(operation_id="change_preferences", request=bodies.openapi(Choices), responses={200: _CHOSEN})
    def patch(self, request: Request, user_id: str) -> Response:
        """Change what is given and nothing else; null takes a choice back."""
        return _store(request, user_id, replace=False)


def _store(request: Request, user_id: str, *, replace: bool) -> Response:
    data = bodies.data(request)
    user = people.find_changeable(user_id)
    wanted = choices.read(data, user)
    consent.apply(
        user,
        choices=wanted.choices,
        silences=wanted.silences,
        wishes=wanted.wishes,
        origin=_origin(request),
        replace=replace,
    )
    return _answer(user, effective=False)


def _answer(user: User, *, effective: bool) -> Response:
    show = documents.effective if effective else documents.chosen
    return Response(show(load_person(user.pk), load_categories().values(), clock.now()))


def _origin(request: Request) -> Origin:
    return Origin(
        source="api",
        actor=people.actor(request),
        ip=client_ip(request),
        agent=request.headers.get("User-Agent", ""),
    )
