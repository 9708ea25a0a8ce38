"""Liquid's syntax tree as one Python function for all parts of a content."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import groupby
from typing import Any

from liquid.ast import BlockNode, Node
from liquid.builtin.content import ContentNode
from liquid.builtin.output import OutputNode
from liquid.builtin.tags.assign_tag import AssignNode
from liquid.builtin.tags.capture_tag import CaptureNode
from liquid.builtin.tags.case_tag import CaseNode, MultiExpressionBlockNode
from liquid.builtin.tags.comment_tag import CommentNode
from liquid.builtin.tags.cycle_tag import CycleNode
from liquid.builtin.tags.decrement_tag import DecrementNode
from liquid.builtin.tags.doc_tag import DocNode
from liquid.builtin.tags.echo_tag import EchoNode
from liquid.builtin.tags.for_tag import BreakNode, ContinueNode, ForNode
from liquid.builtin.tags.if_tag import IfNode
from liquid.builtin.tags.increment_tag import IncrementNode
from liquid.builtin.tags.inline_comment_tag import InlineCommentNode
from liquid.builtin.tags.liquid_tag import LiquidNode
from liquid.builtin.tags.unless_tag import UnlessNode
from liquid.expression import Expression
from liquid.template import BoundTemplate

from templates_app.liquid import JsonEchoNode, JsonOutputNode
from templates_app.liquid_compiled.code import Code, Function, Unsupported
from templates_app.liquid_compiled.common import is_common
from templates_app.liquid_compiled.expressions import Expressions, Shared, alike
from templates_app.liquid_compiled.loops import open_loop
from templates_app.liquid_compiled.scope import Scope, names_set

_MAX_PIECES = 32  # written at once; then what there is is measured
_SILENT = (CommentNode, InlineCommentNode, DocNode)


def function_of(templates: Mapping[str, BoundTemplate]) -> tuple[list[str], Function] | None:
    """Return a function that renders parts, with their names in the order of its answer.

    Parts that hold something it does not cover are left out. None where that is all of them.
    """
    covered = list(templates)
    function = _function(templates.values())
    if function is None:
        covered = [part for part, template in templates.items() if _function([template]) is not None]
        function = _function([templates[part] for part in covered])
    return (covered, function) if function is not None and covered else None


def _function(templates: Iterable[BoundTemplate]) -> Function | None:
    code = Code()
    shared = Shared(code)
    try:
        texts = [Part(code, shared, template).write() for template in templates]
        code.line(f"return ({' '.join(f'{text},' for text in texts)})")
        return code.function()
    except (Unsupported, RecursionError):
        return None


class Part:
    """Writes what renders one part."""

    def __init__(self, code: Code, shared: Shared, template: BoundTemplate) -> None:
        self.code = code
        self.template = template
        assigned, counted = names_set(template.nodes)
        self.scope = Scope({name: code.name("l") for name in assigned}, counted)
        self.expressions = Expressions(shared, self.scope, template.env)
        self._captures = 1 + len(assigned)
        self.output = code.name("o")
        self._needs: dict[str, tuple[str, str]] = {}
        self.silent = False  # inside a block of nothing but blanks, which python-liquid leaves out
        self._pending: list[str] = []
        self._constant = ""
        self._nodes: dict[type, Callable[[Any], None]] = {
            ContentNode: lambda node: self._say(node.text),
            OutputNode: self._output,
            EchoNode: self._output,
            JsonOutputNode: lambda node: self.put(f"json({self.expressions.value(node.expression)})"),
            JsonEchoNode: lambda node: self.put(f"json({self.expressions.value(node.expression)})"),
            IfNode: self._if,
            UnlessNode: self._if,
            CaseNode: self._case,
            ForNode: self._for,
            BreakNode: lambda node: self._leave("break"),
            ContinueNode: lambda node: self._leave("continue"),
            AssignNode: lambda node: self._assign(node.name, self.expressions.value(node.expression)),
            CaptureNode: self._capture,
            IncrementNode: lambda node: self._count(node.name, "1"),
            DecrementNode: lambda node: self._count(node.name, "-1"),
            CycleNode: self._cycle,
            LiquidNode: lambda node: self.block(node.block),
        }

    def write(self) -> str:
        """Write the part; return the name of its text."""
        self.code.line(f"{self.output} = []")
        start = self.code.mark()
        for name, ours in self.scope.assigned.items():
            missing = self.expressions.shared.missing(name, self.template.env)
            self.code.line(f"{ours} = get({self.expressions.constant(name)}, {missing})")
        for common, nodes in groupby(self.template.nodes, self._is_common):
            if common:
                self._for_everybody(list(nodes))
            else:
                self._each(nodes)
        self._finish(start)
        return self.output

    def _is_common(self, node: Node) -> bool:
        return is_common(node, self.scope.assigned.keys() | self.scope.counted)

    def _for_everybody(self, nodes: Sequence[Node]) -> None:
        """Write nodes that say the same to all into the common half, and their text here."""
        if all(isinstance(node, (ContentNode, *_SILENT)) for node in nodes):
            self._each(nodes)
            return
        self._flush_constant()
        ours = self.output, self._pending, self._needs
        with self.code.in_common():
            self.output, self._pending, self._needs = self.code.name("o"), [], {}
            self.code.line(f"{self.output} = []")
            start = self.code.mark()
            self._each(nodes)
            self._finish(start)
            text = self.output
        self.output, self._pending, self._needs = ours
        self.put(self.code.said(text))

    def _finish(self, start: int) -> None:
        self.flush()
        for name, value in self._needs.values():
            self.code.insert(start, f"{name} = {value}")
        self.code.line(f"{self.output} = whole({self.output}, {self._captures})")

    def block(self, block: BlockNode) -> None:
        """Write what stands between two tags. What was pending is written before, what is pending after it."""
        before, self.silent = self.silent, self.silent or block.blank
        self._each(block.nodes)
        self.flush()
        self.silent = before

    def put(self, piece: str) -> None:
        """Write the text of an expression that is a piece of output."""
        if self.silent:
            return
        self._flush_constant()
        self._pending.append(piece)
        if len(self._pending) >= _MAX_PIECES:
            self.flush()
            self._measure()

    def flush(self) -> None:
        self._flush_constant()
        if self._pending:
            self.code.line(f"{self.output} += ({', '.join(self._pending)},)")
        self._pending = []

    def _need(self, what: str, value: str) -> str:
        """Return the name of something that the part has once, worth `value` when it starts."""
        return self._needs.setdefault(what, (self.code.name("n"), value))[0]

    def _measure(self) -> None:
        """Write what holds a part to its limits of time and size: in every turn of a loop, elsewhere now and then."""
        self.code.line(f"hurry({self._need('late', 'deadline()')})")
        self.code.line(f"gather({self.output}, {self._captures})")

    def _flush_constant(self) -> None:
        if self._constant:
            self._pending.append(self.expressions.constant(self._constant))
        self._constant = ""

    def _say(self, text: str) -> None:
        try:
            text.encode()
        except UnicodeEncodeError as error:
            raise Unsupported("half a surrogate pair") from error
        if not self.silent:
            self._constant += text

    def _each(self, nodes: Iterable[Node]) -> None:
        for node in nodes:
            if isinstance(node, _SILENT):
                continue
            write = self._nodes.get(type(node))
            if write is None:
                raise Unsupported(type(node).__name__)
            write(node)

    def _output(self, node: OutputNode) -> None:
        value = self.expressions.value(node.expression)
        if self.template.env.autoescape:
            self.put(f"html({value})")
        else:
            self.put(text_of(value))

    def _if(self, node: IfNode | UnlessNode) -> None:
        self.flush()
        condition = self.expressions.condition(node.condition)
        self.code.open(f"if {condition}:" if isinstance(node, IfNode) else f"if not {condition}:")
        self.block(node.consequence)
        for alternative in node.alternatives:
            self.code.close()
            self.code.open(f"elif {self.expressions.condition(alternative.expression)}:")
            self.block(alternative.block)
        if node.default:
            self.code.close()
            self.code.open("else:")
            self.block(node.default)
        self.code.close()

    def _case(self, node: CaseNode) -> None:
        self.flush()
        none_yet = self.code.name("b")
        self.code.line(f"{none_yet} = True")
        for block in node.blocks:
            if isinstance(block, MultiExpressionBlockNode):
                wanted: list[Expression] = block.expression.expressions
                if not alike(wanted):
                    raise Unsupported("a block that may be rendered twice")
                matches = [self.expressions.equal(block.expression.left, each) for each in wanted]
                self.code.open(f"if {' or '.join(matches)}:")
                self.code.line(f"{none_yet} = False")
                self.block(block.block)
            else:
                self.code.open(f"if {none_yet}:")
                self.block(block)
            self.code.close()

    def _for(self, node: ForNode) -> None:
        self.flush()
        head = open_loop(self.code, self.expressions, node)
        loop = head.scope
        self.code.open(f"if {loop.length}:")
        self.code.open(f"for {loop.index}, {loop.item} in enumerate({head.values}):")
        self._measure()
        self.scope.loops.append(loop)
        self.block(node.block)
        self.scope.loops.pop()
        self.code.close()
        if node.default:
            self.code.close()
            self.code.open("else:")
            self.block(node.default)
        self.code.close()

    def _leave(self, how: str) -> None:
        if not self.scope.loops:
            raise Unsupported("no loop to leave")
        self.flush()
        self.code.line(how)

    def _assign(self, name: str, value: str) -> None:
        self.flush()
        self.code.line(f"{self.scope.assigned[str(name)]} = kept({value}, {len(self.scope.assigned)})")

    def _capture(self, node: CaptureNode) -> None:
        self.flush()
        outside, self.output = self.output, self.code.name("o")
        before, self.silent = self.silent, False
        self.code.line(f"{self.output} = []")
        self._each(node.block.nodes)
        self.flush()
        joined = "captured_html" if self.template.env.autoescape else "captured"
        text = f"{joined}({self.output}, {self._captures})"
        self.output, self.silent = outside, before
        self._assign(node.name, text)

    def _count(self, name: str, step: str) -> None:
        self.put(f"counter({self._need('counters', '{}')}, {self.expressions.constant(str(name))}, {step})")

    def _cycle(self, node: CycleNode) -> None:
        group = self.expressions.value(node.group) if node.group else self.expressions.constant("")
        values = ", ".join(self.expressions.value(value) for value in node.args)
        written = "html" if self.template.env.autoescape else "text"
        self.put(f"{written}(cycled({self._need('turns', '{}')}, {group}, [{values}]))")


def text_of(value: str) -> str:
    """Return the Python that makes plain text of a value: nothing at all for most."""
    test = value if value.isalnum() else f"(value := {value})"
    name = value if value.isalnum() else "value"
    return f"({name} if {test}.__class__ is str and {name}.isascii() else text({name}))"
