"""The rows of CSV text. What is wrong with the writing of one row spoils that row alone."""

import csv
from collections.abc import Iterator
from dataclasses import dataclass

from preferences.imports.lines import LONGEST, Lines
from project.foundation.problems import Fault


@dataclass(frozen=True)
class Record:
    """One row: its cells, or what is wrong with the way it is written."""

    line: int  # where it begins
    cells: list[str]
    fault: Fault | None = None


def read(lines: Lines, delimiter: str) -> Iterator[Record]:
    """Yield the rows that are not blank. After each, `lines` stands where the next one begins.

    Cells may be quoted and then hold delimiters, doubled quotation marks and line breaks (RFC 4180).
    """
    while (record := _next(lines, delimiter)) is not None:
        if record.cells or record.fault:
            yield record


class _TooLong(Exception):
    pass


class _OneRow:
    """Hands lines to the parser until they are too many for one row."""

    def __init__(self, lines: Lines) -> None:
        self._lines = lines
        self._length = 0
        self.taken = 0
        self.after_first = (lines.position, lines.line)

    def __iter__(self) -> "_OneRow":
        return self

    def __next__(self) -> str:
        line = next(self._lines)
        self.taken += 1
        self._length += len(line)
        if self.taken == 1:
            self.after_first = (self._lines.position, self._lines.line)
        if self._length > LONGEST:
            raise _TooLong
        return line


def _next(lines: Lines, delimiter: str) -> Record | None:
    row, begins = _OneRow(lines), lines.line
    try:
        cells = next(csv.reader(row, delimiter=delimiter, strict=True), None)
    except _TooLong:
        fault = _TOO_LONG if row.taken == 1 else _OPEN
    except csv.Error as error:
        fault = _OPEN if "unexpected end" in str(error) else _QUOTES
    else:
        return None if cells is None else Record(begins, cells)
    # What follows the row's first line may be good rows again.
    lines.go_back(*row.after_first)
    return Record(begins, [], fault)


_TOO_LONG = Fault("", "row_too_long", f"A row has at most {LONGEST:,} characters.")
_OPEN = Fault("", "open_quotation_mark", "A quotation mark opens in this row and is never closed.")
_QUOTES = Fault(
    "", "stray_quotation_mark", "Something follows the quotation mark that ends a cell. Double it inside one."
)
