"""Liquid's loops, bounded.

To go through a range backwards, python-liquid first makes a list of all of it; to begin at an offset, it goes there
number by number, in one call that no limit of time interrupts. So does `contains` where a range cannot hold the value.
"""

from collections.abc import Iterator
from typing import Any

from liquid import RenderContext, TokenStream
from liquid.ast import Node
from liquid.builtin.expressions import LoopExpression, logical
from liquid.builtin.tags.for_tag import ForNode, ForTag
from liquid.builtin.tags.tablerow_tag import TablerowNode, TablerowTag
from liquid.exceptions import LoopIterationLimitError

_MAX_REVERSED = 100_000  # items of a range; `limit` may leave few of them
MAX_OFFSET = 100_000  # far beyond any list that a payload can hold


class BoundedLoop(LoopExpression):
    def _to_iter(self, obj: object, context: RenderContext) -> tuple[Iterator[Any], int]:
        items, length = super()._to_iter(obj, context)
        if self.reversed and isinstance(obj, range) and length > _MAX_REVERSED:
            raise LoopIterationLimitError("loop iteration limit reached", token=None)
        return items, length

    def _slice(
        self,
        it: Iterator[object],
        length: int,
        context: RenderContext,
        *,
        limit: int | None,
        offset: int | str | None,
    ) -> tuple[Iterator[object], int]:
        start = context.stopindex(f"{self.identifier}-{self.iterable}") if offset == "continue" else int(offset or 0)
        if min(start, length) > MAX_OFFSET:
            raise LoopIterationLimitError("loop iteration limit reached", token=None)
        return super()._slice(it, length, context, limit=limit, offset=offset)


_contains_by_itself = logical._contains


def contains(token: Any, left: object, right: object) -> bool:
    """Return what python-liquid would, at once for ranges: only a whole number can be in one."""
    if not isinstance(left, range):
        return _contains_by_itself(token, left, right)
    if isinstance(right, float) and right.is_integer():
        return int(right) in left
    return isinstance(right, int) and int(right) in left


logical._contains = contains


class BoundedForTag(ForTag):
    def parse(self, stream: TokenStream) -> Node:
        node = super().parse(stream)
        if isinstance(node, ForNode):
            node.expression = _bounded(node.expression)
        return node


class BoundedTablerowTag(TablerowTag):
    def parse(self, stream: TokenStream) -> TablerowNode:
        node = super().parse(stream)
        node.expression = _bounded(node.expression)
        return node


def _bounded(loop: LoopExpression) -> BoundedLoop:
    return BoundedLoop(
        loop.token,
        loop.identifier,
        loop.iterable,
        limit=loop.limit,
        offset=loop.offset,
        reversed_=loop.reversed,
        cols=loop.cols,
    )
