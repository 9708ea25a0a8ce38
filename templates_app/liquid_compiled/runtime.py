"""What generated functions call. Each either does just what python-liquid would, or raises so that it is asked."""

import sys
import time
from collections.abc import Callable, Mapping, Sequence
from itertools import islice
from typing import Any

from liquid import Environment
from liquid.builtin.expressions.logical import _eq, _le, _lt
from liquid.builtin.expressions.primitive import Blank, Empty
from liquid.limits import to_int
from liquid.stringify import to_liquid_string
from liquid.undefined import FalsyStrictUndefined, Undefined
from markupsafe import Markup

from templates_app import liquid_filters, liquid_loops
from templates_app.liquid import Context
from templates_app.liquid import Environment as Limits
from templates_app.liquid_filters import READER, Reader

_UNDEFINED: frozenset[type] = frozenset((FalsyStrictUndefined, Undefined))
_COMPARABLE = frozenset({str, int, float, type(None)})  # bool is none of them: in Python True is 1
_NUMBERS: frozenset[Any] = frozenset({int, float})
_OWN_WAY = frozenset({"size", "first", "last"})
_LOOKUP = Context(Environment().from_string(""))
_MAX_PIECE = 100_000  # characters; longer ones are rendered by python-liquid, which measures after each
_MAX_PIECES = 64  # held before they are joined and measured


class Differs(Exception):
    """python-liquid has to render this: a limit is near, or the value is one that it treats in a way of its own."""


class Seen:
    """What filters see of a rendering's context."""

    __slots__ = ("globals",)

    def __init__(self, reader: Reader) -> None:
        self.globals = {READER: reader}


def text(value: object) -> str:
    """Return `value` as it stands in plain text."""
    return _piece(to_liquid_string(value, autoescape=False))


def html(value: object) -> str:
    """Return `value` as it stands in HTML."""
    if value.__class__ is not str:
        return _piece(to_liquid_string(value, autoescape=True))
    said: str = value
    if len(said) > _MAX_PIECE:
        raise Differs("long")
    # Five searches are faster than markupsafe.escape, which makes a Markup of each.
    if "&" in said:
        said = said.replace("&", "&amp;")
    if "<" in said:
        said = said.replace("<", "&lt;")
    if ">" in said:
        said = said.replace(">", "&gt;")
    if '"' in said:
        said = said.replace('"', "&#34;")
    if "'" in said:
        said = said.replace("'", "&#39;")
    return said if said.isascii() else _piece(said)


def json(value: object) -> str:
    """Return `value` as it stands inside a JSON string."""
    return _piece(liquid_filters.inside_json(value))


def _piece(said: str) -> str:
    if len(said) > _MAX_PIECE:
        raise Differs("long")
    said.encode()  # raises for half a surrogate pair, as writing it would
    return said


def whole(pieces: Sequence[str], parts: int) -> str:
    """Return `pieces` joined. `parts`: into how many the output limit is divided, the text and what is captured."""
    said = "".join(pieces)
    if len(said) * 4 > Limits.output_stream_limit // parts:  # no character takes more than four bytes
        raise Differs("long")
    return said


def gather(pieces: list[str], parts: int) -> None:
    """Join what has gathered, so that no loop can make more than it may."""
    if len(pieces) > _MAX_PIECES:
        pieces[:] = [whole(pieces, parts)]


def captured(pieces: list[str], parts: int) -> str:
    return whole(pieces, parts)


def captured_html(pieces: list[str], parts: int) -> Markup:
    return Markup(whole(pieces, parts))


def kept(value: object, names: int) -> object:
    """Return what is assigned. `names`: how many there are, of which each may fill its share of the namespace."""
    kind: Any = value.__class__
    if kind in _UNDEFINED:
        # Its own, so that `item` does not take it for the missing variable itself, whose properties may be asked for.
        return kind(value.name, token=None)  # type: ignore[attr-defined]
    if sys.getsizeof(value, 1) * names > Limits.local_namespace_limit or kind is Empty or kind is Blank:
        raise Differs("assigned")
    return value


