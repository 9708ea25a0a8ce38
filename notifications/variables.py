"""A type's JSON Schema over a request's template_variables."""

import json
from collections.abc import Iterator
from functools import lru_cache
from typing import Any

import jsonschema_rs
from jsonschema_rs import ValidationError, ValidationErrorKind

from project.foundation.faults import join, printable
from project.foundation.problems import Fault

_LONGEST_MESSAGE = 300  # characters: a message quotes the faulty value


def faults(schema: dict[str, Any] | bool | None, variables: Any, pointer: str) -> list[Fault]:
    """Return every way in which `variables` breaks a type's schema; none when the type has no schema."""
    if schema is None:
        return []
    validator = _validator(json.dumps(schema))
    return [fault for error in validator.iter_errors(variables) for fault in _faults(error, pointer)]


@lru_cache(maxsize=1024)
def _validator(schema: str) -> Any:
    # Offline: a $ref to another machine or to a file is never followed.
    return jsonschema_rs.validator_for(json.loads(schema), validate_formats=True, offline=True)


def _faults(error: ValidationError, pointer: str) -> Iterator[Fault]:
    for step in error.instance_path:
        pointer = join(pointer, step)
    kind = error.kind
    if isinstance(kind, ValidationErrorKind.Required):
        yield Fault(join(pointer, kind.property), "required", "This field is required.")
    elif isinstance(kind, ValidationErrorKind.AdditionalProperties | ValidationErrorKind.UnevaluatedProperties):
        for name in kind.unexpected:
            yield Fault(join(pointer, name), "unknown_field", "There is no such field.")
    else:
        code = "wrong_type" if isinstance(kind, ValidationErrorKind.Type) else "invalid_value"
        yield Fault(pointer, code, _sentence(error.message))


def _sentence(message: str) -> str:
    message = printable(message)
    return message if len(message) <= _LONGEST_MESSAGE else message[:_LONGEST_MESSAGE] + "…"
