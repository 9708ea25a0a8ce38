"""Liquid's expressions as Python's: each method returns the text of one."""

from collections.abc import Callable
from typing import Any

from liquid import Environment
from liquid.builtin.expressions import FilteredExpression, Path
from liquid.builtin.expressions.arguments import KeywordArgument
from liquid.builtin.expressions.filtered import Filter
from liquid.builtin.expressions.logical import (
    BooleanExpression,
    ContainsExpression,
    EqExpression,
    GeExpression,
    GtExpression,
    LeExpression,
    LogicalAndExpression,
    LogicalOrExpression,
    LtExpression,
    NeExpression,
)
from liquid.builtin.expressions.primitive import (
    Blank,
    Empty,
    FalseLiteral,
    FloatLiteral,
    IntegerLiteral,
    Nil,
    RangeLiteral,
    StringLiteral,
    TrueLiteral,
)
from liquid.expression import Expression
from markupsafe import Markup

from templates_app.liquid_compiled.code import Code, Unsupported
from templates_app.liquid_compiled.common import PERSONAL
from templates_app.liquid_compiled.scope import Scope

_FIXED: dict[type, str] = {Nil: "None", TrueLiteral: "True", FalseLiteral: "False"}
_LITERALS = (StringLiteral, IntegerLiteral, FloatLiteral)
_SURE = (*_LITERALS, Nil, TrueLiteral, FalseLiteral)  # cannot fail, and read no variable
_OWN_WAY = frozenset({"size", "first", "last"})  # properties that lists and texts have too
_GIVEN_BY_US = frozenset({"context", "environment"})


class Shared:
    """What all parts of one content read alike: the variables they are given."""

    def __init__(self, code: Code) -> None:
        self.code = code
        self._names: dict[tuple[bool, tuple[str | int, ...]], str] = {}  # by half
        self._missing: dict[str, str] = {}
        self._seen: set[bool] = set()

    def context(self) -> str:
        """Return the name of what filters are given as the context."""
        if self.code.is_common not in self._seen:
            self._seen.add(self.code.is_common)
            self.code.head("context = Seen(reader)")
        return "context"

    def missing(self, root: str, environment: Environment) -> str:
        """Return the name of what stands for a variable that is not there."""
        if root not in self._missing:
            undefined = environment.undefined(root, token=None)
            self._missing[root] = self.code.constant(undefined)
        return self._missing[root]

    def given(self, path: tuple[str | int, ...], environment: Environment) -> str:
        """Return the name of a variable or of a property of one, looked up once for all parts."""
        here = (self.code.is_common, path)
        if here not in self._names:
            if self.code.is_common and path[0] in PERSONAL:
                raise Unsupported("a person's own among what is everybody's")
            missing = self.missing(str(path[0]), environment)
            if len(path) == 1:
                found = f"get({self.code.constant(path[0])}, {missing})"
            else:
                found = property_of(self.given(path[:-1], environment), path[-1], missing, self.code)
            name = self._names[here] = self.code.name("p")
            self.code.head(f"{name} = {found}")
        return self._names[here]


def property_of(owner: str, key: str | int, missing: str, code: Code) -> str:
    """Return the text that reads a property of what the name `owner` means."""
    name = code.constant(key)
    if key == "size":
        return f"len({owner}) if {owner}.__class__ is list else item({owner}, {name}, {missing})"
    if isinstance(key, int) or key in _OWN_WAY:
        return f"item({owner}, {name}, {missing})"
    return f"{owner}.get({name}, {missing}) if {owner}.__class__ is dict else item({owner}, {name}, {missing})"


