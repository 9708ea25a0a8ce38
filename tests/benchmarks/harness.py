"""What every benchmark measures in: rounds, their median and spread, and ratios that have a goal."""

import json
import statistics
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

VAR = Path(__file__).resolve().parents[2] / "var" / "bench"


class LedgerDiffers(AssertionError):
    """What was sent, recorded and allowed is not the same: the speed of this run means nothing."""


@dataclass
class Measured:
    """One thing, measured once a round, always in the same unit ("/s", "µs", "MB", …)."""

    name: str
    unit: str
    per_round: list[float] = field(default_factory=list)
    note: str = ""

    @property
    def median(self) -> float:
        return statistics.median(self.per_round)


@dataclass
class Ratio:
    """What is promised: `per_round` compares what one and the same round measured. `must` and `aim` are its goals."""

    name: str
    per_round: list[float] = field(default_factory=list)
    unit: str = "×"
    must: float | None = None
    aim: float | None = None
    less_is_better: bool = False
    note: str = ""

    @property
    def median(self) -> float:
        return statistics.median(self.per_round)

    @property
    def met(self) -> str:
        """Return which goal the median reaches: "aim", "must", "no", or "" where there is none."""
        if self._reaches(self.aim):
            return "aim"
        if self._reaches(self.must):
            return "must"
        return "no" if self.must is not None or self.aim is not None else ""

    def _reaches(self, goal: float | None) -> bool:
        if goal is None:
            return False
        return self.median <= goal if self.less_is_better else self.median >= goal


@dataclass
class Part:
    """The results of one benchmark. `facts` are what is worth knowing and no speed, such as the ledger."""

    name: str
    title: str
    measured: list[Measured] = field(default_factory=list)
    ratios: list[Ratio] = field(default_factory=list)
    facts: dict[str, Any] = field(default_factory=dict)
    error: str = ""
    seconds: float = 0.0

    def as_json(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_json(cls, stored: Mapping[str, Any]) -> "Part":
        return cls(
            **{
                **stored,
                "measured": [Measured(**each) for each in stored["measured"]],
                "ratios": [Ratio(**each) for each in stored["ratios"]],
            }
        )


def interleaved(cases: Mapping[str, Callable[[], float]], rounds: int, *, unit: str = "/s") -> dict[str, Measured]:
    """Measure every case once a round, each round in another order, so that a slow minute hits all alike."""
    found = {name: Measured(name, unit) for name in cases}
    names = list(cases)
    for number in range(rounds):
        for name in names[number % len(names) :] + names[: number % len(names)]:
            found[name].per_round.append(cases[name]())
            tell(f"{name}: {found[name].per_round[-1]:,.0f} {unit}")
    return found


def ratio(name: str, ours: Measured, theirs: Measured, **goals: Any) -> Ratio:
    """Compare round by round."""
    return Ratio(name, [a / b for a, b in zip(ours.per_round, theirs.per_round, strict=True)], **goals)


def must_equal(**counts: object) -> None:
    """Check the books: all of these are the same, or the run is void. Raises LedgerDiffers."""
    if len(set(counts.values())) > 1:
        raise LedgerDiffers(", ".join(f"{name} {count}" for name, count in counts.items()))


def spread(values: Sequence[float]) -> float:
    """Return (largest − smallest) / median."""
    return (max(values) - min(values)) / statistics.median(values) if any(values) else 0.0


def tell(text: str) -> None:
    """Say how it is going; `python -m tests.benchmarks` shows the latest line behind its bar."""
    print(text, flush=True)


@contextmanager
def stopwatch() -> Iterator[Callable[[], float]]:
    """Yield a function that returns the seconds since it began."""
    started = time.perf_counter()
    yield lambda: time.perf_counter() - started


def wait_until(done: Callable[[], bool], *, seconds: float, what: str, every: float = 0.02) -> None:
    """Raises TimeoutError, naming what was waited for."""
    until = time.monotonic() + seconds
    while not done():
        if time.monotonic() > until:
            raise TimeoutError(f"{what}: not within {seconds:.0f} s")
        time.sleep(every)


def write(part: Part, path: Path) -> None:
    path.write_text(json.dumps(part.as_json(), indent=1, default=str))
