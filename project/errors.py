"""Every error under /api/ as application/problem+json (RFC 9457), and the id that a request goes by."""

import logging
import math
import re
import sys
from collections.abc import Callable
from dataclasses import asdict
from typing import Any

from django.conf import settings
from django.core.exceptions import PermissionDenied
from django.core.signals import got_request_exception
from django.db import InterfaceError, OperationalError
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.views import defaults
from rest_framework import exceptions
from rest_framework.response import Response
from rest_framework.views import set_rollback

from project.foundation.ids import new_id
from project.foundation.problems import Forbidden, NotFound, Problem, Unavailable

_CONTENT_TYPE = "application/problem+json"
_DATABASE_ERRORS = (OperationalError, InterfaceError)

logger = logging.getLogger(__name__)

_SANE_ID = re.compile(r"[A-Za-z0-9._:+=/-]{1,128}")
_OF_REST_FRAMEWORK: list[tuple[type[exceptions.APIException], str, str]] = [
    (exceptions.NotAuthenticated, "unauthenticated", "Credentials are missing."),
    (exceptions.AuthenticationFailed, "unauthenticated", "The credentials are not valid."),
    (exceptions.PermissionDenied, "forbidden", "This is not allowed."),
    (exceptions.NotFound, "not_found", "There is nothing here."),
    (exceptions.MethodNotAllowed, "method_not_allowed", "This route does not have that method."),
    (exceptions.NotAcceptable, "not_acceptable", "The answer cannot be given in the form asked for."),
    (exceptions.UnsupportedMediaType, "unsupported_media_type", "The body must be JSON."),
    (exceptions.Throttled, "rate_limited", "Too many requests."),
]


class RequestIdMiddleware:
    """Give every request an id (the caller's X-Request-ID, if sane) and every answer the headers owed to its key."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        request_id = _request_id(request)
        response = self.get_response(request)
        response["X-Request-ID"] = request_id
        for name, value in getattr(request, "rate_limit_headers", {}).items():
            response[name] = value
        return response


def handle(error: Exception, context: dict[str, Any]) -> Response:
    """Return the answer for anything that a view raised: the exception handler of REST framework."""
    set_rollback()
    request: HttpRequest = context["request"]._request
    problem = _as_problem(error)
    if problem is None:
        logger.exception("request.failed", exc_info=error, extra={"request_id": _request_id(request)})
        got_request_exception.send(sender=None, request=request)
        problem = ServerError()
    response = Response(
        document(problem, request), status=problem.status, headers=problem.headers, content_type=_CONTENT_TYPE
    )
    response.exception = True
    return response


def document(problem: Problem, request: HttpRequest) -> dict[str, Any]:
    """Return the body of the answer to `problem`."""
    return {
        "type": f"{settings.PUBLIC_URL}/problems/{problem.code}",
        "title": problem.title,
        "status": problem.status,
        "code": problem.code,
        "detail": problem.detail,
        "errors": [asdict(fault) for fault in problem.errors],
        "request_id": _request_id(request),
        **problem.extensions,
    }


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    return _of_api(request, Problem()) or defaults.bad_request(request, exception)


def permission_denied(request: HttpRequest, exception: Exception) -> HttpResponse:
    return _of_api(request, Forbidden()) or defaults.permission_denied(request, exception)


def page_not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    return _of_api(request, NotFound()) or defaults.page_not_found(request, exception)


def server_error(request: HttpRequest) -> HttpResponse:
    """Answer for what was raised outside any REST framework view, such as in a middleware."""
    database_is_away = isinstance(sys.exc_info()[1], _DATABASE_ERRORS)
    problem = Unavailable() if database_is_away else ServerError()
    return _of_api(request, problem) or defaults.server_error(request)


class ServerError(Problem):
    status, code, title = 500, "server_error", "Something went wrong on our side."


def _as_problem(error: Exception) -> Problem | None:
    if isinstance(error, Problem):
        return error
    if isinstance(error, Http404):
        return NotFound()
    if isinstance(error, PermissionDenied):
        return Forbidden()
    if isinstance(error, _DATABASE_ERRORS):
        logger.warning("database.unavailable", extra={"error": str(error)})
        return Unavailable()
    if isinstance(error, exceptions.APIException):
        return _of_rest_framework(error)
    return None


def _of_rest_framework(error: exceptions.APIException) -> Problem:
    code, title = next(
        ((code, title) for kind, code, title in _OF_REST_FRAMEWORK if isinstance(error, kind)),
        (Problem.code, Problem.title),
    )
    problem = Problem(str(error.detail) if isinstance(error.detail, str) else "", headers=_headers(error))
    problem.status, problem.code, problem.title = error.status_code, code, title
    return problem


def _headers(error: exceptions.APIException) -> dict[str, str]:
    headers = {}
    if challenge := getattr(error, "auth_header", None):
        headers["WWW-Authenticate"] = challenge
    if wait := getattr(error, "wait", None):
        headers["Retry-After"] = str(math.ceil(wait))
    return headers


def _of_api(request: HttpRequest, problem: Problem) -> HttpResponse | None:
    if not request.path.startswith("/api/"):
        return None
    return JsonResponse(
        document(problem, request), status=problem.status, headers=problem.headers, content_type=_CONTENT_TYPE
    )


def _request_id(request: HttpRequest) -> str:
    known: str | None = getattr(request, "request_id", None)
    if known is None:
        given = request.META.get("HTTP_X_REQUEST_ID", "")
        known = given if _SANE_ID.fullmatch(given) else str(new_id())
        request.request_id = known  # type: ignore[attr-defined]
    return known
