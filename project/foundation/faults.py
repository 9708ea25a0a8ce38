"""Every fault of a JSON value at once, with RFC 6901 pointers."""

import enum
import re
import types
import typing
from collections.abc import Iterator, Mapping
from typing import Any

import msgspec

from project.foundation.problems import Fault

MOST = 1000  # faults in one answer
_LONGEST_NAME = 100  # characters of one name in a pointer
_UNCLEAN = re.compile("[\x00\ud800-\udfff]")
_NO_TEXT = "It holds a NUL character or half of a surrogate pair."
_WORDS = {
    "str": "a string",
    "int": "a whole number",
    "float": "a number",
    "bool": "true or false",
    "object": "an object",
    "array": "a list",
    "null": "null",
    "datetime": "a time",
    "uuid": "a UUID",
}


def join(pointer: str, name: str | int) -> str:
    """Return the pointer of a member or an item below `pointer`."""
    text = printable(str(name))
    if len(text) > _LONGEST_NAME:
        text = text[:_LONGEST_NAME] + "…"
    return f"{pointer}/{text.replace('~', '~0').replace('/', '~1')}"


def printable(text: str) -> str:
    """Return `text` with what cannot be written as UTF-8, and NUL, spelled out."""
    return _UNCLEAN.sub(lambda match: f"\\u{ord(match[0]):04x}", text)


def depth(value: Any) -> int:
    """Return how many lists and objects lie inside each other."""
    level, layer = 0, [value]
    while layer := [item for item in layer if isinstance(item, dict | list)]:
        level += 1
        layer = [child for item in layer for child in (item.values() if isinstance(item, dict) else item)]
    return level


def one_per_place(found: list[Fault]) -> list[Fault]:
    """Return the first fault of each pointer, at most MOST."""
    return list({fault.pointer: fault for fault in reversed(found)}.values())[::-1][:MOST]


def of_strings(value: Any, pointer: str = "") -> list[Fault]:
    """Return a fault for every string and name that no database or mail can carry."""
    return [] if _is_clean(value) else list(_of_strings(value, pointer))


def of_type(value: Any, kind: Any, pointer: str = "") -> list[Fault]:
    """Return every way in which `value` is not a `kind` (as in annotations of a Struct); empty when it is one."""
    try:
        msgspec.convert(value, kind)
    except msgspec.ValidationError as error:
        inner = list(_inside(value, _plain(kind, value), pointer))
        return inner or [_fault(pointer, str(error), kind)]
    except UnicodeEncodeError:  # half a surrogate pair where msgspec looks into the text: in a name, a choice, a time
        return list(_inside(value, _plain(kind, value), pointer)) or [Fault(pointer, "invalid_string", _NO_TEXT)]
    return []


def without(value: Any, found: list[Fault]) -> Any:
    """Return a JSON value without the members that `found` points at, or that hold what it points at."""
    places = {tuple(fault.pointer.split("/")[1:]) for fault in found}
    return _without(value, places) if isinstance(value, dict) else value


def _without(value: dict[str, Any], places: set[tuple[str, ...]]) -> dict[str, Any]:
    result = {}
    for name, child in value.items():
        step = join("", name)[1:]
        below = {place[1:] for place in places if place[0] == step}
        if not below:
            result[name] = child
        elif isinstance(child, dict) and () not in below:
            result[name] = _without(child, below)
    return result


def _of_strings(value: Any, pointer: str) -> Iterator[Fault]:
    if isinstance(value, str) and _UNCLEAN.search(value):
        yield Fault(pointer, "invalid_string", _NO_TEXT)
    elif isinstance(value, dict):
        for name, child in value.items():
            if _UNCLEAN.search(name):
                message = "The name holds a NUL character or half of a surrogate pair."
                yield Fault(join(pointer, name), "invalid_string", message)
            yield from _of_strings(child, join(pointer, name))
    elif isinstance(value, list):
        for index, child in enumerate(value):
            yield from _of_strings(child, join(pointer, index))


def _is_clean(value: Any) -> bool:
    rest = [value]
    while rest:
        item = rest.pop()
        if isinstance(item, str):
            if _UNCLEAN.search(item):
                return False
        elif isinstance(item, dict):
            rest += item
            rest += item.values()
        elif isinstance(item, list):
            rest += item
    return True


def _inside(value: Any, kind: Any, pointer: str) -> Iterator[Fault]:
    """Yield the faults of the members of an object or the items of a list."""
    origin = typing.get_origin(kind) or kind
    if isinstance(value, dict) and isinstance(kind, type) and issubclass(kind, msgspec.Struct):
        yield from _of_members(value, kind, pointer)
    elif isinstance(value, dict) and origin in (dict, Mapping) and typing.get_args(kind):
        name_kind, child_kind = typing.get_args(kind)
        for name, child in value.items():
            yield from of_type(name, name_kind, join(pointer, name))
            yield from of_type(child, child_kind, join(pointer, name))
    elif isinstance(value, list) and origin in (list, set, frozenset, tuple) and typing.get_args(kind):
        for index, child in enumerate(value):
            yield from of_type(child, typing.get_args(kind)[0], join(pointer, index))


def _of_members(value: dict[str, Any], struct: type[msgspec.Struct], pointer: str) -> Iterator[Fault]:
    fields = {field.encode_name: field for field in msgspec.structs.fields(struct)}
    for name, field in fields.items():
        if name in value:
            yield from of_type(value[name], field.type, join(pointer, name))
        elif field.required:
            yield Fault(join(pointer, name), "required", "This field is required.")
    if struct.__struct_config__.forbid_unknown_fields:
        for name in [name for name in value if name not in fields]:
            yield Fault(join(pointer, name), "unknown_field", "There is no such field.")


def _plain(kind: Any, value: Any) -> Any:
    """Return the member of a union, stripped of its bounds, that `value` was meant to be."""
    while typing.get_origin(kind) is typing.Annotated:
        kind = typing.get_args(kind)[0]
    if typing.get_origin(kind) not in (typing.Union, types.UnionType):
        return kind
    members = [_plain(member, value) for member in typing.get_args(kind)]
    wanted: Any = dict if isinstance(value, dict) else list
    for member in members:
        origin = typing.get_origin(member) or member
        is_struct = isinstance(origin, type) and issubclass(origin, msgspec.Struct)
        if origin is wanted or (is_struct and wanted is dict):
            return member
    return kind


def _fault(pointer: str, message: str, kind: Any) -> Fault:
    message = re.sub(r" - at `.*`$", "", message, flags=re.DOTALL)
    if "length" in message:
        code = "too_long" if "<=" in message else "too_short"
    else:
        code = "wrong_type" if re.match(r"Expected `[^`]+`, got", message) else "invalid_value"
    if "enum value" in message:
        message = f"It must be one of {', '.join(_choices(kind))}."
    readable = re.sub(r"`([^`]+)`", lambda match: _in_words(match[1]), printable(message))
    return Fault(pointer, code, readable if readable.endswith(".") else readable + ".")


def _in_words(names: str) -> str:
    return " or ".join(_WORDS.get(name, name) for name in names.split(" | "))


def _choices(kind: Any) -> list[str]:
    if isinstance(kind, type) and issubclass(kind, enum.Enum):
        return [str(member.value) for member in kind]
    arguments = typing.get_args(kind)
    if typing.get_origin(kind) is typing.Literal:
        return [str(argument) for argument in arguments]
    return [choice for argument in arguments for choice in _choices(argument)]
