"""A type's JSON Schema: whether it may be used, and what it says of a payload's variables."""

import json
from collections.abc import Iterator
from functools import lru_cache
from typing import Any

import jsonschema_rs
from jsonschema_rs import ValidationError, ValidationErrorKind

from project.foundation.faults import depth, join, printable
from project.foundation.problems import Fault

MAX_BYTES = 64 << 10
MAX_DEPTH = 32
MAX_STEPS = 10_000  # subschemas, with every $ref followed: what one validation may cost
_LONGEST_MESSAGE = 300  # characters: a message quotes the faulty value
# These hold values, not schemas.
_VALUES = frozenset({"const", "default", "enum", "example", "examples"})
_MOVING_REFERENCES = ("$dynamicRef", "$recursiveRef")


class _Refused(ValueError):
    def __init__(self, pointer: str, message: str) -> None:
        super().__init__(message)
        self.pointer = pointer


def check(schema: Any, pointer: str = "") -> list[Fault]:
    """Return why `schema` cannot be a type's schema: it must be sound, closed in itself, and cheap to follow.

    Its `examples` must satisfy it, because they are what templates are tested with.
    """
    if not isinstance(schema, dict):
        return [Fault(pointer, "wrong_type", "A schema is an object.")]
    if len(json.dumps(schema)) > MAX_BYTES or depth(schema) > MAX_DEPTH:
        return [Fault(pointer, "too_large", f"A schema may have {MAX_BYTES} bytes and {MAX_DEPTH} levels.")]
    try:
        _cost(schema, schema, pointer, {})
        _validator(json.dumps(schema))
    except _Refused as refused:
        return [Fault(refused.pointer, "invalid_schema", str(refused))]
    except ValidationError as error:
        place = pointer
        for step in error.instance_path:
            place = join(place, step)
        return [Fault(place, "invalid_schema", _sentence(error.message))]
    except ValueError as error:  # an unknown $schema
        return [Fault(pointer, "invalid_schema", _sentence(str(error)))]
    return list(_faults_of_examples(schema, join(pointer, "examples")))


def faults(schema: dict[str, Any] | None, variables: Any, pointer: str = "") -> list[Fault]:
    """Return every way in which `variables` breaks a type's schema; none when the type has no schema."""
    if schema is None:
        return []
    validator = _validator(json.dumps(schema))
    return [fault for error in validator.iter_errors(variables) for fault in _of_error(error, pointer)]


def validator(schema: dict[str, Any] | None) -> Any:
    """Return what tells by is_valid(variables) whether a type's schema holds; None when the type has no schema."""
    return None if schema is None else _validator(json.dumps(schema))


def examples(schema: Any) -> list[dict[str, Any]]:
    """Return the sample variables that a schema carries."""
    given = schema.get("examples") if isinstance(schema, dict) else None
    return [example for example in given if isinstance(example, dict)] if isinstance(given, list) else []


@lru_cache(maxsize=1024)
def _validator(schema: str) -> Any:
    return jsonschema_rs.validator_for(
        json.loads(schema),
        validate_formats=True,
        offline=True,  # a $ref to another machine or to a file is never followed
        pattern_options=jsonschema_rs.RegexOptions(),  # linear time: no look-around, no back-references
    )


def _of_error(error: ValidationError, pointer: str) -> Iterator[Fault]:
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


def _faults_of_examples(schema: dict[str, Any], pointer: str) -> Iterator[Fault]:
    given = schema.get("examples", [])
    if not isinstance(given, list):
        yield Fault(pointer, "wrong_type", "Examples are a list.")
        return
    for index, example in enumerate(given):
        yield from faults(schema, example, join(pointer, index))


def _cost(root: Any, node: Any, pointer: str, known: dict[str, int | None]) -> int:
    """Return how many subschemas a validation can pass through; raises _Refused for circles, far references and excess.

    `known` remembers what each reference costs; None while it is being followed.
    """
    if isinstance(node, list):
        return sum(_cost(root, item, join(pointer, index), known) for index, item in enumerate(node))
    if not isinstance(node, dict):
        return 0
    total = 1
    for name, child in node.items():
        place = join(pointer, name)
        if name == "$ref" and isinstance(child, str):
            total += _cost_of_reference(root, child, place, known)
        elif name in _MOVING_REFERENCES and isinstance(child, str):
            raise _Refused(place, f"{name} is not supported; use $ref.")
        elif name not in _VALUES or isinstance(child, dict):
            total += _cost(root, child, place, known)
    if total > MAX_STEPS:
        raise _Refused(pointer, "Following its references takes too many steps.")
    return total


def _cost_of_reference(root: Any, reference: str, place: str, known: dict[str, int | None]) -> int:
    if reference not in known:
        known[reference] = None
        known[reference] = _cost(root, _target(root, reference, place), place, known)
    cost = known[reference]
    if cost is None:
        raise _Refused(place, "A schema may not refer to itself in a circle.")
    return cost


def _target(root: Any, reference: str, place: str) -> Any:
    if not reference.startswith("#/"):
        raise _Refused(place, 'A reference stays within the schema: "#/$defs/…".')
    node = root
    for step in reference[2:].split("/"):
        name = step.replace("~1", "/").replace("~0", "~")
        if isinstance(node, list) and name.isdecimal() and int(name) < len(node):
            node = node[int(name)]
        elif isinstance(node, dict) and name in node:
            node = node[name]
        else:
            raise _Refused(place, f"There is nothing at {reference[:100]}.")
    return node


def _sentence(message: str) -> str:
    message = printable(message)
    return message if len(message) <= _LONGEST_MESSAGE else message[:_LONGEST_MESSAGE] + "…"
