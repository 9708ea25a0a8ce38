"""The plain-text part of an e-mail, from its HTML. Whatever stands in comments (Liquid tokens) is kept in place."""

import re
from html.parser import HTMLParser

_PARAGRAPHS = frozenset({"h1", "h2", "h3", "h4", "h5", "h6", "ol", "p", "table", "ul", "blockquote"})
_LINES = frozenset({"address", "article", "aside", "div", "dl", "dt", "dd", "figure", "footer", "form", "header", "li"})
_BLOCKS = _PARAGRAPHS | _LINES | {"main", "nav", "pre", "section", "tr"}
_HIDDEN = frozenset({"head", "style", "script", "title", "template"})


def to_text(html: str) -> str:
    """Return the words of `html`: a line per block, links as "words: address", images as their alternative text."""
    reader = _Reader()
    reader.feed(html)
    reader.close()
    text = re.sub(r"[ \t\xa0]+", " ", "".join(reader.pieces))
    text = "\n".join(line.strip() for line in text.split("\n"))
    return re.sub(r"\n{3,}", "\n\n", text).strip()


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.pieces: list[str] = []
        self._hidden: list[str] = []
        self._links: list[tuple[str, int]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        if tag in _HIDDEN or (self._hidden and tag == self._hidden[-1]):
            self._hidden.append(tag)
        elif tag == "div" and "preheader" in (given.get("class") or "").split():
            self._hidden.append(tag)  # it repeats what the text says
        elif self._hidden:
            return
        elif tag in _BLOCKS:
            self._break(tag)
            if tag == "li":
                self.pieces.append("- ")
        elif tag == "br":
            self.pieces.append("\n")
        elif tag == "hr":
            self.pieces.append("\n---\n")
        elif tag in ("td", "th"):
            self.pieces.append(" ")
        elif tag == "img":
            self.pieces.append(given.get("alt") or "")
        elif tag == "a":
            self._links.append((given.get("href") or "", len(self.pieces)))

    def handle_endtag(self, tag: str) -> None:
        if self._hidden:
            if tag == self._hidden[-1]:
                self._hidden.pop()
        elif tag in _BLOCKS:
            self._break(tag)
        elif tag == "a" and self._links:
            address, start = self._links.pop()
            words = "".join(self.pieces[start:]).strip()
            if address and not address.startswith("#") and address.removeprefix("mailto:") != words:
                self.pieces.append(f": {address}" if words else address)

    def handle_data(self, data: str) -> None:
        if not self._hidden:
            self.pieces.append(re.sub(r"\s+", " ", data))

    def handle_comment(self, data: str) -> None:
        # Conditional comments for one mail program hold markup, tokens hold none.
        if not self._hidden and re.fullmatch(r"\w+", data):
            self.pieces.append(data)

    def _break(self, tag: str) -> None:
        self.pieces.append("\n\n" if tag in _PARAGRAPHS else "\n")
