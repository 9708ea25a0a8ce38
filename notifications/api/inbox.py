"""A person's own inbox."""

from datetime import datetime
from typing import Any
from uuid import UUID

from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from notifications.api.end_users import EndUserView
from notifications.api.inbox_schemas import (
    AllCountsAnswer,
    AllMarkedAnswer,
    Click,
    InboxPage,
    ItemAnswer,
    Nothing,
    Quiet,
    QuietAnswer,
    WhichItems,
)
from notifications.inbox import feed, marks
from notifications.models import InboxItem, Mode
from preferences import consent
from preferences.api.times import read_time
from project.foundation import bodies, clock, pages
from project.foundation.client_ip import client_ip
from project.foundation.problems import Fault, InvalidRequest, NotFound, not_available

MOST_FILTERS = 20


class Inbox(EndUserView):
    """The items of one person."""

    @extend_schema(
        operation_id="list_inbox",
        parameters=[
            OpenApiParameter("status", str, enum=list(feed.STATUSES), description="Without it, all but the archived."),
            OpenApiParameter("category", str),
            OpenApiParameter("since", int, description="What changed after this `seq`, oldest change first."),
            OpenApiParameter("limit", int),
            OpenApiParameter("cursor", str),
        ],
        responses={200: bodies.openapi_schema(InboxPage)},
    )
    def get(self, request: Request) -> Response:
        """List the items, newest first; with `since`, what changed."""
        end_user = self.end_user(request)
        at = feed.standing(end_user.user.pk).seq if end_user.mode == Mode.LIVE else 0
        items = self._items(request)
        if "since" in request.query_params:
            rows, following = pages.page(items.filter(seq__gt=_since(request)), request, key="seq")
        else:
            rows, following = pages.page(items, request)
        return Response({"results": feed.documents(rows), "next": following, "seq": at})

    def _items(self, request: Request) -> Any:
        status, category = request.query_params.get("status", ""), request.query_params.get("category", "")
        if "since" in request.query_params and not status:
            status = "all"
        if faults := _status_faults(status, "/status"):
            raise InvalidRequest(errors=faults)
        end_user = self.end_user(request)
        items = feed.listed(end_user.user.pk, status=status, category=category)
        return items if end_user.mode == Mode.LIVE else items.none()


class Counts(EndUserView):
    """How many there are."""

    @extend_schema(
        operation_id="count_inbox",
        parameters=[
            OpenApiParameter(
                "filter",
                str,
                many=True,
                description="`status:unread`, `category:orders`, or both with a comma between.",
            )
        ],
        responses={200: bodies.openapi_schema(AllCountsAnswer)},
    )
    def get(self, request: Request) -> Response:
        """Count what is not archived, and what each `filter` lists."""
        texts = request.query_params.getlist("filter")
        filters = _filters(texts)
        end_user = self.end_user(request)
        if end_user.mode != Mode.LIVE:
            empty = [{"filter": text, "count": 0} for text in texts]
            return Response({**feed.Standing().counts, "seq": 0, "filters": empty})
        user_pk = end_user.user.pk
        found = feed.count_each(user_pk, filters) if filters else []
        counted = [{"filter": text, "count": count} for text, count in zip(texts, found, strict=True)]
        standing = feed.standing(user_pk)
        return Response({**standing.counts, "seq": standing.seq, "filters": counted})


class MarkItem(EndUserView):
    """One mark of one item; `act` says which."""

    act = ""

    @extend_schema(request=bodies.openapi(Nothing), responses={200: bodies.openapi_schema(ItemAnswer)})
    def post(self, request: Request, item_id: UUID) -> Response:
        """Mark one item. Doing it again changes nothing."""
        bodies.read(request, Nothing, optional=True)
        return Response(marks.mark(self._owner(request), item_id, self.act))

    def _owner(self, request: Request) -> int:
        end_user = self.end_user(request)
        if end_user.mode != Mode.LIVE:
            raise NotFound("There is no such item in this inbox.")
        return int(end_user.user.pk)


