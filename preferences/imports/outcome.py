"""What a kind of import does with rows."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

from preferences.consent import Origin
from preferences.imports.columns import Shape
from project.foundation.problems import Fault

# What became, or would become, of a row; or everything that is wrong with it, pointing to its columns.
Outcome = Literal["new", "changed", "unchanged"] | Sequence[Fault]


@dataclass(frozen=True)
class Row:
    """One row by its columns."""

    cells: Mapping[str, str]
    clears: bool = False  # an empty cell empties the field, instead of leaving it


class Kind(Protocol):
    """People, or suppressions. Both functions return one outcome a row, in their order."""

    shape: Shape

    def check(self, rows: Sequence[Row]) -> list[Outcome]:
        """Say what `write` would do now, and write nothing."""

    def write(self, rows: Sequence[Row], origin: Origin) -> list[Outcome]:
        """Do it, in the caller's transaction. Doing it twice equals once."""
