"""The first row of a file: which columns there are, and what stands between them (pure)."""

import csv
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from preferences.imports.intake import Refused
from preferences.imports.records import Record
from project.foundation.problems import Fault

DELIMITERS = ",;\t"


@dataclass(frozen=True)
class Shape:
    """Which columns a kind of file may have."""

    required: tuple[str, ...]
    optional: tuple[str, ...]
    prefix: str = ""  # columns that begin so are named freely
    longest: int = 0  # characters of such a name

    @property
    def words(self) -> str:
        names = [*self.required, *self.optional, *([f"{self.prefix}NAME"] if self.prefix else [])]
        return f"{', '.join(names[:-1])} and {names[-1]}"


def delimiter_of(first_line: str, shape: Shape) -> str:
    """Return the delimiter under which most of the first line's cells are columns."""
    known = {each: sum(1 for name in _cells(first_line, each) if _column(name, shape)) for each in DELIMITERS}
    return max(DELIMITERS, key=lambda each: known[each])


def read(record: Record, shape: Shape) -> list[str]:
    """Return the columns in the form in which code knows them. Raises Refused."""
    names = [name.strip() for name in record.cells]
    columns = [_column(name, shape) for name in names]
    if record.fault is not None or not any(columns):
        raise Refused(f"The first row has to name the columns: {shape.words}.")
    unknown = [name for name, column in zip(names, columns, strict=True) if column is None]
    if unknown:
        raise Refused(f"There is no column {_quoted(unknown)}. Columns are {shape.words}.")
    found = [column for column in columns if column is not None]
    doubled = sorted({column for column in found if found.count(column) > 1})
    if doubled:
        raise Refused(f"Column {_quoted(doubled)} stands there twice.")
    missing = [name for name in shape.required if name not in found]
    if missing:
        raise Refused(f"Column {_quoted(missing)} is missing.")
    return found


def fault_of(record: Record, columns: Sequence[str]) -> Fault | None:
    """Return what is wrong with a row whatever its cells mean, or None."""
    if record.fault is not None:
        return record.fault
    if len(record.cells) != len(columns):
        sentence = f"This row has {len(record.cells)} cells, and the first row has {len(columns)}."
        return Fault("", "wrong_number_of_cells", sentence)
    for column, cell in zip(columns, record.cells, strict=True):
        if "\0" in cell:
            return Fault(f"/{column}", "invalid_string", "There is a NUL character in this cell.")
    return None


def _column(name: str, shape: Shape) -> str | None:
    name = name.strip()
    if name.lower() in (*shape.required, *shape.optional):
        return name.lower()
    free = name[len(shape.prefix) :] if shape.prefix and name.lower().startswith(shape.prefix) else ""
    return f"{shape.prefix}{free}" if free and free.isprintable() and len(free) <= shape.longest else None


def _cells(line: str, delimiter: str) -> list[str]:
    try:
        return next(csv.reader([line], delimiter=delimiter), [])
    except csv.Error:
        return []


def _quoted(names: Iterable[str]) -> str:
    shown = [name[:60] for name in names]
    more = f" and {len(shown) - 5} more" if len(shown) > 5 else ""
    return ", ".join(f"“{name}”" for name in shown[:5]) + more
