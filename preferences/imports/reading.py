"""The rows of an import's file from where the last batch ended, a batch at a time."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

from preferences.imports import columns, keeping, records
from preferences.imports.columns import Shape
from preferences.imports.intake import Refused
from preferences.imports.lines import Lines
from preferences.imports.outcome import Row
from preferences.imports.records import Record
from preferences.models import Import
from project.foundation.problems import Fault

SIZE = 1000  # rows


@dataclass
class Batch:
    """Rows that make sense by themselves, those that do not, and where the next batch begins."""

    header: dict[str, Any]
    rows: list[Row] = field(default_factory=list)
    lines: list[int] = field(default_factory=list)  # where each of `rows` begins
    unreadable: list[tuple[int, Fault]] = field(default_factory=list)
    position: int = 0
    line: int = 1
    last: bool = False


class Reader:
    """Reads on where an import stands. Raises Refused when its first row does not name its columns."""

    def __init__(self, job: Import, shape: Shape) -> None:
        self._clears = job.clears
        self._lines = Lines(keeping.piece_of(job), position=job.position, line=job.line)
        self._header = job.header or _header(self._lines, shape)
        self._records: Iterator[Record] = records.read(self._lines, self._header["delimiter"])

    def next_batch(self) -> Batch:
        """Return up to SIZE rows; `last` when there are no more."""
        batch = Batch(self._header)
        taken = 0
        for record in islice(self._records, SIZE):
            taken += 1
            self._put(record, batch)
        batch.position, batch.line, batch.last = self._lines.position, self._lines.line, taken < SIZE
        return batch

    def _put(self, record: Record, batch: Batch) -> None:
        names = self._header["columns"]
        fault = columns.fault_of(record, names)
        if fault is not None:
            batch.unreadable.append((record.line, fault))
        else:
            batch.rows.append(Row(dict(zip(names, record.cells, strict=True)), self._clears))
            batch.lines.append(record.line)


def _header(lines: Lines, shape: Shape) -> dict[str, Any]:
    """Read the first row that is not blank."""
    start = (lines.position, lines.line)
    first_line = next((line for line in lines if line.strip()), None)
    if first_line is None:
        raise Refused("The file is empty.")
    lines.go_back(*start)
    delimiter = columns.delimiter_of(first_line, shape)
    names = columns.read(next(records.read(lines, delimiter)), shape)
    return {"delimiter": delimiter, "columns": names, "position": lines.position, "line": lines.line}
