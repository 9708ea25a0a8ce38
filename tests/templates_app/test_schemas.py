import time
from typing import Any

import pytest

from templates_app import schemas
from tests.templates_app.conftest import SCHEMA


def test_every_faulty_variable_is_named_at_once() -> None:
    schema = {
        "type": "object",
        "required": ["order_id", "total", "name"],
        "properties": {
            "total": {"type": "number"},
            "items": {"type": "array", "items": {"type": "object", "required": ["sku"]}},
            "mail": {"type": "string", "format": "email"},
        },
        "additionalProperties": False,
    }

    found = schemas.faults(schema, {"total": "x", "items": [{}, {"sku": 1}, {}], "mail": "?", "a/b": 1}, "/v")

    assert sorted((fault.pointer, fault.code) for fault in found) == [
        ("/v/a~1b", "unknown_field"),
        ("/v/items/0/sku", "required"),
        ("/v/items/2/sku", "required"),
        ("/v/mail", "invalid_value"),
        ("/v/name", "required"),
        ("/v/order_id", "required"),
        ("/v/total", "wrong_type"),
    ]


def test_a_type_without_a_schema_takes_anything() -> None:
    assert schemas.faults(None, {"a": 1}) == []


def test_a_sound_schema_with_references_passes() -> None:
    schema = {**SCHEMA, "$defs": {"money": {"type": "number"}}, "properties": {"total": {"$ref": "#/$defs/money"}}}

    assert schemas.check(schema) == []
    assert [fault.pointer for fault in schemas.faults(schema, {"total": "x", "order_id": "", "customer_name": ""})] == [
        "/total"
    ]


def _doubling() -> dict[str, Any]:
    links = {f"d{n}": {"anyOf": [{"$ref": f"#/$defs/d{n + 1}"}] * 2} for n in range(40)}
    return {"$defs": {**links, "d40": {"type": "string"}}, "$ref": "#/$defs/d0"}


@pytest.mark.parametrize(
    "schema",
    [
        [],
        "object",
        {"type": "nope"},
        {"required": "x"},
        {"properties": {"a": {"pattern": "("}}},
        {"properties": {"a": {"pattern": "(?=a)b"}}},
        {"$ref": "#"},
        {"$ref": "https://example.com/schema.json"},
        {"$ref": "file:///etc/passwd"},
        {"$ref": "#/$defs/none"},
        {"$schema": "https://example.com/meta"},
        {"$defs": {"a": {"$ref": "#/$defs/b"}, "b": {"$ref": "#/$defs/a"}}, "$ref": "#/$defs/a"},
        {"$defs": {"tree": {"properties": {"kids": {"items": {"$ref": "#/$defs/tree"}}}}}, "$ref": "#/$defs/tree"},
        {"$dynamicRef": "#x"},
        {"description": "x" * 70_000},
        _doubling(),
        {"examples": {}},
        {"type": "object", "required": ["a"], "examples": [{}]},
    ],
)
def test_a_schema_that_is_unsound_open_or_dear_is_refused(schema: Any) -> None:
    start = time.monotonic()

    found = schemas.check(schema, "/schema")

    assert found
    assert all(fault.pointer.startswith("/schema") for fault in found)
    assert time.monotonic() - start < 1


def test_a_deep_schema_is_refused() -> None:
    schema: dict[str, Any] = {}
    for _ in range(60):
        schema = {"properties": {"a": schema}}

    assert [fault.code for fault in schemas.check(schema)] == ["too_large"]


def test_an_example_that_breaks_its_schema_is_named() -> None:
    schema = {**SCHEMA, "examples": [{"order_id": "A", "customer_name": "Ada"}, {"order_id": 1}]}

    assert sorted(fault.pointer for fault in schemas.check(schema, "/schema")) == [
        "/schema/examples/1/customer_name",
        "/schema/examples/1/order_id",
    ]