class ClickItem(MarkItem):
    @extend_schema(request=bodies.openapi(Click), responses={200: bodies.openapi_schema(ItemAnswer)})
    def post(self, request: Request, item_id: UUID) -> Response:
        """Tell that an item, or one of its actions, was clicked: it is read, and the action completed."""
        click = bodies.read(request, Click, optional=True)
        return Response(marks.mark(self._owner(request), item_id, "clicked", action=click.action))


class SnoozeItem(MarkItem):
    @extend_schema(exclude=True)
    def post(self, request: Request, item_id: UUID) -> Response:
        """Not in this release."""
        raise InvalidRequest(errors=[not_available("")])


class MuteItem(MarkItem):
    @extend_schema(
        operation_id="mute_by_inbox_item",
        request=bodies.openapi(Quiet),
        responses={200: bodies.openapi_schema(QuietAnswer)},
    )
    def post(self, request: Request, item_id: UUID) -> Response:
        """Get no more of this item's type, or of its category, until a time. What is required still comes."""
        quiet = bodies.read(request, Quiet)
        until = _until(quiet.until)
        item = InboxItem.objects.filter(pk=item_id, user_id=self._owner(request)).select_related("category").first()
        if item is None:
            raise NotFound("There is no such item in this inbox.")
        of_category = quiet.scope == "category"
        consent.mute(
            self.end_user(request).user,
            category=item.category if of_category else None,
            type_key="" if of_category else item.type_key,
            until=until,
            source="inbox",
            actor=self.end_user(request).actor,
            ip=client_ip(request),
            agent=request.headers.get("User-Agent", ""),
        )
        key = item.category.key if of_category else item.type_key
        return Response({"scope": quiet.scope, "key": key, "until": until or consent.FOREVER})


class MarkAll(EndUserView):
    """One mark of all that is not archived; `act` says which."""

    act = ""

    @extend_schema(request=bodies.openapi(WhichItems), responses={200: bodies.openapi_schema(AllMarkedAnswer)})
    def post(self, request: Request) -> Response:
        """Mark all, or all of a category."""
        which = bodies.read(request, WhichItems, optional=True)
        end_user = self.end_user(request)
        if end_user.mode != Mode.LIVE:
            return Response({"changed": 0, "counts": feed.Standing().counts, "seq": 0})
        marked = marks.mark_all(end_user.user.pk, self.act, category=which.category or "")
        standing = marked.standing
        return Response({"changed": marked.changed, "counts": standing.counts, "seq": standing.seq})


def _since(request: Request) -> int:
    text = request.query_params["since"]
    if not (text.isascii() and text.isdecimal() and int(text[:20]) < 2**63 and len(text) < 20):
        raise InvalidRequest(errors=[Fault("/since", "invalid_value", "It must be a `seq`: a whole number from 0.")])
    return int(text)


def _filters(texts: list[str]) -> list[tuple[str, str]]:
    if len(texts) > MOST_FILTERS:
        raise InvalidRequest(errors=[Fault("/filter", "too_many", f"At most {MOST_FILTERS} filters at once.")])
    faults: list[Fault] = []
    filters = []
    for number, text in enumerate(texts):
        named = dict.fromkeys(["status", "category"], "")
        for part in text.split(","):
            name, colon, value = part.partition(":")
            if name not in named or not colon or "\0" in value:
                faults.append(Fault(f"/filter/{number}", "invalid_value", "Write status:…, category:…, or both."))
            else:
                named[name] = value
        faults += _status_faults(named["status"], f"/filter/{number}")
        filters.append((named["status"], named["category"]))
    if faults:
        raise InvalidRequest(errors=faults)
    return filters


def _status_faults(status: str, pointer: str) -> list[Fault]:
    if status == "snoozed":
        return [not_available(pointer)]
    if status and status not in feed.STATUSES:
        return [Fault(pointer, "invalid_value", f"It must be one of {', '.join(feed.STATUSES)}.")]
    return []


def _until(text: str | None) -> datetime | None:
    if text is None or text == consent.FOREVER:
        return None
    try:
        until = read_time(text)
    except ValueError:
        message = 'It must be a time with its zone (RFC 3339), or "forever".'
        raise InvalidRequest(errors=[Fault("/until", "invalid_value", message)]) from None
    if until <= clock.now():
        raise InvalidRequest(errors=[Fault("/until", "in_the_past", "It must be a time to come.")])
    return until
