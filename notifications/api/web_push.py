"""A person's own browser: the key it subscribes with, and its subscription."""

from typing import Annotated, Any

from drf_spectacular.utils import extend_schema
from msgspec import Meta, Struct
from rest_framework.request import Request
from rest_framework.response import Response

from notifications import web_push_keys
from notifications.api.end_users import EndUserView
from preferences import addresses, contact_points
from project.foundation import bodies
from project.foundation.problems import Fault, InvalidRequest, NotFound

CHANNEL = "web_push"
GIVEN_UP = "by_person"  # why a subscription is out of use: the person turned it off here


class KeyAnswer(Struct):
    public_key: str  # base64url: what pushManager.subscribe takes as applicationServerKey


class SubscriptionAnswer(Struct):
    id: str


class BrowserSubscription(Struct, forbid_unknown_fields=True):
    """What PushSubscription.toJSON() gives."""

    endpoint: Annotated[str, Meta(max_length=2048)]
    keys: dict[str, str]
    expirationTime: float | None = None  # as browsers name it


class Ended(Struct, forbid_unknown_fields=True):
    endpoint: Annotated[str, Meta(max_length=2048)]


class WebPushKey(EndUserView):
    @extend_schema(operation_id="get_web_push_key", responses={200: bodies.openapi_schema(KeyAnswer)})
    def get(self, request: Request) -> Response:
        """Return the key that a browser subscribes with. 404 where web push is not set up."""
        key = web_push_keys.public_key()
        if not key:
            raise NotFound("Web push is not set up.")
        return Response({"public_key": key})


class WebPushSubscriptions(EndUserView):
    @extend_schema(
        operation_id="subscribe_browser",
        request=bodies.openapi(BrowserSubscription),
        responses={201: bodies.openapi_schema(SubscriptionAnswer), 200: bodies.openapi_schema(SubscriptionAnswer)},
    )
    def post(self, request: Request) -> Response:
        """Send this person's notifications to this browser too. One that is known is taken back into use: 200."""
        body = bodies.read(request, BrowserSubscription)
        address = _normalised({"endpoint": body.endpoint, "keys": body.keys})
        point, created = contact_points.add(self.end_user(request).user, channel=CHANNEL, address=address)
        return Response({"id": str(point.id)}, status=201 if created else 200)


class EndWebPush(EndUserView):
    @extend_schema(operation_id="unsubscribe_browser", request=bodies.openapi(Ended), responses={200: None})
    def post(self, request: Request) -> Response:
        """Send nothing to this browser any more. Of one that is not known nothing changes."""
        body = bodies.read(request, Ended)
        for point in self.end_user(request).user.contact_points.filter(channel=CHANNEL):
            if addresses.endpoint(point.address) == body.endpoint:
                contact_points.disable(point, reason=GIVEN_UP)
        return Response({})


def _normalised(subscription: dict[str, Any]) -> str:
    try:
        return addresses.reachable(CHANNEL, subscription)
    except addresses.InvalidAddress as error:
        raise InvalidRequest(errors=[Fault("/keys", "invalid_address", str(error))]) from error
