"""/broadcasts: telling an audience, and watching and steering it."""

from collections.abc import Callable
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from django.db import transaction
from django.urls import reverse
from drf_spectacular.utils import OpenApiParameter, extend_schema
from msgspec import Struct
from rest_framework.request import Request
from rest_framework.response import Response

from notifications import broadcast_body, broadcasts, dry_run, progress
from notifications.access.authentication import credentials
from notifications.api.accepted import Links
from notifications.api.send import TriedOut
from notifications.broadcast_body import NOT_AVAILABLE, AudienceTooLarge, BroadcastBody
from notifications.models import Broadcast
from project.foundation import bodies, ids, pages
from project.foundation.problems import NotFound, TooLarge
from project.foundation.views import ApiView

Act = Callable[..., Broadcast]
ACTS: dict[str, Act] = {"pause": broadcasts.pause, "resume": broadcasts.resume, "cancel": broadcasts.cancel}


class BroadcastSummary(Struct, kw_only=True):
    id: UUID
    name: str
    status: str
    type: str
    priority: str
    mode: str
    audience: dict[str, Any]  # of user_ids: how many
    created_at: datetime
    send_at: datetime | None
    local_time: str | None  # of each person's own clock; null: everybody at once
    started_at: datetime | None
    finished_at: datetime | None
    total: int | None  # people; null until the audience has been found
    links: Links


class AcceptedBroadcast(BroadcastSummary, kw_only=True):
    unknown_user_ids: list[str]  # they are left out


class BroadcastAnswer(BroadcastSummary, kw_only=True):
    """People, each counted once by the furthest that anything of theirs came. `delivered` are among `sent`, `opened`
    among `delivered`, `clicked` among `opened`. In the end `total` is sent + failed + skipped + cancelled + expired.
    """

    planned: int
    queued: int
    sent: int
    delivered: int
    opened: int
    clicked: int
    failed: int
    skipped: int
    cancelled: int
    expired: int


class BroadcastPage(Struct):
    results: list[BroadcastSummary]
    next: str | None


_ONE = bodies.openapi_schema(BroadcastAnswer)


class TriedOutBroadcast(TriedOut, kw_only=True):
    """What a broadcast would do, shown for the first person of its audience."""

    total: int
    unknown_user_ids: list[str]
    user_id: str | None


class Broadcasts(ApiView):
    required_scopes = {"broadcasts"}

    @extend_schema(
        operation_id="list_broadcasts",
        parameters=[OpenApiParameter("limit", int), OpenApiParameter("cursor", str)],
        responses={200: bodies.openapi_schema(BroadcastPage)},
    )
    def get(self, request: Request) -> Response:
        """List this caller's broadcasts in the mode of its key, newest first."""
        whose = credentials(request)
        rows, following = pages.page(broadcasts.visible(mode=whose.mode, caller_id=whose.caller_id), request)
        return pages.answer(rows, following, _summary)

    @extend_schema(
        operation_id="broadcast",
        parameters=[OpenApiParameter("dry_run", bool, description="Tell nobody; answer 200 with the audience's size.")],
        request=bodies.openapi(BroadcastBody, without=NOT_AVAILABLE),
        responses={202: bodies.openapi_schema(AcceptedBroadcast), 200: bodies.openapi_schema(TriedOutBroadcast)},
    )
    def post(self, request: Request) -> Response:
        """Tell an audience one thing: a topic, up to 10,000 ids, a filter, or all.

        The audience is found when the broadcast starts, once: who joins later is not told, and nobody twice.
        """
        whose = credentials(request)
        wanted = broadcast_body.check(bodies.data(request), mode=whose.mode, caller_id=whose.caller_id)
        if request.query_params.get("dry_run", "").lower() not in {"", "0", "false"}:
            with transaction.atomic():
                found = dry_run.of_broadcast(wanted, actor=whose.actor)
                transaction.set_rollback(True)
            return Response(found)
        accepted = broadcasts.accept(wanted, actor=whose.actor)
        answer = _summary(accepted.broadcast) | {"unknown_user_ids": accepted.unknown_user_ids}
        return Response(answer, status=202)

    def handle_exception(self, exc: Exception) -> Response:
        """Say what to do instead when the ids do not fit into a body."""
        return super().handle_exception(AudienceTooLarge() if isinstance(exc, TooLarge) else exc)


class BroadcastById(ApiView):
    required_scopes = {"broadcasts"}

    @extend_schema(operation_id="get_broadcast", responses={200: _ONE})
    def get(self, request: Request, id: UUID) -> Response:
        """Show how far a broadcast is."""
        return Response(_full(_found(request, id)))


class ActOnBroadcast(ApiView):
    required_scopes = {"broadcasts"}
    act = "pause"

    @extend_schema(request=None, responses={200: _ONE})
    def post(self, request: Request, id: UUID) -> Response:
        """Pause it before its next batch, let it go on, or stop it for good; 409 when its state does not allow that."""
        broadcast = ACTS[self.act](_found(request, id), actor=credentials(request).actor)
        return Response(_full(broadcast))


def _found(request: Request, id: UUID) -> Broadcast:
    whose = credentials(request)
    broadcast = broadcasts.find(id, mode=whose.mode, caller_id=whose.caller_id)
    if broadcast is None:
        raise NotFound("There is no such broadcast of this caller and mode.")
    return broadcast


def _full(broadcast: Broadcast) -> dict[str, Any]:
    return _summary(broadcast) | asdict(progress.of(broadcast))


def _summary(broadcast: Broadcast) -> dict[str, Any]:
    return {
        "id": broadcast.id,
        "name": broadcast.name,
        "status": broadcast.status,
        "type": broadcast.type.key,
        "priority": broadcast.priority,
        "mode": broadcast.mode,
        "audience": broadcast.audience,
        "created_at": ids.created_at(broadcast.id),
        "send_at": _utc(broadcast.send_at),
        "local_time": broadcast.local_time or None,
        "started_at": _utc(broadcast.started_at),
        "finished_at": _utc(broadcast.finished_at),
        "total": broadcast.total,
        "links": {"self": reverse("notifications:broadcast", args=[broadcast.id])},
    }


def _utc(moment: datetime | None) -> datetime | None:
    return None if moment is None else moment.astimezone(UTC)
