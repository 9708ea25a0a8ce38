"""The text of one generated function. Nothing that an author wrote gets into it: texts and names are constants."""

import re
from collections.abc import Callable, Mapping
from typing import Any

from templates_app.liquid_compiled import runtime
from templates_app.liquid_filters import Reader

_KEYWORDS = frozenset({"and", "def", "elif", "else", "for", "if", "in", "is", "not", "or", "pass", "return"})
_KEYWORDS |= {"True", "False", "None", "break", "continue"}
_PYTHON: dict[str, Any] = {"dict": dict, "enumerate": enumerate, "len": len, "list": list, "str": str}
_LOCALS = frozenset({"render", "given", "reader", "context", "environment", "get", "value", "__class__", "isascii"})
_OURS = frozenset(_KEYWORDS | _PYTHON.keys() | runtime.NAMES.keys() | _LOCALS)
_NUMBERED = re.compile(r"[a-z]\d{1,6}")
_WORD = re.compile(r"[A-Za-z_]\w*")
_SIGNS = re.compile(r"[A-Za-z0-9_ \n(){}\[\],.:=<>+*-]*")
_MAX_LINES = 5_000

Function = Callable[[Mapping[str, Any], Reader], tuple[str, ...]]


class Unsupported(Exception):
    """Something that only python-liquid renders."""


class Code:
    """Lines of Python, and the constants that they name."""

    def __init__(self) -> None:
        self._head: list[str] = []  # what is looked up once for all parts
        self._body: list[str] = []
        self._depth = 1
        self._count = 0
        self._constants: dict[str, object] = {}
        self._texts: dict[tuple[type, object], str] = {}

    def name(self, letter: str) -> str:
        """Return a name that nothing else has."""
        self._count += 1
        return f"{letter}{self._count}"

    def constant(self, value: object) -> str:
        """Return the name by which the function knows `value`; equal texts and whole numbers share one."""
        if not isinstance(value, str | int):  # 0.0 and -0.0 are equal and not the same
            name = self.name("k")
            self._constants[name] = value
            return name
        name = self._texts.setdefault((type(value), value), "")
        if not name:
            name = self._texts[type(value), value] = self.name("k")
            self._constants[name] = value
        return name

    def head(self, line: str) -> None:
        """Write a line before all others."""
        self._head.append(f"    {line}")

    def mark(self) -> int:
        """Return a place for `insert`: here."""
        return len(self._body)

    def insert(self, mark: int, line: str) -> None:
        """Write a line that stands in no block where `mark` was taken."""
        self._body.insert(mark, f"    {line}")

    def line(self, line: str) -> None:
        if len(self._body) > _MAX_LINES:
            raise Unsupported("too long")
        self._body.append("    " * self._depth + line)

    def open(self, line: str) -> None:
        """Write a line whose block follows, up to `close`."""
        self.line(line)
        self._depth += 1

    def close(self) -> None:
        if self._body[-1].endswith(":"):
            self.line("pass")
        self._depth -= 1

    def source(self) -> str:
        return "\n".join(["def render(given, reader):", "    get = given.get", *self._head, *self._body, ""])

    def function(self) -> Function:
        """Return the function. Raises Unsupported where Python has a limit that Liquid has not."""
        source = self.source()
        check(source)
        namespace: dict[str, Any] = {"__builtins__": {}, **_PYTHON, **runtime.NAMES, **self._constants}
        try:
            exec(compile(source, "<liquid>", "exec"), namespace)
        except (SyntaxError, MemoryError, RecursionError) as error:
            raise Unsupported(str(error)) from error
        function: Function = namespace["render"]
        return function


def check(source: str) -> None:
    """Raise unless `source` is made of our own words, numbered names and signs: no text, no other name."""
    words = set(_WORD.findall(source)) - _OURS
    if not _SIGNS.fullmatch(source) or not all(_NUMBERED.fullmatch(word) for word in words):
        raise AssertionError("A generated function holds what was not generated.")
