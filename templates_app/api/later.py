"""Fields of the contract whose feature is not built: refused by name when they ask for something."""

from collections.abc import Iterable
from typing import Any, TypeVar

from project.foundation import bodies
from project.foundation.problems import Fault, InvalidRequest, not_available

Schema = TypeVar("Schema")


def check(value: Any, schema: type[Schema], *, later: Iterable[str], found: list[Fault]) -> Schema:
    """Return parsed JSON as `schema`. Raises InvalidRequest with its faults, those of `later` fields, and `found`."""
    if isinstance(value, dict):
        value, found = dict(value), list(found)
        found += [not_available(f"/{name}") for name in later if value.pop(name, None)]
    try:
        body = bodies.check(value, schema)
    except InvalidRequest as error:
        raise InvalidRequest(errors=[*found, *error.errors]) from None
    if found:
        raise InvalidRequest(errors=found)
    return body


def without_variants(value: Any) -> list[Fault]:
    """Take `variant` out of contents; return a fault for each that asks for one."""
    contents = value.get("contents") if isinstance(value, dict) else None
    return [
        not_available(f"/contents/{index}/variant")
        for index, content in enumerate(contents if isinstance(contents, list) else [])
        if isinstance(content, dict) and content.pop("variant", None)
    ]
