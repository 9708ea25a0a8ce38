"""POST /notifications/bulk."""

from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from django.db import transaction
from drf_spectacular.utils import OpenApiParameter, extend_schema
from msgspec import UNSET, Meta, Struct, UnsetType
from rest_framework.request import Request
from rest_framework.response import Response

from notifications import acceptance, checking, dry_run
from notifications.acceptance import Accepted
from notifications.access.authentication import Credentials, credentials
from notifications.api.accepted import Links, path_before_id
from notifications.api.notifications import Decision
from notifications.api.send import earlier_ones, request_of
from notifications.checking import Checked
from notifications.send_body import NOT_AVAILABLE, SendBody
from preferences import users
from preferences.models import User
from preferences.users import Upserted
from project.foundation import bodies, ids
from project.foundation.problems import Fault, InvalidRequest, Problem
from project.foundation.views import ApiView

MAX_ITEMS = 1000
MAX_TRIED_OUT = 100  # each is planned and rendered while the caller waits


class BulkBody(Struct, forbid_unknown_fields=True):
    items: Annotated[list[SendBody], Meta(min_length=1, max_length=MAX_ITEMS)]


class _Items(Struct, forbid_unknown_fields=True):
    """The call as a whole: what each item says is that item's own affair."""

    items: Annotated[list[Any], Meta(min_length=1, max_length=MAX_ITEMS)]


class FaultAnswer(Struct):
    pointer: str  # within the item
    code: str
    message: str


class BulkResult(Struct, kw_only=True, omit_defaults=True):
    """One item of the request: accepted (202, as /notifications/send answers it), or what is wrong with it.

    Of a dry run: what would happen (200).
    """

    index: int
    status: int
    notification_id: UUID | UnsetType = UNSET
    user_id: str | UnsetType = UNSET
    type: str | UnsetType = UNSET
    priority: str | UnsetType = UNSET
    mode: str | UnsetType = UNSET
    created_at: datetime | UnsetType = UNSET
    send_at: datetime | None | UnsetType = UNSET
    links: Links | UnsetType = UNSET
    replayed: bool | UnsetType = UNSET  # true: an earlier request with this notification_id said the same
    decisions: list[Decision] | UnsetType = UNSET
    content: dict[str, dict[str, Any]] | UnsetType = UNSET
    cost: dict[str, Any] | UnsetType = UNSET
    code: str | UnsetType = UNSET
    detail: str | UnsetType = UNSET
    errors: list[FaultAnswer] | UnsetType = UNSET


class BulkAnswer(Struct):
    results: list[BulkResult]


_BODY = bodies.openapi(BulkBody)
for _name in NOT_AVAILABLE:
    del _BODY["application/json"]["properties"]["items"]["items"]["properties"][_name]


class BulkView(ApiView):
    required_scopes = {"send"}

    @extend_schema(
        operation_id="send_in_bulk",
        request=_BODY,
        parameters=[OpenApiParameter("dry_run", bool, description=f"Tell nobody; at most {MAX_TRIED_OUT} items.")],
        responses={207: bodies.openapi_schema(BulkAnswer)},
    )
    def post(self, request: Request) -> Response:
        """Tell up to 1,000 things. Each item has its own result; a bad one spoils no other."""
        items = bodies.data(request)
        clean = bodies.is_clean(request)
        items = bodies.check(items, _Items, clean=clean).items
        if request.query_params.get("dry_run", "").lower() not in {"", "0", "false"}:
            return Response({"results": try_out_many(items, credentials(request))}, status=207)
        results = enumerate(send_many(items, credentials(request), clean=clean))
        path = path_before_id()
        told = [_accepted(n, each, path) if isinstance(each, Accepted) else _refused(n, each) for n, each in results]
        return Response(BulkAnswer(told), status=207)


