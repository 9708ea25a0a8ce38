"""What routes for people share: session or token, and pages of other origins."""

from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.utils.cache import patch_vary_headers
from rest_framework.permissions import IsAuthenticated
from rest_framework.request import Request

from notifications.inbox.identity import EndUser, EndUserAuthentication
from project.foundation.views import ApiView


class EndUserView(ApiView):
    """A route for a person about themselves.

    Pages of settings.EMBED_ORIGINS may call it with a token (CORS); a session's cookie is never taken from them.
    """

    authentication_classes = [EndUserAuthentication]
    permission_classes = [IsAuthenticated]

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        response = _preflight() if request.method == "OPTIONS" else super().dispatch(request, *args, **kwargs)
        origin = request.headers.get("Origin", "")
        if origin in settings.EMBED_ORIGINS:
            response["Access-Control-Allow-Origin"] = origin
        patch_vary_headers(response, ["Origin"])
        return response

    def end_user(self, request: Request) -> EndUser:
        assert isinstance(request.auth, EndUser)
        return request.auth


def _preflight() -> HttpResponseBase:
    response = HttpResponse(status=204)
    response["Access-Control-Allow-Methods"] = "GET, POST"
    response["Access-Control-Allow-Headers"] = "Authorization, Content-Type"
    response["Access-Control-Max-Age"] = "600"
    return response