class Expressions:
    """The expressions of one part."""

    def __init__(self, shared: Shared, scope: Scope, environment: Environment) -> None:
        self.shared = shared
        self.scope = scope
        self.environment = environment
        self._values: dict[type, Callable[[Any], str]] = {
            Path: self._path,
            RangeLiteral: self._range,
            FilteredExpression: self._filtered,
            StringLiteral: self._text,
            IntegerLiteral: lambda literal: self.constant(literal.value),
            FloatLiteral: lambda literal: self.constant(literal.value),
            Empty: self.constant,
            Blank: self.constant,
        }
        self._conditions: dict[type, Callable[[Any], str]] = {
            BooleanExpression: lambda test: self.condition(test.expression),
            LogicalAndExpression: lambda test: f"({self.condition(test.left)} and {self.condition(test.right)})",
            LogicalOrExpression: lambda test: f"({self.condition(test.left)} or {self.condition(test.right)})",
            EqExpression: lambda test: self.equal(test.left, test.right),
            NeExpression: lambda test: f"(not {self.equal(test.left, test.right)})",
            LtExpression: lambda test: self._call("less", test.left, test.right),
            GtExpression: lambda test: self._call("less", test.right, test.left),
            LeExpression: lambda test: self._call("at_most", test.left, test.right),
            GeExpression: lambda test: self._call("at_most", test.right, test.left),
            ContainsExpression: lambda test: self._call("contains", test.left, test.right),
        }

    def constant(self, value: object) -> str:
        return self.shared.code.constant(value)

    def value(self, expression: Expression) -> str:
        """Return the text for what `expression` is worth."""
        if (fixed := _FIXED.get(type(expression))) is not None:
            return fixed
        translate = self._values.get(type(expression))
        if translate is None:
            raise Unsupported(type(expression).__name__)
        return translate(expression)

    def condition(self, expression: Expression) -> str:
        """Return the text for whether `expression` holds: all but nil, false and what is missing."""
        if translate := self._conditions.get(type(expression)):
            return translate(expression)
        if isinstance(expression, Path) and (name := self._shared_name(expression)):
            missing = self.shared.missing(str(expression.path[0]), self.environment)
            return f"({name} is not None and {name} is not False and {name} is not {missing})"
        return f"truthy({self.value(expression)})"

    def equal(self, left: Expression, right: Expression) -> str:
        if isinstance(left, StringLiteral) or isinstance(right, StringLiteral):
            return f"({self.value(left)} == {self.value(right)})"  # no text equals what is not one
        return self._call("equal", left, right)

    def _call(self, function: str, left: Expression, right: Expression) -> str:
        return f"{function}({self.value(left)}, {self.value(right)})"

    def _text(self, literal: StringLiteral) -> str:
        return self.constant(Markup(literal.value) if self.environment.autoescape else literal.value)

    def _range(self, literal: RangeLiteral) -> str:
        return self._call("span", literal.start, literal.stop)

    def _shared_name(self, path: Path) -> str | None:
        segments = path.path
        root = segments[0]
        if not isinstance(root, str) or self.scope.knows(root):
            return None
        if any(isinstance(segment, Path) for segment in segments):
            return None
        return self.shared.given(tuple(segments), self.environment)  # type: ignore[arg-type]

    def _path(self, path: Path) -> str:
        if name := self._shared_name(path):
            return name
        root, *rest = path.path
        if not isinstance(root, str):
            raise Unsupported("a variable named by another")
        if (fixed := self.scope.fixed(root, rest)) is not None:
            return fixed if isinstance(fixed, str) else self.constant(fixed.value)
        missing = self.shared.missing(root, self.environment)
        found = self.scope.name(root) or self.shared.given((root,), self.environment)
        for key in rest:
            if isinstance(key, Path):
                found = f"item({found}, {self._path(key)}, {missing})"
            elif found.isalnum():
                found = f"({property_of(found, key, missing, self.shared.code)})"
            else:
                found = f"item({found}, {self.constant(key)}, {missing})"
        return found

    def _filtered(self, expression: FilteredExpression) -> str:
        found = self.value(expression.left)
        for filter_ in expression.filters or []:
            found = self._filter(filter_, found)
        return found

    def _filter(self, filter_: Filter, value: str) -> str:
        function = self.environment.filters.get(filter_.name)
        if function is None:
            raise Unsupported("an unknown filter")
        arguments = [value]
        named: list[str] = []
        for argument in filter_.args:
            if isinstance(argument, KeywordArgument):
                if argument.name in _GIVEN_BY_US:
                    raise Unsupported("an argument that is ours to give")
                named.append(f"{self.constant(str(argument.name))}: {self.value(argument.value)}")
            else:
                arguments.append(self.value(argument.value))
        if getattr(function, "with_context", False):
            arguments.append(f"context={self.shared.context()}")
        if getattr(function, "with_environment", False):
            arguments.append(f"environment={self.constant(self.environment)}")
        if named:
            arguments.append(f"**{{{', '.join(named)}}}")
        if filter_.name == "default" and all(isinstance(argument.value, _SURE) for argument in filter_.args):
            # What most variables are, it leaves as it is. The length is far below what filters refuse.
            arguments[0] = "value"
            called = f"{self.constant(function)}({', '.join(arguments)})"
            return f"(value if (value := {value}).__class__ is str and 0 < len(value) < 1000 else {called})"
        return f"{self.constant(function)}({', '.join(arguments)})"


def alike(expressions: list[Expression]) -> bool:
    """Return whether no value can equal two of `expressions`."""
    kinds = {type(expression) for expression in expressions}
    if len(expressions) > 1 and kinds not in ({StringLiteral}, {IntegerLiteral}):
        return False
    return len({expression.value for expression in expressions if isinstance(expression, _LITERALS)}) in (
        len(expressions),
        0,
    )
