"""What every route of the API has in common, put into the OpenAPI document after it was made from the views."""

from typing import Any

from drf_spectacular.views import SpectacularAPIView
from rest_framework.request import Request


class Schema(SpectacularAPIView):
    """The document. There is one version of it: what `?version=` says would stand in it, and in a header."""

    def _get_version_parameter(self, request: Request) -> None:
        return None


_PROBLEM = {
    "type": "object",
    "description": "RFC 9457. `code` is stable; the codes are listed under `type`.",
    "required": ["type", "title", "status", "code", "detail", "errors", "request_id"],
    "properties": {
        "type": {"type": "string", "format": "uri"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "code": {"type": "string"},
        "detail": {"type": "string"},
        "errors": {
            "type": "array",
            "description": "Every fault of the request.",
            "items": {
                "type": "object",
                "required": ["pointer", "code", "message"],
                "properties": {
                    "pointer": {
                        "type": "string",
                        "description": "RFC 6901: where in the body, or /name of a parameter.",
                    },
                    "code": {"type": "string"},
                    "message": {"type": "string"},
                },
            },
        },
        "request_id": {"type": "string"},
    },
}
_IDEMPOTENCY_KEY = {
    "in": "header",
    "name": "Idempotency-Key",
    "required": False,
    "schema": {"type": "string", "minLength": 1, "maxLength": 255},
    "description": "The same key with the same body is carried out once and answered alike for 24 hours.",
}
_ANSWERS = {
    "400": "Not JSON, or a header that is not valid.",
    "401": "No credentials, or credentials that are unknown, expired or revoked.",
    "403": "The credentials do not allow this.",
    "404": "There is nothing here.",
    "409": "The present state does not allow this.",
    "413": "The body is too large.",
    "415": "The body is not JSON.",
    "422": "Some fields are not valid; every one is named.",
    "429": "Too many requests for this key.",
    "503": "Not available at the moment; nothing was stored.",
}


def complete(result: dict[str, Any], generator: Any, request: Any, public: bool) -> dict[str, Any]:
    """Add the problems that each route may answer, and Idempotency-Key to every POST of a service."""
    components = result.setdefault("components", {})
    components.setdefault("schemas", {})["Problem"] = _PROBLEM
    components["responses"] = {f"Problem{status}": _answer(text) for status, text in _ANSWERS.items()}
    for path, methods in result["paths"].items():
        for method, operation in methods.items():
            operation.setdefault("summary", _first_sentence(operation.get("description", "")))
            for status in _statuses(path, method, operation):
                problem = {"$ref": f"#/components/responses/Problem{status}"}
                operation["responses"].setdefault(status, problem)
            if method == "post" and {"ApiKey": []} in operation.get("security", []):
                operation.setdefault("parameters", []).append(_IDEMPOTENCY_KEY)
    return result


def _first_sentence(text: str) -> str:
    """Return what stands beside a route in a list of routes."""
    line = text.split("\n", 1)[0]
    return line.split(". ", 1)[0].split("; ", 1)[0].removesuffix(".")


def _answer(text: str) -> dict[str, Any]:
    schema = {"$ref": "#/components/schemas/Problem"}
    return {"description": text, "content": {"application/problem+json": {"schema": schema}}}


def _statuses(path: str, method: str, operation: dict[str, Any]) -> list[str]:
    found = {"401", "403", "429", "503"}
    if "{" in path:
        found.add("404")
    if operation.get("parameters"):
        found.add("422")
    if "requestBody" in operation:
        found |= {"400", "413", "415", "422"}
    if method == "post":
        found |= {"400", "409", "422"}
    if method in {"put", "patch", "delete"}:
        found.add("409")
    return sorted(found)
