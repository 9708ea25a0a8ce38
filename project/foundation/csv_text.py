"""CSV that people open in a spreadsheet, written line by line: no cell of it is ever taken for a formula.

RFC 4180, every cell in quotes, UTF-8. It begins with a byte order mark: without one Excel takes UTF-8 for the machine's
own code page; other readers skip it (in Python: encoding="utf-8-sig").
"""

import csv
from collections.abc import Iterable, Iterator
from datetime import datetime

CONTENT_TYPE = "text/csv; charset=utf-8"
_MARK = "\ufeff".encode()
# What begins a formula (OWASP, "CSV Injection"), the full-width forms too, which East Asian Excel reads alike.
_FORMULA = frozenset("=+-@＝＋－＠")
_LEADING = frozenset("\t\r\n")


def lines(header: Iterable[str], rows: Iterable[Iterable[object]]) -> Iterator[bytes]:
    """Yield a file, one line after the other, each as soon as its row is there."""
    writer = csv.writer(_Echo(), quoting=csv.QUOTE_ALL)
    yield _MARK + writer.writerow(map(cell, header))
    for row in rows:
        yield writer.writerow(map(cell, row))


def cell(value: object) -> str:
    """Return a value as a cell that no spreadsheet computes: what begins a formula gets a ' before it."""
    if isinstance(value, datetime):
        return value.isoformat(timespec="milliseconds")
    text = "" if value is None else str(value)
    return f"'{text}" if text.lstrip()[:1] in _FORMULA or text[:1] in _LEADING else text


class _Echo:
    """A file that gives back what is written to it."""

    def write(self, text: str) -> bytes:
        return text.encode()