def deadline() -> float:
    return time.monotonic() + liquid_filters.TIME_LIMIT


def hurry(late: float) -> None:
    if time.monotonic() > late:
        raise Differs("late")


def item(value: Any, key: Any, missing: object) -> object:
    """Return a property of `value`, or `missing`, which a missing value stays whatever is asked of it."""
    if value is missing:
        return missing
    if key.__class__ is str and key not in _OWN_WAY and isinstance(value, dict):
        return value.get(key, missing)
    try:
        return _LOOKUP.get_item(value, key)
    except (KeyError, TypeError, IndexError):
        return missing


def truthy(value: object) -> bool:
    return value is not None and value is not False and value.__class__ not in _UNDEFINED


def equal(left: object, right: object) -> bool:
    if left.__class__ in _COMPARABLE and right.__class__ in _COMPARABLE:
        return left == right
    return _eq(left, right)


def less(left: Any, right: Any) -> bool:
    if left.__class__ in _NUMBERS and right.__class__ in _NUMBERS:
        return bool(left < right)
    return _lt(None, left, right)  # type: ignore[arg-type]


def at_most(left: Any, right: Any) -> bool:
    if left.__class__ in _NUMBERS and right.__class__ in _NUMBERS:
        return bool(left <= right)
    return _le(left, right)


def contains(left: object, right: object) -> bool:
    return liquid_loops.contains(None, left, right)


def span(start: Any, stop: Any) -> range:
    """Return (start..stop); what is no number counts as 0."""
    first, last = _number(start), _number(stop)
    return range(first, last + 1) if first <= last else range(0)


def _number(value: Any) -> int:
    try:
        return to_int(value)
    except (ValueError, TypeError):
        return 0


def entries(value: Any) -> Sequence[Any]:
    """Return what a loop goes through."""
    if value.__class__ is list:
        return value
    if isinstance(value, Mapping):
        return tuple(value.items())
    if isinstance(value, str):
        return (value,) if value else ()
    return value if isinstance(value, Sequence) else ()


def counted(values: Sequence[Any], around: int) -> int:
    """Return how often a loop runs, together with those around it, which run `around` times."""
    runs = len(values) * around
    if runs > Limits.loop_iteration_limit:
        raise Differs("loop")
    return runs


def integer(value: Any) -> int:
    return to_int(value)


def sliced(values: Sequence[Any], limit: int | None, start: int) -> Sequence[Any]:
    """Return at most `limit` of `values` from `start` on, as python-liquid counts: none of 0 is all."""
    stop = None if limit is None else limit + start
    length = len(values)
    first, end = min(max(start, 0), length), min(stop or length, length)
    if first > liquid_loops.MAX_OFFSET or end - first > Limits.loop_iteration_limit:
        raise Differs("loop")
    return list(islice(values, first, end))


def backwards(values: Sequence[Any]) -> Sequence[Any]:
    if len(values) > Limits.loop_iteration_limit:
        raise Differs("loop")
    return values[::-1]


def cycled(turns: dict[str, int], group: object, values: list[object]) -> object:
    """Return the value whose turn it is. `group` is "" where the tag names none."""
    name = "__UNDEFINED" if group.__class__ in _UNDEFINED else str(group)
    key = name or str(values)
    index = turns.setdefault(key, 0)
    turns[key] = (index + 1) % len(values)
    return values[index] if index < len(values) else ""


def counter(counters: dict[str, int], name: str, step: int) -> str:
    """Return what `increment` (1) or `decrement` (-1) writes."""
    before = counters.get(name, 0)
    counters[name] = before + step
    return str(before if step > 0 else before + step)


_CALLED: tuple[Callable[..., Any], ...] = (text, html, json, whole, gather, captured, captured_html, kept, deadline)
_CALLED += (hurry, item, truthy, equal, less, at_most, contains, span, entries, counted, integer, sliced, backwards)
NAMES: dict[str, Any] = {function.__name__: function for function in (*_CALLED, cycled, counter)} | {"Seen": Seen}
