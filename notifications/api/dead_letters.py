"""Dead letters by API: what was given up on, and sending it again."""

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

import msgspec
from drf_spectacular.utils import OpenApiParameter, extend_schema
from msgspec import Meta
from rest_framework.request import Request
from rest_framework.response import Response

from notifications import dead_letters, rate_limits
from notifications.access.authentication import credentials
from notifications.api.times import moment
from notifications.dead_letters import Filter
from notifications.models import DeadLetter
from notifications.rate_limits import Rate
from preferences.channels import CHANNELS
from project.foundation import bodies, ids, pages
from project.foundation.problems import Fault, InvalidRequest, NotFound
from project.foundation.views import ApiView

Pace = Annotated[str, Meta(max_length=20, description="100/s, 1000/m; none = all at once")]
Text = Annotated[str, Meta(max_length=200)]


class FilterBody(msgspec.Struct, forbid_unknown_fields=True):
    channel: Text | None = None
    type: Text | None = None
    provider: Text | None = None
    error: Text | None = None
    created_after: Annotated[datetime, Meta(tz=True)] | None = None


class ReplayBody(msgspec.Struct, forbid_unknown_fields=True):
    """Either `ids`, or a `filter`: an empty one means all. `extend` gives what has expired its type's time again."""

    ids: Annotated[list[UUID], Meta(min_length=1, max_length=1000)] | None = None
    filter: FilterBody | None = None
    rate: Pace | None = None
    extend: bool = False


class ReplayOneBody(msgspec.Struct, forbid_unknown_fields=True):
    extend: bool = False


class DeadLetterAnswer(msgspec.Struct):
    id: UUID
    notification_id: UUID
    user_id: str
    type: str
    channel: str
    provider: str | None
    account: str | None
    error: str
    attempts: int
    created_at: datetime
    expires_at: datetime | None


class DeadLetterPage(msgspec.Struct):
    results: list[DeadLetterAnswer]
    next: str | None


class Replayed(msgspec.Struct):
    replayed: int
    not_found: list[UUID]  # given ids that are no dead letters, or no longer


class DeadLetters(ApiView):
    required_scopes = {"admin"}

    @extend_schema(
        operation_id="list_dead_letters",
        parameters=[
            OpenApiParameter("channel", str, enum=list(CHANNELS)),
            OpenApiParameter("type", str),
            OpenApiParameter("provider", str, description="A provider, or the name of an account."),
            OpenApiParameter("error", str, description="Part of the error."),
            OpenApiParameter("created_after", datetime, description="At or after this time."),
            OpenApiParameter("limit", int),
            OpenApiParameter("cursor", str),
        ],
        responses={200: bodies.openapi_schema(DeadLetterPage)},
    )
    def get(self, request: Request) -> Response:
        """List what was given up on in the mode of this key, of all callers, newest first."""
        given = request.query_params
        after = moment(given["created_after"]) if given.get("created_after") else None
        faults = _channel_faults(given.get("channel", ""), "/channel")
        if given.get("created_after") and after is None:
            faults.append(Fault("/created_after", "invalid_value", "It must be a time with its zone (RFC 3339)."))
        if faults:
            raise InvalidRequest(errors=faults)
        texts = {name: given.get(name, "") for name in ("channel", "type", "provider", "error")}
        rows = dead_letters.find(Filter(**texts, created_after=after), mode=credentials(request).mode)
        found, following = pages.page(rows, request)
        return pages.answer(found, following, _shown)


class Replay(ApiView):
    required_scopes = {"admin"}

    @extend_schema(
        operation_id="replay_dead_letters",
        request=bodies.openapi(ReplayBody),
        responses={202: bodies.openapi_schema(Replayed)},
    )
    def post(self, request: Request) -> Response:
        """Send dead letters again under the same ids, some or all that fit, at a rate.

        The tries so far stay counted and the schedule starts anew; consent and expiry are asked again.
        """
        body, whose = bodies.read(request, ReplayBody), credentials(request)
        rate = _checked(body)
        wanted = body.filter or FilterBody()
        rows = dead_letters.find(_filter(wanted), mode=whose.mode)
        missing: list[UUID] = []
        if body.ids is not None:
            rows = rows.filter(id__in=body.ids)
            missing = sorted(set(body.ids) - set(rows.values_list("id", flat=True)))
        count = dead_letters.replay(rows, actor=whose.actor, rate=rate, extend=body.extend)
        return Response({"replayed": count, "not_found": missing}, status=202)


class ReplayOne(ApiView):
    required_scopes = {"admin"}

    @extend_schema(
        operation_id="replay_dead_letter",
        request=bodies.openapi(ReplayOneBody),
        responses={202: bodies.openapi_schema(Replayed)},
    )
    def post(self, request: Request, id: UUID) -> Response:
        """Send one dead letter again. The body may be left out."""
        body, whose = bodies.read(request, ReplayOneBody, optional=True), credentials(request)
        rows = dead_letters.find(Filter(), mode=whose.mode).filter(id=id)
        if not rows.exists():
            raise NotFound("There is no such dead letter.")
        count = dead_letters.replay(rows, actor=whose.actor, about=f"delivery:{id}", extend=body.extend)
        return Response({"replayed": count, "not_found": []}, status=202)


def _checked(body: ReplayBody) -> Rate | None:
    """Return the rate asked for. Raises InvalidRequest."""
    faults = []
    if (body.ids is None) == (body.filter is None):
        faults.append(Fault("", "invalid_value", "Give either ids or a filter."))
    if body.filter is not None:
        faults += _channel_faults(body.filter.channel or "", "/filter/channel")
    rate = None
    try:
        rate = rate_limits.parse(body.rate or "")
    except ValueError as error:
        faults.append(Fault("/rate", "invalid_value", str(error)))
    if faults:
        raise InvalidRequest(errors=faults)
    return rate


def _channel_faults(channel: str, pointer: str) -> list[Fault]:
    if not channel or channel in CHANNELS:
        return []
    return [Fault(pointer, "unknown_channel", f"It must be one of {', '.join(CHANNELS)}.")]


def _filter(body: FilterBody) -> Filter:
    return Filter(
        channel=body.channel or "",
        type=body.type or "",
        provider=body.provider or "",
        error=body.error or "",
        created_after=body.created_after,
    )


def _shown(letter: DeadLetter) -> dict[str, Any]:
    account = letter.provider_account if letter.provider_account_id else None
    return {
        "id": letter.id,
        "notification_id": letter.notification_id,
        "user_id": letter.user.user_id,
        "type": letter.type.key,
        "channel": letter.channel,
        "provider": account.provider if account else None,
        "account": account.name if account else None,
        "error": letter.error,
        "attempts": letter.attempts,
        "created_at": ids.created_at(letter.id),
        "expires_at": letter.expires_at,
    }
