"""Taking Liquid tags through tools that know only HTML.

An HTML parser moves text that stands between table rows, escapes quotes and knows nothing of `{% if a < 1 %}`. So each
tag becomes a token first: a comment where markup is, a plain word inside attributes; and afterwards a tag again.
"""

import re
import secrets
from enum import Enum, auto

from liquid.lex import compile_liquid_rules
from liquid.token import TOKEN_CONTENT

from templates_app.liquid_source import RenderError

# python-liquid's own rules: what it takes for a tag is one, nothing else.
_RULES = compile_liquid_rules()
_TAG_NAME = re.compile(r"<(/?)([a-zA-Z][^\s/>]*)")
_UNQUOTED_END = re.compile(r"[\s>]")
_IN_TAG = re.compile(r"[=>\"']")
_NO_MARKUP_INSIDE = frozenset({"style", "script", "title", "textarea"})


class _At(Enum):
    TEXT = auto()
    BETWEEN_ATTRIBUTES = auto()
    BEFORE_VALUE = auto()
    DOUBLE_QUOTED = auto()
    SINGLE_QUOTED = auto()
    UNQUOTED = auto()
    COMMENT = auto()
    NO_MARKUP = auto()  # inside <title> and its like


class Protected:
    """HTML with tokens for its Liquid tags."""

    def __init__(self, source: str) -> None:
        """Raises RenderError where a tag stands that HTML tools would lose."""
        self._prefix = f"lqd{secrets.token_hex(6)}n"
        self._token = re.compile(rf"(?:<!--)?{self._prefix}(\d+)z(?:-->)?")
        self.tags: list[str] = []
        self.html = "".join(self._pieces(source))

    def restore(self, html: str, *, whole: bool = True) -> str:
        """Return `html` with its tags again. `whole`: RenderError unless each is there once, in its old order."""
        found = [int(number) for number in self._token.findall(html)]
        if whole and found != list(range(len(self.tags))):
            lost = next((n for n in range(len(self.tags)) if n >= len(found) or found[n] != n), 0)
            tag = self.tags[min(lost, len(self.tags) - 1)] if self.tags else ""
            raise RenderError(f"The tag {tag[:60]} stands where HTML cannot keep it. Move it into text or quotes.")
        return self._token.sub(lambda match: self.tags[int(match[1])], html)

    def _pieces(self, source: str) -> list[str]:
        pieces = []
        scanner = _Scanner()
        for match in _RULES.finditer(source):
            if match.lastgroup == TOKEN_CONTENT:
                scanner.read(match[0])
                pieces.append(match[0])
                continue
            token = f"{self._prefix}{len(self.tags)}z"
            self.tags.append(match[0])
            line = source.count("\n", 0, match.start()) + 1
            pieces.append(f"<!--{token}-->" if scanner.takes_comment(match[0], line) else token)
        return pieces


class _Scanner:
    """Knows in which part of an HTML document the text read so far has ended."""

    def __init__(self) -> None:
        self._at = _At.TEXT
        self._element = ""

    def takes_comment(self, tag: str, line: int) -> bool:
        """Return whether a Liquid tag here can be a comment. Raises RenderError where it can be nothing."""
        if self._at is _At.BETWEEN_ATTRIBUTES:
            raise RenderError(f"{tag[:60]} cannot stand between attributes: put it inside the quotes of one.", line)
        if self._at is _At.NO_MARKUP and self._element in ("style", "script"):
            raise RenderError(f"{tag[:60]} cannot stand in <{self._element}>.", line)
        if self._at is _At.BEFORE_VALUE:
            self._at = _At.UNQUOTED
        return self._at is _At.TEXT

    def read(self, text: str) -> None:
        position = 0
        while position < len(text):
            position = self._step(text, position)

    def _step(self, text: str, start: int) -> int:
        """Read on to the next turn of the document; return where."""
        match self._at:
            case _At.TEXT:
                return self._in_text(text, start)
            case _At.BETWEEN_ATTRIBUTES:
                return self._in_tag(text, start)
            case _At.BEFORE_VALUE:
                return self._before_value(text, start)
            case _At.DOUBLE_QUOTED:
                return self._until(text, '"', start, _At.BETWEEN_ATTRIBUTES)
            case _At.SINGLE_QUOTED:
                return self._until(text, "'", start, _At.BETWEEN_ATTRIBUTES)
            case _At.COMMENT:
                return self._until(text, "-->", start, _At.TEXT)
            case _At.UNQUOTED:
                end = _UNQUOTED_END.search(text, start)
                if end is None:
                    return len(text)
                self._at = _At.BETWEEN_ATTRIBUTES
                return end.start()
            case _At.NO_MARKUP:
                closing = text.lower().find(f"</{self._element}", start)
                if closing < 0:
                    return len(text)
                self._at, self._element = _At.BETWEEN_ATTRIBUTES, ""
                return closing + 2

    def _in_text(self, text: str, start: int) -> int:
        opening = text.find("<", start)
        if opening < 0:
            return len(text)
        if text.startswith("<!--", opening):
            self._at = _At.COMMENT
            return opening + 4
        name = _TAG_NAME.match(text, opening)
        if name is None:
            return opening + 1
        self._at, self._element = _At.BETWEEN_ATTRIBUTES, "" if name[1] else name[2].lower()
        return name.end()

    def _in_tag(self, text: str, start: int) -> int:
        turn = _IN_TAG.search(text, start)
        if turn is None:
            return len(text)
        if turn[0] == ">":
            self._at = _At.NO_MARKUP if self._element in _NO_MARKUP_INSIDE else _At.TEXT
        elif turn[0] == "=":
            self._at = _At.BEFORE_VALUE
        return turn.end()

    def _before_value(self, text: str, start: int) -> int:
        rest = text[start:].lstrip()
        if not rest:
            return len(text)
        position = len(text) - len(rest)
        turns = {'"': _At.DOUBLE_QUOTED, "'": _At.SINGLE_QUOTED, ">": _At.BETWEEN_ATTRIBUTES}
        self._at = turns.get(rest[0], _At.UNQUOTED)
        return position if rest[0] == ">" else position + 1

    def _until(self, text: str, mark: str, start: int, then: _At) -> int:
        end = text.find(mark, start)
        if end < 0:
            return len(text)
        self._at = then
        return end + len(mark)
