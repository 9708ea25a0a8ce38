"""Which value a name means at one place of a part: a loop's, an assigned one, or one that was given."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from liquid.ast import Node
from liquid.builtin.tags.assign_tag import AssignNode
from liquid.builtin.tags.capture_tag import CaptureNode
from liquid.builtin.tags.decrement_tag import DecrementNode
from liquid.builtin.tags.increment_tag import IncrementNode

from templates_app.liquid_compiled.code import Unsupported

_OF_THE_CLOCK = frozenset({"now", "today"})
_LOOP = "forloop"
_ABOUT_LOOPS = {
    "index": "({index} + 1)",
    "index0": "{index}",
    "rindex": "({length} - {index})",
    "rindex0": "({length} - {index} - 1)",
    "first": "({index} == 0)",
    "last": "({index} == {length} - 1)",
    "length": "{length}",
}


@dataclass(frozen=True)
class Loop:
    """A loop that is open."""

    label: str  # what `forloop.name` says
    identifier: str  # the author's name of the item
    item: str  # names in the generated function, as are the following
    index: str
    length: str
    runs: str


@dataclass(frozen=True)
class Fixed:
    """A value known when the template is read."""

    value: object


@dataclass
class Scope:
    """The names of one part."""

    assigned: dict[str, str]  # the author's name: ours
    counted: frozenset[str]
    loops: list[Loop] = field(default_factory=list)

    def knows(self, name: str) -> bool:
        """Return whether `name` may mean anything but a variable that was given."""
        if name in _OF_THE_CLOCK or name in self.counted:
            raise Unsupported("a name that changes its value")
        of_loops = any(name == loop.identifier for loop in self.loops) or (name == _LOOP and bool(self.loops))
        return of_loops or name in self.assigned or name == "partial"

    def fixed(self, root: str, rest: Sequence[Any]) -> str | Fixed | None:
        """Return what is known of a path without reading a variable: `forloop.index`, `partial`."""
        if any(root == loop.identifier for loop in self.loops):
            return None
        if root == _LOOP and self.loops:
            return self._about(len(self.loops) - 1, rest)
        if root != "partial":
            return None
        if rest:
            raise Unsupported("a property of `partial`")
        return "False"

    def name(self, root: str) -> str | None:
        """Return our name of a loop's item or of an assigned value."""
        for loop in reversed(self.loops):
            if loop.identifier == root:
                return loop.item
        return self.assigned.get(root)

    def _about(self, number: int, rest: Sequence[Any]) -> str | Fixed:
        if len(rest) > 1 and rest[0] == "parentloop" and number > 0:
            return self._about(number - 1, rest[1:])
        if len(rest) != 1 or not isinstance(rest[0], str):
            raise Unsupported("a loop as a value")
        loop = self.loops[number]
        if rest[0] == "name":
            return Fixed(loop.label)
        if rest[0] not in _ABOUT_LOOPS:
            raise Unsupported("what no loop says of itself")
        return _ABOUT_LOOPS[rest[0]].format(index=loop.index, length=loop.length)


def names_set(nodes: Iterable[Node]) -> tuple[list[str], frozenset[str]]:
    """Return the names that a part assigns, in order, and those that it counts with."""
    assigned: dict[str, None] = {}
    counted: set[str] = set()
    left = list(nodes)
    while left:
        node = left.pop(0)
        if isinstance(node, AssignNode | CaptureNode):
            assigned[str(node.name)] = None
        elif isinstance(node, IncrementNode | DecrementNode):
            counted.add(str(node.name))
        left.extend(node.children(None, include_partials=False))  # type: ignore[arg-type]
    return list(assigned), frozenset(counted)
