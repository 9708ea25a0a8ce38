"""A short way through the middleware, for calls of services: no session, no CSRF token, no language, no messages."""

from collections.abc import Callable
from typing import Any

from csp.utils import build_policy
from django.conf import settings
from django.core.handlers.base import BaseHandler
from django.http import HttpRequest, HttpResponse
from django.utils import translation
from django.utils.cache import patch_vary_headers

GetResponse = Callable[[HttpRequest], HttpResponse]


class ApiShortcut:
    """Middleware, after what every answer needs: takes a call with a key past all that stands behind it in the list.

    A call is a service's when it comes with Authorization, and with nothing that the layers passed by would read: a
    cookie, a wish for a language. Its answer has the headers that they would have set. Under ASGI, where the layers
    cannot be looked through, everything goes the long way.
    """

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response
        self._view = _innermost(get_response)
        self._headers = {
            "X-Frame-Options": settings.X_FRAME_OPTIONS,
            "Content-Language": settings.LANGUAGE_CODE,
            "Content-Security-Policy": build_policy(),
        }

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if self._view is None or not _is_of_a_service(request):
            return self.get_response(request)
        request.get_host()  # raises DisallowedHost
        translation.activate(settings.LANGUAGE_CODE)  # a thread keeps what its last request has chosen
        response = self._view(request)
        if request.resolver_match is None:
            return self.get_response(request)  # no view has run; one may stand there with a slash at the end
        for name, value in self._headers.items():
            response.headers.setdefault(name, value)
        if "Vary" in response.headers:
            patch_vary_headers(response, ["Accept-Language"])
        else:
            response.headers["Vary"] = "Accept-Language"
        if not response.streaming and "Content-Length" not in response.headers:
            response.headers["Content-Length"] = str(len(response.content))
        return response


def _is_of_a_service(request: HttpRequest) -> bool:
    given = request.META
    return (
        request.path_info.startswith("/api/")
        and "HTTP_AUTHORIZATION" in given
        and not given.get("HTTP_COOKIE")
        and given.get("HTTP_ACCEPT_LANGUAGE", "*") == "*"
        and not request.path_info.startswith(tuple(settings.CONTENT_SECURITY_POLICY_BY_PATH))
    )


def _innermost(layer: Any) -> GetResponse | None:
    """Return the layer that calls the view: Django wraps each middleware in a function that knows what it wraps."""
    while (inner := getattr(layer, "__wrapped__", None)) is not None:
        if isinstance(getattr(inner, "__self__", None), BaseHandler):
            found: GetResponse = layer
            return found
        layer = getattr(inner, "get_response", None)
    return None
