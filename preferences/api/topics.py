"""/topics: lists that people join, and that a broadcast can be for."""

import re
from datetime import UTC, datetime
from typing import Annotated

from drf_spectacular.utils import OpenApiParameter, extend_schema
from msgspec import Meta, Struct
from rest_framework.request import Request
from rest_framework.response import Response

from preferences import topics
from preferences.api import people
from preferences.models import Topic, TopicSubscription
from preferences.topics import Changed
from project.foundation import bodies, pages
from project.foundation.problems import Fault, InvalidRequest, NotFound
from project.foundation.views import ApiView

MAX_USER_IDS = 10_000
_KEY = re.compile(r"[A-Za-z0-9_-]{1,100}")
_PAGING = [OpenApiParameter("limit", int), OpenApiParameter("cursor")]


class TopicBody(Struct, forbid_unknown_fields=True):
    name: Annotated[str, Meta(min_length=1, max_length=200)] | None = None  # null: the key


class SubscribersBody(Struct, forbid_unknown_fields=True):
    user_ids: Annotated[list[str], Meta(max_length=MAX_USER_IDS)]


class TopicAnswer(Struct):
    key: str
    name: str
    subscribers: int
    created_at: datetime


class TopicSummary(Struct):
    key: str
    name: str
    created_at: datetime


class TopicPage(Struct):
    results: list[TopicSummary]
    next: str | None


class ChangeAnswer(Struct):
    """How many joined or left (who was there already counts for nothing), and the ids that nobody has."""

    changed: int
    unknown_user_ids: list[str]


class SubscriberAnswer(Struct):
    user_id: str
    subscribed_at: datetime


class SubscriberPage(Struct):
    results: list[SubscriberAnswer]
    next: str | None


_ONE = bodies.openapi_schema(TopicAnswer)
_CHANGE = bodies.openapi_schema(ChangeAnswer)


class Topics(ApiView):
    required_scopes = {"users"}

    @extend_schema(operation_id="list_topics", parameters=_PAGING, responses={200: bodies.openapi_schema(TopicPage)})
    def get(self, request: Request) -> Response:
        """List topics, newest first."""
        rows, following = pages.page(Topic.objects.all(), request, key="-pk")
        found = [TopicSummary(row.key, row.name, row.created_at.astimezone(UTC)) for row in rows]
        return Response(TopicPage(found, following))


class OneTopic(ApiView):
    required_scopes = {"users"}

    @extend_schema(operation_id="get_topic", responses={200: _ONE})
    def get(self, request: Request, key: str) -> Response:
        """Return one topic, and how many people are on it."""
        return Response(_answer(_find(key)))

    @extend_schema(operation_id="put_topic", request=bodies.openapi(TopicBody), responses={200: _ONE, 201: _ONE})
    def put(self, request: Request, key: str) -> Response:
        """Create or rename a topic. Its subscribers stay as they are."""
        found = []
        if not _KEY.fullmatch(key):
            found.append(Fault("/key", "invalid_key", 'A topic\'s key has 1 to 100 letters, digits, "-" and "_".'))
        try:
            body = bodies.read(request, TopicBody, optional=True)
        except InvalidRequest as error:
            raise InvalidRequest(errors=[*found, *error.errors]) from None
        if found:
            raise InvalidRequest(errors=found)
        topic, created = topics.put(key, body.name or key, actor=people.actor(request))
        return Response(_answer(topic), status=201 if created else 200)


class Subscribers(ApiView):
    required_scopes = {"users"}

    @extend_schema(
        operation_id="list_subscribers", parameters=_PAGING, responses={200: bodies.openapi_schema(SubscriberPage)}
    )
    def get(self, request: Request, key: str) -> Response:
        """List the people on a topic, the latest first."""
        listed = _find(key).subscriptions.select_related("user").filter(user__erased_at=None)
        rows, following = pages.page(listed, request, key="-pk")
        return Response(SubscriberPage([_subscriber(row) for row in rows], following))

    @extend_schema(operation_id="add_subscribers", request=bodies.openapi(SubscribersBody), responses={200: _CHANGE})
    def post(self, request: Request, key: str) -> Response:
        """Let up to 10,000 people join. Ids that nobody has are reported, and keep nobody else off."""
        body = bodies.read(request, SubscribersBody)
        return Response(_change(topics.subscribe(_find(key), body.user_ids)))

    @extend_schema(operation_id="remove_subscribers", request=bodies.openapi(SubscribersBody), responses={200: _CHANGE})
    def delete(self, request: Request, key: str) -> Response:
        """Take up to 10,000 people off."""
        body = bodies.read(request, SubscribersBody)
        return Response(_change(topics.unsubscribe(_find(key), body.user_ids)))


def _find(key: str) -> Topic:
    topic = Topic.objects.filter(key=key).first() if _KEY.fullmatch(key) else None
    if topic is None:
        raise NotFound("There is no such topic.")
    return topic


def _answer(topic: Topic) -> TopicAnswer:
    count = topic.subscriptions.filter(user__erased_at=None).count()
    return TopicAnswer(topic.key, topic.name, count, topic.created_at.astimezone(UTC))


def _subscriber(row: TopicSubscription) -> SubscriberAnswer:
    return SubscriberAnswer(row.user.user_id, row.created_at.astimezone(UTC))


def _change(changed: Changed) -> ChangeAnswer:
    return ChangeAnswer(changed.count, changed.unknown_user_ids)
