"""What a text says to everybody alike: rendered once for many people."""

from collections.abc import Collection, Iterator

from liquid.ast import Node
from liquid.builtin.expressions import FilteredExpression, Path
from liquid.builtin.tags.assign_tag import AssignNode
from liquid.builtin.tags.capture_tag import CaptureNode
from liquid.builtin.tags.cycle_tag import CycleNode
from liquid.builtin.tags.decrement_tag import DecrementNode
from liquid.builtin.tags.for_tag import BreakNode, ContinueNode
from liquid.builtin.tags.increment_tag import IncrementNode
from liquid.expression import Expression

PERSONAL = frozenset({"user", "unsubscribe_url"})  # the variables that each person has of their own
# Nodes that something after them may depend on.
_LASTING = (AssignNode, CaptureNode, IncrementNode, DecrementNode, CycleNode, BreakNode, ContinueNode)
# What they make of "now" is soon no longer true.
_OF_THE_CLOCK = frozenset({"date", "local_date", "local_time", "local_datetime"})


def is_common(node: Node, changing: Collection[str]) -> bool:
    """Tell whether a node says the same to all who are told the same. `changing`: names that its part assigns."""
    for each in _within(node):
        if isinstance(each, _LASTING):
            return False
        for expression in _expressions(each):
            if isinstance(expression, FilteredExpression) and any(
                filter_.name in _OF_THE_CLOCK for filter_ in expression.filters or ()
            ):
                return False
            if isinstance(expression, Path) and not _is_common_name(expression.path[0], changing):
                return False
    return True


def _is_common_name(root: object, changing: Collection[str]) -> bool:
    return isinstance(root, str) and root not in PERSONAL and root not in changing


def _within(node: Node) -> Iterator[Node]:
    yield node
    for child in node.children(None, include_partials=False):  # type: ignore[arg-type]
        yield from _within(child)


def _expressions(node: Node) -> Iterator[Expression]:
    left = list(node.expressions())
    while left:
        expression = left.pop()
        yield expression
        left.extend(expression.children())
