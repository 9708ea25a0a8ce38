"""The benchmarks in their order, and how the findings of each become rows with goals."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from tests.benchmarks.harness import Part


@dataclass(frozen=True)
class Wanted:
    title: str
    read: Callable[[Any], Part]  # turns what measure() returns into rows
    seconds: float  # what it takes, for the bar
    quick_seconds: float
    needs_database: bool = False
    full_only: bool = False  # too long for BENCH=quick


def _as_it_is(part: Part) -> Part:
    return part


PARTS: dict[str, Wanted] = {
    "broadcast": Wanted("A broadcast of e-mails", _as_it_is, 420, 90, needs_database=True),
    "storage": Wanted("Writing history", _as_it_is, 150, 25, needs_database=True),
    "memory": Wanted("What a worker weighs", _as_it_is, 150, 0, needs_database=True, full_only=True),
}
