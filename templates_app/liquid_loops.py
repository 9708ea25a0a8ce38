"""Liquid's loops, bounded: to go through a range backwards, python-liquid first makes a list of all of it."""

from collections.abc import Iterator
from typing import Any

from liquid import RenderContext, TokenStream
from liquid.ast import Node
from liquid.builtin.expressions import LoopExpression
from liquid.builtin.tags.for_tag import ForNode, ForTag
from liquid.builtin.tags.tablerow_tag import TablerowNode, TablerowTag
from liquid.exceptions import LoopIterationLimitError

_MAX_REVERSED = 100_000  # items of a range; `limit` may leave few of them


class BoundedLoop(LoopExpression):
    def _to_iter(self, obj: object, context: RenderContext) -> tuple[Iterator[Any], int]:
        items, length = super()._to_iter(obj, context)
        if self.reversed and isinstance(obj, range) and length > _MAX_REVERSED:
            raise LoopIterationLimitError("loop iteration limit reached", token=None)
        return items, length


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
