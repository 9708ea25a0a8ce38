"""Liquid as authors write it: strict about missing variables, escaped for where it ends up, limited in its means.

python-liquid reaches no attribute of a Python object. Contexts must be plain JSON (dict, list, str, number, bool,
None): any other object would be printed by its repr.
"""

from collections.abc import Mapping
from enum import StrEnum
from functools import cache
from io import StringIO
from typing import Any, TextIO

from liquid import DictLoader
from liquid import Environment as BaseEnvironment
from liquid.builtin.output import Output, OutputNode
from liquid.builtin.tags.echo_tag import EchoNode, EchoTag
from liquid.context import RenderContext
from liquid.exceptions import LiquidError, ResourceLimitError, TemplateNotFoundError, UndefinedError
from liquid.output import LimitedStringIO
from liquid.template import BoundTemplate
from liquid.undefined import FalsyStrictUndefined, Undefined

from templates_app import liquid_filters, liquid_source
from templates_app.liquid_filters import READER, Reader
from templates_app.liquid_loops import BoundedForTag, BoundedTablerowTag
from templates_app.liquid_source import RenderError

__all__ = ["Escape", "Parsed", "Reader", "RenderError", "escape_of", "parse"]


class Escape(StrEnum):
    """What `{{ x }}` does to the characters of x."""

    HTML = "html"  # < > & " ' become entities
    JSON = "json"  # as inside a JSON string; `| json` writes a whole value, quotes included
    TEXT = "text"  # nothing: no markup there to break


_ESCAPED_PARTS = {"html": Escape.HTML, "json": Escape.JSON, "actions": Escape.JSON}


def escape_of(part: str) -> Escape:
    """Return how variables are escaped in a part of a message."""
    return _ESCAPED_PARTS.get(part, Escape.TEXT)


class Parsed:
    """A template that has been read once and can be rendered for many people, from any thread."""

    def __init__(self, template: BoundTemplate) -> None:
        self.template = template

    def render(self, variables: Mapping[str, Any], reader: Reader) -> str:
        """Return the text for one person. Raises RenderError naming the line and the variable that is missing."""
        try:
            return self.template.render({**variables, READER: reader.starting_now()})
        except RenderError:
            raise
        except Exception as error:
            # python-liquid's filters let ValueError, OverflowError, RecursionError and others through for odd data:
            # whatever it is, it is this template with this data, and nobody else's message may suffer.
            raise _as_render_error(error) from error


def parse(
    source: str, *, escape: Escape = Escape.TEXT, strict: bool = True, partials: Mapping[str, str] | None = None
) -> Parsed:
    """Return a template ready to render. Raises RenderError with the line.

    `strict=False`: a missing variable is empty. `partials`: what `{% include %}` and `{% render %}` find.
    """
    if partials:
        for name, text in partials.items():
            with _named(name):
                liquid_source.check(text)
        return _parse(Environment(escape, strict=strict, partials=dict(partials)), source)
    return _parse(_shared_environment(escape, strict), source)


def _parse(environment: "Environment", source: str) -> Parsed:
    unclosed = liquid_source.check(source)
    try:
        return Parsed(environment.from_string(source))
    except LiquidError as error:
        raise _as_render_error(error, unclosed) from error
    except RecursionError as error:
        raise RenderError("This is nested too deeply.") from error


class _named:
    """Says in which partial a fault stands."""

    def __init__(self, name: str) -> None:
        self.name = name

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        if isinstance(error, RenderError):
            raise RenderError(f"In “{self.name}”: {error.message}", line=error.line) from error


class Context(RenderContext):
    """The variables of one rendering, with an eye on the clock."""

    # python-liquid asks every node's context for this before it renders: the one place that no loop can avoid.
    @property
    def disabled_tags(self) -> list[str]:
        self._check_the_clock()
        return self._disabled_tags

    @disabled_tags.setter
    def disabled_tags(self, names: list[str]) -> None:
        self._disabled_tags = names

    def filter(self, name: str, token: Any) -> Any:
        self._check_the_clock()
        return super().filter(name, token)

    def _check_the_clock(self) -> None:
        if self.globals[READER].is_late():  # type: ignore[attr-defined]
            raise ResourceLimitError("the time limit is reached", token=None)


class Template(BoundTemplate):
    context_class = Context

    def _get_buffer(self) -> StringIO:
        # Otherwise it would turn "\r\n" into "\n".
        return LimitedStringIO(limit=Environment.output_stream_limit, newline="\n")


class JsonOutputNode(OutputNode):
    def render_to_output(self, context: RenderContext, buffer: TextIO) -> int:
        return buffer.write(liquid_filters.inside_json(self.expression.evaluate(context)))


class JsonEchoNode(EchoNode):
    render_to_output = JsonOutputNode.render_to_output


class JsonOutput(Output):
    node_class = JsonOutputNode


class JsonEcho(EchoTag):
    node_class = JsonEchoNode


class Environment(BaseEnvironment):
    """Our rules for every template. The limits are far above any honest message and far below what would hurt."""

    template_class = Template
    loop_iteration_limit = 10_000  # all nested loops together
    output_stream_limit = 1_000_000  # bytes
    local_namespace_limit = 1_000_000  # bytes of assigned and captured values
    context_depth_limit = 20
    block_nesting_limit = 30

    def __init__(self, escape: Escape, *, strict: bool, partials: dict[str, str]) -> None:
        super().__init__(
            loader=DictLoader(partials),
            undefined=FalsyStrictUndefined if strict else Undefined,
            autoescape=escape is Escape.HTML,
        )
        liquid_filters.register(self)
        self.add_tag(BoundedForTag)
        self.add_tag(BoundedTablerowTag)
        if escape is Escape.JSON:
            self.add_tag(JsonOutput)
            self.add_tag(JsonEcho)


@cache
def _shared_environment(escape: Escape, strict: bool) -> Environment:
    return Environment(escape, strict=strict, partials={})


def _as_render_error(error: Exception, unclosed: liquid_source.Block | None = None) -> RenderError:
    if not isinstance(error, LiquidError):
        return RenderError(f"This cannot be rendered: {error or type(error).__name__}")
    message = str(error.message or "This is not valid Liquid.")
    line = _line_of(error)
    if isinstance(error, TemplateNotFoundError):
        return RenderError(f"There is no text “{message}” to include.", line=line)
    if isinstance(error, UndefinedError):
        name = message.removesuffix(" is undefined").strip("'")
        return RenderError(f"The variable “{name}” is missing.", line=line, variable=name)
    if line is None and unclosed:
        return RenderError(f"{{% {unclosed.name} %}} is never closed.", line=unclosed.line)
    return RenderError(message[:1].upper() + message[1:].rstrip(".") + ".", line=line)


def _line_of(error: LiquidError) -> int | None:
    token = error.token
    if token is None or token.start_index < 0:
        return None
    return token.source.count("\n", 0, token.start_index) + 1
