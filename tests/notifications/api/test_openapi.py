"""The OpenAPI document and the code are one: every route, every field, every code."""

import ast
import json
import re
from pathlib import Path

import pytest
from django.urls import URLPattern, URLResolver, get_resolver
from openapi_spec_validator import validate

from project import errors
from project.foundation.problems import Problem
from tests.notifications.api.conftest import Service

ROOT = Path(__file__).resolve().parents[3]
CONTRACT = {
    "/notifications/send": {"post"},
    "/notifications/bulk": {"post"},
    "/notifications": {"get"},
    "/notifications/{id}": {"get"},
    "/notifications/{id}/cancel": {"post"},
    "/notifications/{id}/explain": {"get"},
    "/explain": {"get"},
    "/broadcasts": {"get", "post"},
    "/broadcasts/{id}": {"get"},
    "/broadcasts/{id}/pause": {"post"},
    "/broadcasts/{id}/resume": {"post"},
    "/broadcasts/{id}/cancel": {"post"},
    "/users": {"get"},
    "/users/bulk": {"post"},
    "/users/{user_id}": {"get", "put", "delete"},
    "/users/{user_id}/export": {"get"},
    "/users/{user_id}/inbox": {"get"},
    "/users/{user_id}/tokens": {"post"},
    "/users/{user_id}/preference_links": {"post"},
    "/users/{user_id}/contact_points": {"get", "post"},
    "/users/{user_id}/contact_points/{id}": {"patch", "delete"},
    "/users/{user_id}/preferences": {"get", "put", "patch"},
    "/categories": {"get"},
    "/categories/{key}": {"get", "put"},
    "/topics": {"get"},
    "/topics/{key}": {"get", "put"},
    "/topics/{key}/subscribers": {"get", "post", "delete"},
    "/types": {"get"},
    "/types/{key}": {"get", "put"},
    "/templates": {"get"},
    "/templates/{key}": {"get", "put"},
    "/templates/{key}/preview": {"post"},
    "/templates/{key}/publish": {"post"},
    "/templates/preview": {"post"},
    "/provider_accounts": {"get"},
    "/provider_accounts/{name}": {"get", "put", "delete"},
    "/keys": {"get", "post"},
    "/keys/{id}": {"delete"},
    "/keys/{id}/rotate": {"post"},
    "/outbox": {"get"},
    "/inbox": {"get"},
    "/inbox/counts": {"get"},
}
# They answer 422 not_available, and the document does not speak of them.
NOT_BUILT = {"/api/v1/inbox/{item_id}/snooze"}


@pytest.fixture
def document(client, db):
    response = client.get("/api/v1/schema/?format=json")
    assert response.status_code == 200
    return json.loads(response.content)


@pytest.mark.slow
def test_the_document_is_valid_openapi(document):
    validate(document)


def test_every_route_of_the_contract_is_in_the_document(document):
    for path, methods in CONTRACT.items():
        assert methods <= set(document["paths"].get(f"/api/v1{path}", {})), path


def test_every_route_of_the_code_is_in_the_document(document):
    routes = {re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", f"/{route}") for route in _routes(get_resolver())}
    served = {route for route in routes if route.startswith("/api/v1/")} - {"/api/v1/schema/"} - NOT_BUILT

    assert served == set(document["paths"])


def test_every_operation_says_who_may_call_it_and_what_may_go_wrong(document):
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            where = f"{method} {path}"
            assert operation["security"], where
            assert {"401", "403"} <= set(operation["responses"]), where
            assert any(status.startswith("2") for status in operation["responses"]), where
            assert 0 < len(operation["summary"]) <= 100, where
            assert "required_scopes" not in operation.get("description", ""), where


def test_the_body_of_a_send_is_the_contracts_without_what_is_not_built(document):
    body = document["paths"]["/api/v1/notifications/send"]["post"]["requestBody"]
    schema = body["content"]["application/json"]["schema"]

    assert schema["required"] == ["user_id", "type", "payload"]
    assert schema["additionalProperties"] is False
    assert set(schema["properties"]) == {
        "user_id", "type", "payload", "notification_id", "channels_preferred", "priority", "timestamp", "send_at",
        "expires_at", "locale", "metadata", "user", "attachments",
    }  # fmt: skip


def test_posts_of_services_take_an_idempotency_key(document):
    parameters = document["paths"]["/api/v1/notifications/send"]["post"]["parameters"]

    assert "Idempotency-Key" in {parameter["name"] for parameter in parameters}


def test_answers_are_what_the_document_says(document, shop: Service, ada, typed, body):
    sent = shop.send(body)
    for answer, path, method, status in [
        (sent, "/notifications/send", "post", "202"),
        (shop.get(sent.json()["links"]["self"]), "/notifications/{id}", "get", "200"),
        (shop.get("/api/v1/notifications"), "/notifications", "get", "200"),
        (shop.get("/api/v1/keys"), "/keys", "get", "200"),
        (shop.post("/api/v1/keys", {"scopes": ["send"]}), "/keys", "post", "201"),
    ]:
        content = document["paths"][f"/api/v1{path}"][method]["responses"][status]["content"]
        schema = content["application/json"]["schema"]
        assert set(answer.json()) == set(schema["properties"]), path


def test_every_code_is_documented():
    text = (ROOT / "docs" / "problems.md").read_text()
    answers, faults = text.split("## Codes of one fault")

    missing = {code for code in _codes_of_answers() if f"| `{code}` |" not in answers}
    missing |= {code for code in _codes_of_faults() if f"| `{code}` |" not in faults}
    assert missing == set()


def test_the_type_of_a_problem_leads_to_its_meaning(client, db):
    assert "every fault" not in (page := client.get("/problems/in_progress").content.decode())
    assert "being carried out at this moment" in page
    assert client.get("/problems/nothing_of_the_kind").status_code == 404


def _routes(resolver: URLResolver, prefix: str = "") -> list[str]:
    found = []
    for pattern in resolver.url_patterns:
        route = prefix + str(pattern.pattern)
        found += [route] if isinstance(pattern, URLPattern) else _routes(pattern, route)
    return found


def _codes_of_answers() -> set[str]:
    _routes(get_resolver())  # with the URLs every view is loaded, and what it may raise
    found, rest = {code for _, code, _ in errors._OF_REST_FRAMEWORK}, [Problem]
    while rest:
        kind = rest.pop()
        found.add(kind.code)
        rest += kind.__subclasses__()
    return found


def _codes_of_faults() -> set[str]:
    found: set[str] = set()
    for room in ("project", "preferences", "templates_app", "notifications"):
        for path in (ROOT / room).rglob("*.py"):
            for node in ast.walk(ast.parse(path.read_text())):
                name = getattr(node.func, "id", "") if isinstance(node, ast.Call) else ""
                if name == "Fault" and len(node.args) > 1 and isinstance(node.args[1], ast.Constant):
                    found.add(node.args[1].value)
                elif name == "Invalid" and node.args and isinstance(node.args[0], ast.Constant):
                    found.add(node.args[0].value)
                elif isinstance(node, ast.Assign) and getattr(node.targets[0], "id", "") == "code":
                    choices = (node.value.body, node.value.orelse) if isinstance(node.value, ast.IfExp) else ()
                    found |= {choice.value for choice in choices if isinstance(choice, ast.Constant)}
    return found


@pytest.mark.parametrize("version", ["%00", "%0d%0aX:1", "a%22b"])
def test_the_schema_takes_no_version_from_strangers(client, version):
    response = client.get(f"/api/v1/schema/?version={version}")

    assert response.status_code == 200
    assert response["Content-Disposition"] == 'inline; filename="Carillon.yaml"'
