"""The circuit breaker of a provider account (pure): when to leave it alone, and when to try it again."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import Enum

IN_A_ROW = 5  # failures that open it
WINDOW = 20  # of these latest outcomes, half must have failed to open it
OPEN_FOR = timedelta(seconds=30)
WORKED, FAILED = "+", "-"


class Phase(Enum):
    CLOSED = "closed"  # everything may pass
    OPEN = "open"  # nothing may
    HALF_OPEN = "half-open"  # one message may, to see whether it works again
    PROBING = "probing"  # … and is on its way


@dataclass(frozen=True)
class Breaker:
    failures: int = 0  # in a row
    recent: str = ""  # one letter an outcome, newest last
    opened_at: datetime | None = None
    probe_until: datetime | None = None  # when whoever probes is taken for dead

    @property
    def clean(self) -> bool:
        """Tell whether another success would change nothing that matters."""
        return self.opened_at is None and FAILED not in self.recent


def phase(breaker: Breaker, now: datetime) -> Phase:
    if breaker.opened_at is None:
        return Phase.CLOSED
    if breaker.probe_until is not None and now < breaker.probe_until:
        return Phase.PROBING
    return Phase.OPEN if now < breaker.opened_at + OPEN_FOR else Phase.HALF_OPEN


def after(breaker: Breaker, outcomes: Iterable[bool], now: datetime, *, probe: bool = False) -> Breaker:
    """Return the breaker after outcomes in their order: True worked, False failed.

    While it is open only the probe counts: what was under way before it opened says nothing new.
    """
    seen = list(outcomes)
    if probe:
        if not seen:
            return replace(breaker, probe_until=None)
        return Breaker() if all(seen) else replace(breaker, opened_at=now, probe_until=None)
    for worked in seen:
        if breaker.opened_at is not None:
            break
        recent = (breaker.recent + (WORKED if worked else FAILED))[-WINDOW:]
        breaker = Breaker(0 if worked else breaker.failures + 1, recent)
        half_failed = len(recent) == WINDOW and 2 * recent.count(FAILED) >= WINDOW
        if breaker.failures >= IN_A_ROW or half_failed:
            breaker = replace(breaker, opened_at=now)
    return breaker


def half_opened(breaker: Breaker, now: datetime) -> Breaker:
    """Return it ready to be tried with one message at once, as after a change to the account."""
    return replace(breaker, opened_at=now - OPEN_FOR, probe_until=None)
