"""The text of one generated function. Nothing that an author wrote gets into it: texts and names are constants."""

import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from templates_app.liquid_compiled import runtime
from templates_app.liquid_filters import Reader

_KEYWORDS = frozenset({"and", "def", "elif", "else", "for", "if", "in", "is", "not", "or", "pass", "return"})
_KEYWORDS |= {"True", "False", "None", "break", "continue"}
_PYTHON: dict[str, Any] = {"dict": dict, "enumerate": enumerate, "len": len, "list": list, "str": str}
_LOCALS = frozenset({"render", "common", "given", "reader", "context", "environment", "get", "value"})
_LOCALS |= {"__class__", "isascii"}
_OURS = frozenset(_KEYWORDS | _PYTHON.keys() | runtime.NAMES.keys() | _LOCALS)
_NUMBERED = re.compile(r"[a-z]\d{1,6}")
_WORD = re.compile(r"[A-Za-z_]\w*")
_SIGNS = re.compile(r"[A-Za-z0-9_ \n(){}\[\],.:=<>+*-]*")
_MAX_LINES = 5_000


class Function(NamedTuple):
    """What renders all parts: first what they say to everybody alike, then the texts for one person."""

    common: Callable[[Mapping[str, Any], Reader], tuple[str, ...]]
    texts: Callable[[Mapping[str, Any], Reader, tuple[str, ...]], tuple[str, ...]]

    def __call__(self, given: Mapping[str, Any], reader: Reader) -> tuple[str, ...]:
        return self.texts(given, reader, self.common(given, reader))


class Unsupported(Exception):
    """Something that only python-liquid renders."""


@dataclass
class _Half:
    """One of the two functions: its lines."""

    head: list[str] = field(default_factory=list)  # what is looked up once for all parts
    body: list[str] = field(default_factory=list)
    depth: int = 1


class Code:
    """Lines of Python for both halves of a function, and the constants that they name."""

    def __init__(self) -> None:
        self._render, self._common = _Half(), _Half()
        self._at = self._render
        self._said: dict[str, str] = {}  # what both halves call a text; its name in the common half
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
        self._at.head.append(f"    {line}")

    def mark(self) -> int:
        """Return a place for `insert`: here."""
        return len(self._at.body)

    def insert(self, mark: int, line: str) -> None:
        """Write a line that stands in no block where `mark` was taken."""
        self._at.body.insert(mark, f"    {line}")

    def line(self, line: str) -> None:
        if len(self._at.body) > _MAX_LINES:
            raise Unsupported("too long")
        self._at.body.append("    " * self._at.depth + line)

    def open(self, line: str) -> None:
        """Write a line whose block follows, up to `close`."""
        self.line(line)
        self._at.depth += 1

    def close(self) -> None:
        if self._at.body[-1].endswith(":"):
            self.line("pass")
        self._at.depth -= 1

    @property
    def is_common(self) -> bool:
        return self._at is self._common

    @contextmanager
    def in_common(self) -> Iterator[None]:
        """Write what is the same for everybody: no variable that is a person's own may be read."""
        self._at = self._common
        try:
            yield
        finally:
            self._at = self._render

    def said(self, text: str) -> str:
        """Return what a person's half calls a text that the common half has in `text`."""
        name = self.name("s")
        self._said[name] = text
        return name

    def source(self) -> str:
        common, render = self._common, self._render
        get, found = "    get = given.get", " ".join(f"{text}," for text in self._said.values())
        taken = [f"    {' '.join(f'{name},' for name in self._said)} = common"] if self._said else []
        lines = ["def common(given, reader):", get, *common.head, *common.body, f"    return ({found})"]
        lines += ["def render(given, reader, common):", get, *taken, *render.head, *render.body, ""]
        return "\n".join(lines)

    def function(self) -> Function:
        """Return the function. Raises Unsupported where Python has a limit that Liquid has not."""
        source = self.source()
        check(source)
        namespace: dict[str, Any] = {"__builtins__": {}, **_PYTHON, **runtime.NAMES, **self._constants}
        try:
            exec(compile(source, "<liquid>", "exec"), namespace)
        except (SyntaxError, MemoryError, RecursionError) as error:
            raise Unsupported(str(error)) from error
        return Function(namespace["common"], namespace["render"])


def check(source: str) -> None:
    """Raise unless `source` is made of our own words, numbered names and signs: no text, no other name."""
    words = set(_WORD.findall(source)) - _OURS
    if not _SIGNS.fullmatch(source) or not all(_NUMBERED.fullmatch(word) for word in words):
        raise AssertionError("A generated function holds what was not generated.")
