"""Request bodies: JSON into a msgspec Struct, or a problem that names every fault at once."""

import json
import math
import re
from collections.abc import Iterable
from typing import Any, Never, TypeVar

import msgspec
from django.http import HttpRequest
from rest_framework.exceptions import UnsupportedMediaType
from rest_framework.request import Request

from project.foundation import faults
from project.foundation.problems import Fault, InvalidRequest, Problem, TooLarge

MAX_BYTES = 1 << 20
MAX_BULK_BYTES = 10 << 20  # for routes that end in /bulk
MAX_DEPTH = 64

T = TypeVar("T")

_UNSURE = object()
_decode, _encode = msgspec.json.Decoder().decode, msgspec.json.Encoder().encode
_encode_lines = msgspec.json.Encoder().encode_lines
_BUT_OPENINGS = bytes(set(range(256)) - set(b"{[\n"))
# NUL, and halves of surrogate pairs; whole pairs as well, and what only looks like them behind another backslash.
_ODD_ESCAPE = re.compile(rb"\\u(?:0000|[dD][89a-fA-F])")

_JSON_TYPE = re.compile(r"application/(?:[\w.-]+\+)?json\s*(?:;\s*charset=\"?utf-8\"?\s*)?", re.IGNORECASE)


class InvalidJSON(Problem):
    status, code, title = 400, "invalid_json", "The body is not valid JSON."


def read(request: Request | HttpRequest, schema: type[T], *, optional: bool = False) -> T:
    """Return the request's JSON body as `schema`, a Struct with forbid_unknown_fields.

    `optional`: an empty body counts as `{}`. Raises InvalidRequest naming every fault, InvalidJSON (400: not JSON, too
    deep, a name twice in one object, not UTF-8), TooLarge (413) or UnsupportedMediaType (415).
    """
    return check(data(request, optional=optional), schema, clean=is_clean(request))


def check(value: Any, schema: type[T], *, pointer: str = "", clean: bool = False) -> T:
    """Return parsed JSON as `schema`; raises InvalidRequest with all faults, their pointers below `pointer`.

    `clean`: its strings are known to hold nothing that no database can.
    """
    return _checked(value, schema, [] if clean else faults.of_strings(value, pointer), pointer)


def data(request: Request | HttpRequest, *, optional: bool = False) -> Any:
    """Return the request's parsed JSON body, not yet checked against anything."""
    body = raw(request)
    if optional and not body:
        return {}
    content_type = request.META.get("CONTENT_TYPE", "")
    if not _JSON_TYPE.fullmatch(content_type):
        raise UnsupportedMediaType(content_type or "none", detail="Send the body as Content-Type: application/json.")
    return parsed(request)


def parsed(request: Request | HttpRequest) -> Any:
    """Return the JSON value of the request's body, parsed once and not to be changed. Raises InvalidJSON, TooLarge."""
    http: HttpRequest = getattr(request, "_request", request)
    if not hasattr(http, "_carillon_json"):
        http._carillon_json = parse(raw(http))  # type: ignore[attr-defined]
    return http._carillon_json  # type: ignore[attr-defined]


def is_clean(request: Request | HttpRequest) -> bool:
    """Tell at a glance whether the body's strings hold neither NUL nor half surrogate pairs: those come escaped."""
    body = raw(request)
    return b"\\u" not in body or _ODD_ESCAPE.search(body) is None


def parse(body: bytes) -> Any:
    """Return the JSON value of `body`. Raises InvalidJSON."""
    value = _parsed_at_once(body)
    return _parsed_with_care(body) if value is _UNSURE else value


def _parsed_at_once(body: bytes) -> Any:
    """Return the value by a parser ten times as fast, or _UNSURE: it says less of faults and takes names twice."""
    try:
        value = _decode(body)
        text = _encode(value)
    except (ValueError, RecursionError, OverflowError):  # msgspec's own errors are ValueErrors
        return _UNSURE
    # A name that came twice is in the value once: with its colon, which in a string might be written as an escape.
    if body.count(b":") != text.count(b":") or b"\\u003a" in body or b"\\u003A" in body:
        return _UNSURE
    # With fewer brackets than that it cannot be nested deeper.
    is_small = text.count(b"{") + text.count(b"[") <= MAX_DEPTH
    return value if is_small or not _is_too_deep(value, MAX_DEPTH, 2) else _UNSURE