def try_out_many(items: Sequence[Any], whose: Credentials) -> list[dict[str, Any] | BulkResult]:
    """Return what each of these parsed send bodies would do, were they sent together: a cap counts those before.

    Nothing is stored. Raises InvalidRequest when there are too many.
    """
    if len(items) > MAX_TRIED_OUT:
        message = f"A dry run takes {MAX_TRIED_OUT} items at most."
        raise InvalidRequest(errors=[Fault("/items", "too_long", message)])
    with transaction.atomic():
        requests, refused = _understood(dict(enumerate(items)), whose, clean=False)
        found = {index: dry_run.of(acceptance.unsaved(request)) for index, request in sorted(requests.items())}
        transaction.set_rollback(True)
    said = {index: {"index": index, "status": 200, **each} for index, each in found.items()}
    return [said[index] if index in said else _refused(index, refused[index]) for index in range(len(items))]


def send_many(items: Sequence[Any], whose: Credentials, *, clean: bool = False) -> list[Accepted | Problem]:
    """Check and accept parsed send bodies in one transaction; return one result per item, in their order.

    `clean`: their strings are known to hold nothing that no database can. On PostgreSQL the number of statements does
    not depend on the number of items.
    """
    results: dict[int, Accepted | Problem] = {**earlier_ones(items, whose)}
    results |= _checked_and_accepted({n: item for n, item in enumerate(items) if n not in results}, whose, clean)
    return [results[index] for index in range(len(items))]


@transaction.atomic(savepoint=False)
def _checked_and_accepted(items: dict[int, Any], whose: Credentials, clean: bool) -> dict[int, Accepted | Problem]:
    requests, results = _understood(items, whose, clean)
    return results | dict(zip(requests, acceptance.accept_many(list(requests.values())), strict=True))


def _understood(
    items: dict[int, Any], whose: Credentials, clean: bool
) -> tuple[dict[int, acceptance.Request], dict[int, Problem]]:
    """Return what the sound items ask for, the people they bring along stored, and the problems of the others."""
    checked = dict(zip(items, checking.check_many(list(items.values()), clean=clean), strict=True))
    people, results = _store_people(checked)
    # Whom one item brings along, another may be for without saying it again.
    strangers = [n for n, each in checked.items() if isinstance(each, Problem) and _user_id(items[n]) in people]
    if strangers:
        checked |= zip(strangers, checking.check_many([items[n] for n in strangers]), strict=True)
    requests: dict[int, acceptance.Request] = {}
    for index, each in checked.items():
        if isinstance(each, Problem):
            results[index] = each
        elif index not in results:
            user = people.get(each.body.user_id, each.user)
            requests[index] = request_of(each, user, items[index], whose)
    return requests, results


def _store_people(checked: dict[int, Checked | Problem]) -> tuple[dict[str, User], dict[int, Problem]]:
    """Store whom the items bring along; return them by user_id, and the problems of items whose person is refused."""
    bringing = {
        index: (each.body.user_id, each.body.user)
        for index, each in checked.items()
        if isinstance(each, Checked) and each.body.user is not None
    }
    stored: dict[str, User] = {}
    refused: dict[int, Problem] = {}
    if not bringing:
        return stored, refused
    for index, result in zip(bringing, users.upsert_many(list(bringing.values())), strict=True):
        if isinstance(result, Upserted):
            stored[result.user.user_id] = result.user
        else:
            refused[index] = result
    return stored, refused


def _user_id(item: Any) -> str:
    given = item.get("user_id") if isinstance(item, dict) else None
    return given if isinstance(given, str) else ""


def _refused(index: int, problem: Problem) -> BulkResult:
    return BulkResult(
        index=index,
        status=problem.status,
        code=problem.code,
        detail=problem.detail or problem.title,
        errors=[FaultAnswer(**asdict(fault)) for fault in problem.errors],
    )


def _accepted(index: int, accepted: Accepted, path: str) -> BulkResult:
    """`path` is what stands before a notification's id in its own."""
    row = accepted.notification
    public_id = row.public_id
    return BulkResult(
        index=index,
        status=202,
        notification_id=public_id,
        user_id=row.user.user_id,
        type=row.type.key,
        priority=row.priority,
        mode=row.mode,
        created_at=ids.created_at(row.id),
        send_at=row.send_at,
        links=Links(path + str(public_id)),
        replayed=accepted.replayed or UNSET,
    )
