"""/users/{user_id}/preference_links: links to somebody's settings that a service hands out itself."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

from drf_spectacular.utils import extend_schema
from msgspec import Struct
from rest_framework.request import Request
from rest_framework.response import Response

from preferences import links
from preferences.api import people
from preferences.models import PreferenceLink
from project.foundation import audit, bodies, clock
from project.foundation.durations import InvalidDuration, duration
from project.foundation.problems import Fault, InvalidRequest, NotFound
from project.foundation.views import ApiView

_USUAL, _MOST = timedelta(hours=24), timedelta(days=90)


class NewLink(Struct, forbid_unknown_fields=True):
    """`expires_in`: "24h" unless said otherwise, at most "90d"."""

    expires_in: str | None = None


class LinkAnswer(Struct):
    id: str
    url: str  # whoever has it may see and change the person's settings, and nothing else
    expires_at: datetime


class PreferenceLinks(ApiView):
    required_scopes = {"preferences"}

    @extend_schema(
        operation_id="make_preference_link",
        request=bodies.openapi(NewLink),
        responses={201: bodies.openapi_schema(LinkAnswer)},
    )
    def post(self, request: Request, user_id: str) -> Response:
        """Make a link to a person's settings page. It opens without signing in, until it expires or is revoked."""
        body = bodies.read(request, NewLink, optional=True)
        life = _life(body.expires_in)
        user = people.find_changeable(user_id)
        link = PreferenceLink.objects.create(user=user, expires_at=clock.now() + life, made_by=people.actor(request))
        answer = LinkAnswer(str(link.pk), links.minted_url(link), link.expires_at.astimezone(UTC))
        return Response(answer, status=201)

    @extend_schema(operation_id="revoke_preference_links", responses={204: None})
    def delete(self, request: Request, user_id: str) -> Response:
        """End every link to the person's settings, those in mails already sent included."""
        user = people.find_changeable(user_id)
        links.revoke_all(user)
        audit.record(people.actor(request), "preference_links.revoked", f"user:{user.pk}")
        return Response(status=204)


class OnePreferenceLink(ApiView):
    required_scopes = {"preferences"}

    @extend_schema(operation_id="revoke_preference_link", responses={204: None})
    def delete(self, request: Request, user_id: str, id: UUID) -> Response:
        """End one link."""
        found = PreferenceLink.objects.filter(pk=id, user=people.find_changeable(user_id), revoked_at=None)
        if not found.update(revoked_at=clock.now()):
            raise NotFound("There is no such link, or it was revoked before.")
        return Response(status=204)


def _life(text: str | None) -> timedelta:
    try:
        life = duration(text) or _USUAL
    except InvalidDuration as error:
        raise InvalidRequest(errors=[Fault("/expires_in", "invalid_duration", str(error))]) from None
    if not timedelta(minutes=1) <= life <= _MOST:
        raise InvalidRequest(errors=[Fault("/expires_in", "invalid_value", "A link lives from one minute to 90 days.")])
    return life
