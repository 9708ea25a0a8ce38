import json

import pytest
from django.core.exceptions import PermissionDenied
from django.db import OperationalError
from django.http import Http404
from django.test import RequestFactory
from rest_framework import exceptions
from rest_framework.request import Request

from notifications import history
from project import errors
from project.foundation.problems import Conflict, Fault, InvalidRequest, Problem, Unavailable

NOTIFICATIONS = "/api/v1/notifications"


def answer(error: Exception) -> tuple[int, str]:
    response = errors.handle(error, {"request": Request(RequestFactory().get("/api/v1/x"))})
    assert response.content_type == "application/problem+json"
    assert response.data["status"] == response.status_code
    return response.status_code, response.data["code"]


@pytest.mark.parametrize(
    "error,expected",
    [
        (InvalidRequest(errors=[Fault("/x", "required", "This field is required.")]), (422, "invalid_request")),
        (Conflict(), (409, "conflict")),
        (Problem(), (400, "bad_request")),
        (Unavailable(), (503, "unavailable")),
        (OperationalError("gone"), (503, "unavailable")),
        (Http404(), (404, "not_found")),
        (PermissionDenied(), (403, "forbidden")),
        (exceptions.NotAuthenticated(), (401, "unauthenticated")),
        (exceptions.AuthenticationFailed(), (401, "unauthenticated")),
        (exceptions.PermissionDenied(), (403, "forbidden")),
        (exceptions.NotFound(), (404, "not_found")),
        (exceptions.MethodNotAllowed("PUT"), (405, "method_not_allowed")),
        (exceptions.NotAcceptable(), (406, "not_acceptable")),
        (exceptions.UnsupportedMediaType("text/plain"), (415, "unsupported_media_type")),
        (exceptions.Throttled(3), (429, "rate_limited")),
        (exceptions.ParseError(), (400, "bad_request")),
        (RuntimeError("surprise"), (500, "server_error")),
    ],
)
def test_whatever_is_raised_becomes_a_problem(error, expected):
    assert answer(error) == expected


def test_a_problem_says_all_that_the_contract_promises(client, db, settings):
    settings.PUBLIC_URL = "https://carillon.example.com"

    response = client.get(NOTIFICATIONS, headers={"X-Request-ID": "abc-1"})

    assert response.json() == {
        "type": "https://carillon.example.com/problems/unauthenticated",
        "title": "Credentials are missing.",
        "status": 401,
        "code": "unauthenticated",
        "detail": response.json()["detail"],
        "errors": [],
        "request_id": "abc-1",
    }
    assert response["X-Request-ID"] == "abc-1"


@pytest.mark.parametrize("given", ["", "x" * 129, "a b", "a\tb", "<script>", "é"])
def test_a_strange_request_id_is_replaced(client, db, given):
    response = client.get("/livez", headers={"X-Request-ID": given})

    assert len(response["X-Request-ID"]) == 36


def test_unknown_routes_of_the_api_are_json_and_others_a_page(client, db):
    response = client.get("/api/v1/nothing")
    assert (response.status_code, response["Content-Type"]) == (404, "application/problem+json")
    assert response.json()["request_id"] == response["X-Request-ID"]

    assert "json" not in client.get("/nothing")["Content-Type"]


def test_what_breaks_outside_the_views_is_json_too(client, db, monkeypatch):
    def broken(self, request):
        raise RuntimeError("surprise")

    monkeypatch.setattr("django.contrib.messages.middleware.MessageMiddleware.process_request", broken)
    client.raise_request_exception = False

    response = client.get(NOTIFICATIONS)

    assert (response.status_code, response.json()["code"]) == (500, "server_error")
    assert "surprise" not in response.content.decode()


def test_a_database_that_is_away_is_503_wherever_it_is_noticed(client, db, monkeypatch):
    def gone(*args, **kwargs):
        raise OperationalError("the server closed the connection")

    client.raise_request_exception = False
    monkeypatch.setattr("django.contrib.messages.middleware.MessageMiddleware.process_request", gone)
    response = client.get(NOTIFICATIONS)

    assert (response.status_code, response.json()["code"]) == (503, "unavailable")
    assert int(response["Retry-After"]) >= 1
    monkeypatch.undo()
    assert answer(OperationalError("gone")) == (503, "unavailable")


def test_a_host_that_is_not_ours_is_a_problem(client, db, settings):
    settings.ALLOWED_HOSTS = ["carillon.example.com"]

    response = client.get(NOTIFICATIONS, headers={"host": "evil.example.com"})

    assert (response.status_code, json.loads(response.content)["code"]) == (400, "bad_request")


def test_history_is_not_asked_without_a_caller(db, django_assert_num_queries):
    with django_assert_num_queries(0):
        assert list(history.visible(mode="live", caller_id=None)) == []