def _is_too_deep(value: Any, levels: int, looks: int) -> bool:
    """Tell whether a value nests deeper than `levels`. A wide one is looked at child by child, `looks` times."""
    if not isinstance(value, dict | list):
        return False
    if levels == 0:
        return True
    children = value if isinstance(value, list) else list(value.values())
    if len(children) == 1:
        return _is_too_deep(children[0], levels - 1, looks)
    if looks == 0:
        return faults.depth(value) > levels
    openings = _encode_lines(children).translate(None, _BUT_OPENINGS).split(b"\n")
    wide = [child for child, found in zip(children, openings, strict=False) if len(found) >= levels]
    return any(_is_too_deep(child, levels - 1, looks - 1) for child in wide)


def _parsed_with_care(body: bytes) -> Any:
    try:
        value = json.loads(
            body.decode("utf-8"), object_pairs_hook=_object, parse_float=_float, parse_constant=_not_json
        )
    except UnicodeDecodeError as error:
        raise InvalidJSON(f"Byte {error.start} is not UTF-8.") from error
    except RecursionError as error:
        raise InvalidJSON(f"It is nested deeper than {MAX_DEPTH} levels.") from error
    except json.JSONDecodeError as error:
        raise InvalidJSON(f"{error.msg}, at line {error.lineno}, column {error.colno}.") from error
    except ValueError as error:  # an integer of more than 4,300 digits
        raise InvalidJSON("A number is too long.") from error
    # A body with fewer brackets than the limit cannot be nested deeper than it.
    if body.count(b"{") + body.count(b"[") > MAX_DEPTH and faults.depth(value) > MAX_DEPTH:
        raise InvalidJSON(f"It is nested deeper than {MAX_DEPTH} levels.")
    return value


def raw(request: Request | HttpRequest) -> bytes:
    """Return the body's bytes, read once and never past the limit of the route. Raises TooLarge."""
    http: HttpRequest = getattr(request, "_request", request)
    known: bytes | None = getattr(http, "_carillon_body", None)
    if known is not None:
        return known
    limit = MAX_BULK_BYTES if http.path.rstrip("/").endswith("/bulk") else MAX_BYTES
    length = http.META.get("CONTENT_LENGTH") or "0"
    if not length.isdecimal() or int(length) > limit:
        raise TooLarge(f"The body may have {limit} bytes.")
    body: bytes = _stream(http).read(limit + 1)
    if len(body) > limit:
        raise TooLarge(f"The body may have {limit} bytes.")
    http._carillon_body = body  # type: ignore[attr-defined]
    return body


def openapi(schema: Any, *, without: Iterable[str] = ()) -> dict[str, Any]:
    """Return what @extend_schema(request=…) takes for a body of this Struct, `without` naming fields to leave out."""
    result = openapi_schema(schema)
    for name in without:
        del result["properties"][name]
    return {"application/json": result}


def openapi_schema(schema: Any) -> dict[str, Any]:
    """Return the JSON Schema of a Struct with nothing referenced: what @extend_schema(responses={200: …}) takes."""
    (root,), components = msgspec.json.schema_components([schema], ref_template="{name}")
    result = _inlined(root, components)
    assert isinstance(result, dict)
    return result


def _checked(value: Any, schema: type[T], found: list[Fault], pointer: str) -> T:
    try:
        result = msgspec.convert(value, schema)
    except (msgspec.ValidationError, UnicodeEncodeError):
        found = faults.of_type(value, schema, pointer) + found
    if found:
        raise InvalidRequest(errors=faults.one_per_place(found))
    return result


def _stream(http: HttpRequest) -> Any:
    """Return where to read the body. Without a length Django's WSGI request is empty, though a server that ends the
    stream itself (as granian does) has taken a chunked body in."""
    chunked = http.META.get("wsgi.input_terminated") and not http.META.get("CONTENT_LENGTH")
    return http.META["wsgi.input"] if chunked else http


def _inlined(node: Any, components: dict[str, Any]) -> Any:
    if isinstance(node, list):
        return [_inlined(item, components) for item in node]
    if not isinstance(node, dict):
        return node
    if isinstance(name := node.get("$ref"), str):
        return _inlined(components[name], components)
    return {key: _inlined(value, components) for key, value in node.items() if not (key == "title" and "type" in node)}


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    result = dict(pairs)
    if len(result) != len(pairs):
        raise InvalidJSON("An object holds the same name twice.")
    return result


def _float(digits: str) -> float:
    number = float(digits)
    if not math.isfinite(number):
        raise InvalidJSON("A number is out of range.")
    return number


def _not_json(constant: str) -> Never:
    raise InvalidJSON(f"{constant} is not JSON.")
