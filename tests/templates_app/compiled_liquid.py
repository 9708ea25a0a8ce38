"""One template by both engines."""

from typing import Any
from zoneinfo import ZoneInfo

from babel import Locale

from templates_app import liquid
from templates_app.liquid import Escape, Reader, RenderError
from templates_app.liquid_compiled import compiling

LONDON = Reader(Locale.parse("en_GB"), ZoneInfo("Europe/London"))


def compiled(*sources: str, escape: Escape = Escape.TEXT, strict: bool = True) -> Any:
    """Return the function of a content whose parts are `sources`, all of them covered."""
    templates = {
        str(number): liquid.parse(source, escape=escape, strict=strict).template
        for number, source in enumerate(sources)
    }
    found = compiling.function_of(templates)
    assert found is not None
    assert found[0] == list(templates)
    return lambda variables: found[1](variables, LONDON)


def by_reference(source: str, variables: Any, escape: Escape, strict: bool = True) -> str | RenderError:
    try:
        return liquid.parse(source, escape=escape, strict=strict).render(variables, LONDON)
    except RenderError as error:
        return error
