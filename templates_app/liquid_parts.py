"""The parts of one content, rendered together: by compiled Python where that is sure, else by python-liquid."""

import logging
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from templates_app import liquid
from templates_app.liquid import Parsed, Reader, RenderError
from templates_app.liquid_compiled import compiling
from templates_app.liquid_compiled.runtime import Differs

logger = logging.getLogger(__name__)

# A part is rendered both ways this often, and compared, before the faster one is trusted; publishing counts too.
_TRIALS = 3
# In a row: then this content is one that the compiled function is no use for.
_MAX_FAILURES = 100


class Told:
    """What parts say to all who are told the same and read alike: kept from the first of them to the last."""

    __slots__ = ("texts",)

    def __init__(self) -> None:
        self.texts: tuple[str, ...] | None = None


class Parts:
    """What a content says, read once for many people. Any thread may render it."""

    def __init__(self, sources: Mapping[str, str]) -> None:
        """Raises RenderError with the part."""
        self._parsed = {part: _parse(part, source) for part, source in sources.items()}
        self._compiled = compiling.function_of({part: parsed.template for part, parsed in self._parsed.items()})
        self._trials = self._failures = 0

    @property
    def compiled(self) -> frozenset[str]:
        """The parts that Python renders, as things stand."""
        return frozenset(self._compiled[0]) if self._compiled else frozenset()

    def render(
        self, variables: Mapping[str, Any], reader: Reader, told: Told | None = None
    ) -> Iterable[tuple[str, str]]:
        """Return each part with its text for one person. Raises RenderError with the part, when its turn comes.

        `told`: one for all calls whose reader and whose variables are the same but for `common.PERSONAL`.
        """
        ready = self._together(variables, reader, told or Told())
        if len(ready) == len(self._parsed) and self._trials >= _TRIALS:
            return ready.items()
        return self._one_by_one(variables, reader, ready)

    def _one_by_one(
        self, variables: Mapping[str, Any], reader: Reader, ready: Mapping[str, str]
    ) -> Iterator[tuple[str, str]]:
        trial = self._trials < _TRIALS
        for part, parsed in self._parsed.items():
            text = ready.get(part)
            if text is None or trial:
                reference = _rendered(part, parsed, variables, reader)
                if text not in (None, reference):
                    self._distrust(part)
                text = reference
            yield part, text
        self._trials += trial

    def _together(self, variables: Mapping[str, Any], reader: Reader, told: Told) -> Mapping[str, str]:
        """Return what the compiled function makes of the parts that it covers; nothing when it cannot be sure."""
        compiled = self._compiled
        if compiled is None:
            return {}
        names, function = compiled
        try:
            if told.texts is None:
                told.texts = function.common(variables, reader)
            texts = function.texts(variables, reader, told.texts)
        except Exception as error:
            # Whatever it is, python-liquid says what becomes of it: the text, or the fault in words for its author.
            if not isinstance(error, Differs):
                logger.debug("liquid.fell_back", extra={"error": type(error).__name__})
            self._failures += 1
            if self._failures >= _MAX_FAILURES:
                self._compiled = None
            return {}
        self._failures = 0
        return dict(zip(names, texts, strict=True))

    def _distrust(self, part: str) -> None:
        self._compiled = None
        logger.warning("liquid.compiled_differs", extra={"part": part})


def _parse(part: str, source: str) -> Parsed:
    try:
        return liquid.parse(source, escape=liquid.escape_of(part))
    except RenderError as error:
        raise error.in_part(part) from error


def _rendered(part: str, parsed: Parsed, variables: Mapping[str, Any], reader: Reader) -> str:
    try:
        return parsed.render(variables, reader)
    except RenderError as error:
        raise error.in_part(part) from error
