"""The benchmarks in their order, and how the findings of each become rows with goals."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from tests.benchmarks import reading
from tests.benchmarks.harness import Part


@dataclass(frozen=True)
class Wanted:
    title: str
    read: Callable[[Any], Part]  # turns what measure() returns into rows
    seconds: float  # what it takes, for the bar
    quick_seconds: float
    needs_database: bool = False
    full_only: bool = False  # too long for BENCH=quick


def _as_it_is(found: Any) -> Part:
    """Take rows as they are, and of whatever else the numbers alone."""
    return found if isinstance(found, Part) else Part("", "", facts=dict(found))


PARTS: dict[str, Wanted] = {
    "broadcast": Wanted("A broadcast of e-mails", _as_it_is, 480, 75, needs_database=True),
    "storage": Wanted("Writing history", _as_it_is, 120, 25, needs_database=True),
    "liquid": Wanted("Rendering Liquid", _as_it_is, 20, 8),
    "mime": Wanted("Building a mail", _as_it_is, 15, 8),
    "smtp": Wanted("Handing mails over", _as_it_is, 40, 15),
    "acceptance": Wanted("Accepting", reading.acceptance, 100, 30),
    "live": Wanted("The live inbox", reading.live, 180, 25),
    "embedded": Wanted("Embedded", reading.embedded, 60, 25),
    "memory": Wanted("What a worker weighs", _as_it_is, 150, 0, needs_database=True, full_only=True),
}
