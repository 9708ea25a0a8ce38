import json
import logging
import sys

from django.http import HttpResponse
from django.test import RequestFactory
from django.urls import resolve
from django.utils.log import log_response

from project.logs import JSONFormatter, PlainFormatter, RoutesNotPaths


def test_a_line_holds_the_event_and_its_ids() -> None:
    record = logging.LogRecord("notifications", logging.INFO, __file__, 1, "delivery.sent", None, None)
    record.delivery = "0190"

    line = json.loads(JSONFormatter().format(record))

    assert {name: line[name] for name in ("level", "logger", "event", "delivery")} == {
        "level": "info",
        "logger": "notifications",
        "event": "delivery.sent",
        "delivery": "0190",
    }
    assert line["time"].endswith("+00:00")
    assert PlainFormatter().format(record).endswith("info notifications: delivery.sent delivery=0190")


def test_a_request_is_logged_by_its_route_and_not_by_whom_it_names() -> None:
    lines: list[str] = []
    handler = logging.Handler()
    handler.emit = lambda record: lines.append(JSONFormatter().format(record))  # type: ignore[method-assign]
    handler.addFilter(RoutesNotPaths())
    logger = logging.getLogger("test.requests")
    logger.addHandler(handler)
    request = RequestFactory().get("/api/v1/users/ada@example.com")
    request.resolver_match = resolve(request.path)

    log_response(
        "%s: %s", "Gone wrong", request.path, response=HttpResponse(status=500), request=request, logger=logger
    )

    assert "ada@example.com" not in lines[0]
    assert "/api/v1/users/<str:user_id>" in lines[0]


def test_values_that_postgresql_repeats_are_left_out() -> None:
    text = "duplicate key\nDETAIL:  Key (user_id)=(ada@example.com) already exists."
    try:
        raise ValueError(text)
    except ValueError:
        record = logging.LogRecord("django", logging.ERROR, __file__, 1, "request.failed", None, sys.exc_info())

    line = JSONFormatter().format(record)

    assert "duplicate key" in line
    assert "ada@example.com" not in line
