"""What must be true of a Liquid source before python-liquid may read it.

Its lexer backtracks: an unclosed tag, or a long run of blanks or brackets inside one, costs quadratic time, and an
unclosed block has no position. One linear walk finds both first, and says where.
"""

import re
from dataclasses import dataclass

MAX_SOURCE = 256 * 1024  # characters; a mailbox clips an e-mail at 102 kB
_MAX_BLANKS = 200  # in a row, inside one tag
_MAX_BRACKETS = 200  # inside one tag
_MAX_UNCLOSED_IN_COMMENTS = 20
_OPENING = re.compile(r"\{[{%]")
_NAME = re.compile(r"-?\s{0,200}(\w+)")
_BLANKS = re.compile(rf"\s{{{_MAX_BLANKS}}}")
_VERBATIM = {
    "raw": re.compile(r"\{%-?\s{0,200}endraw\s{0,200}-?%\}"),
    "doc": re.compile(r"\{%-?\s{0,200}enddoc\s{0,200}-?%\}"),
}
_BLOCKS = frozenset({"if", "unless", "for", "case", "capture", "tablerow", "ifchanged", "comment"})


class RenderError(Exception):
    """A template that cannot be read, or not rendered with this data: whose fault it is stands in the message."""

    def __init__(self, message: str, line: int | None = None, part: str = "", *, variable: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.line = line  # 1-based, in the part's source
        self.part = part
        self.variable = variable  # the one that is missing

    def __str__(self) -> str:
        place = ", ".join(filter(None, [self.part, f"line {self.line}" if self.line else ""]))
        return f"{place}: {self.message}" if place else self.message

    def in_part(self, part: str) -> "RenderError":
        return RenderError(self.message, self.line, part, variable=self.variable)


@dataclass(frozen=True)
class Block:
    """A block tag that is open at the end of the source."""

    name: str
    line: int


def check(source: str) -> Block | None:
    """Return the innermost block that is never closed. Raises RenderError for what the lexer must not see."""
    if len(source) > MAX_SOURCE:
        raise RenderError(f"The text is longer than {MAX_SOURCE // 1024} thousand characters.")
    open_blocks: list[tuple[str, int]] = []
    unclosed = position = 0
    while opening := _OPENING.search(source, position):
        start = opening.start()
        end = source.find("}}" if opening[0] == "{{" else "%}", opening.end())
        in_comment = bool(open_blocks) and open_blocks[-1][0] == "comment"
        if end < 0:
            unclosed += 1
            if not in_comment or unclosed > _MAX_UNCLOSED_IN_COMMENTS:
                raise RenderError(f"“{opening[0]}” is never closed.", line=_line(source, start))
            position = opening.end()
            continue
        if _BLANKS.search(source, opening.end(), end):
            raise RenderError("There are too many blanks inside this tag.", line=_line(source, start))
        if source.count("(", opening.end(), end) > _MAX_BRACKETS:
            raise RenderError("There are too many brackets inside this tag.", line=_line(source, start))
        position = end + 2
        if opening[0] == "{%":
            position = _walk(source, start, position, open_blocks, in_comment)
    if not open_blocks:
        return None
    name, start = open_blocks[-1]
    return Block(name, _line(source, start))


def _walk(source: str, start: int, end: int, open_blocks: list[tuple[str, int]], in_comment: bool) -> int:
    """Keep the open blocks up to date for the tag at `start`; return where to go on."""
    found = _NAME.match(source, start + 2)
    name = found[1] if found else ""
    if in_comment and name not in ("comment", "endcomment"):
        return end
    if name in _VERBATIM:
        closing = _VERBATIM[name].search(source, end)
        if closing is None:
            raise RenderError(f"{{% {name} %}} is never closed.", line=_line(source, start))
        return closing.end()
    if name in _BLOCKS:
        open_blocks.append((name, start))
    elif name.startswith("end") and open_blocks and open_blocks[-1][0] == name[3:]:
        open_blocks.pop()
    return end


def _line(source: str, index: int) -> int:
    return source.count("\n", 0, index) + 1
