"""The head of a loop: what it goes through, how often."""

from dataclasses import dataclass

from liquid.builtin.expressions.primitive import StringLiteral
from liquid.builtin.tags.for_tag import ForNode

from templates_app.liquid_compiled.code import Code, Unsupported
from templates_app.liquid_compiled.expressions import Expressions
from templates_app.liquid_compiled.scope import Loop

_MAX_DEPTH = 8  # python-liquid allows some more, Python too


@dataclass(frozen=True)
class Head:
    """A loop whose values are at hand."""

    scope: Loop
    values: str


def open_loop(code: Code, expressions: Expressions, node: ForNode) -> Head:
    """Write what precedes a loop; its condition is `scope.length`."""
    loop = node.expression
    around = expressions.scope.loops
    if len(around) >= _MAX_DEPTH:
        raise Unsupported("too many loops in one another")
    if loop.identifier == "forloop" or isinstance(loop.offset, StringLiteral):
        raise Unsupported("a loop of its own kind")
    values, length, runs = code.name("v"), code.name("c"), code.name("c")
    code.line(f"{values} = entries({expressions.value(loop.iterable)})")
    if loop.limit is not None or loop.offset is not None:
        limit = "None" if loop.limit is None else f"integer({expressions.value(loop.limit)})"
        offset = "0" if loop.offset is None else f"integer({expressions.value(loop.offset)})"
        code.line(f"{values} = sliced({values}, {limit}, {offset})")
    if loop.reversed:
        code.line(f"{values} = backwards({values})")
    code.line(f"{length} = len({values})")
    code.line(f"{runs} = counted({values}, {around[-1].runs if around else 1})")
    label = f"{loop.identifier}-{loop.iterable}"
    scope = Loop(label, str(loop.identifier), code.name("i"), code.name("j"), length, runs)
    return Head(scope, values)
