"""The end of a run on a terminal: a bar while it lasts, then a table and a plot."""

import shutil
import sys
import threading
import time
from collections.abc import Mapping, Sequence

from tests.benchmarks.harness import Measured, Part, Ratio, spread

_MARKS = {"aim": "aim met", "must": "must met", "no": "NOT MET", "": ""}
_WIDTH = 40  # characters of a plot's longest bar


class Bar:
    """How far the run is, by the seconds that its parts are expected to take."""

    def __init__(self, seconds: float) -> None:
        self._total, self._done, self._begun = seconds, 0.0, time.monotonic()
        self._part_begun, self._text = self._begun, ""
        self._live = sys.stdout.isatty()
        self._over = threading.Event()
        if self._live:
            threading.Thread(target=self._tick, daemon=True).start()

    def show(self, title: str, line: str) -> None:
        self._text = f"{title}: {line}"
        if self._live:
            self._draw()
        else:
            print(f"[{self._share():4.0%}] {self._text}", flush=True)

    def finish(self, seconds: float) -> None:
        self._done += seconds
        self._part_begun = time.monotonic()

    def close(self) -> None:
        self._over.set()
        if self._live:
            print("\r\x1b[K", end="")

    def _tick(self) -> None:
        while not self._over.wait(1):
            self._draw()

    def _share(self) -> float:
        return min(0.99, (self._done + time.monotonic() - self._part_begun) / self._total)

    def _draw(self) -> None:
        share, width = self._share(), shutil.get_terminal_size().columns
        bar = "█" * round(share * 20) + "░" * (20 - round(share * 20))
        elapsed = time.monotonic() - self._begun
        print(f"\r\x1b[K{f'{bar} {share:4.0%} {elapsed:4.0f} s  {self._text}'[: width - 1]}", end="", flush=True)


def table(parts: Sequence[Part], machine: Mapping[str, str]) -> str:
    """Return what was measured and what was promised, aligned. Ratios are the message; figures are this machine's."""
    lines = ["", " · ".join(f"{name} {value}" for name, value in machine.items()), ""]
    for part in parts:
        lines += [f"{part.title} ({part.seconds:.0f} s)", "─" * 118]
        if part.error:
            lines += [f"  FAILED: {part.error}"]
        if part.measured:
            lines += [f"  {'measured':<72}{'median':>14}{'spread':>9}  rounds"]
            lines += [_measured(each) for each in part.measured]
        if part.ratios:
            lines += [f"  {'promised':<72}{'ratio':>10}{'spread':>9}{'must':>8}{'aim':>8}  "]
            lines += [_ratio(each) for each in part.ratios]
        lines += [f"  {name}: {value}" for name, value in part.facts.items()]
        lines += [""]
    return "\n".join(lines)


def plot(parts: Sequence[Part]) -> str:
    """Return every ratio that has a goal as a bar, as a share of its goal: the line is where "must" is."""
    promised = [each for part in parts for each in part.ratios if each.must is not None and each.per_round]
    if not promised:
        return ""
    lines = ["How far each promise is kept, as a multiple of its must:"]
    for each in promised:
        reach = _reach(each)
        bar = "█" * round(min(reach, 4) * _WIDTH / 4) or "▏"
        at = _WIDTH // 4
        shown = bar.ljust(_WIDTH)
        shown = shown[:at] + "│" + shown[at + 1 :] if reach <= 1 else shown
        lines.append(f"  {each.name[:60]:<61}{shown}{reach:6.2f} × must{'' if each.met != 'no' else '  NOT MET'}")
    return "\n".join(lines) + "\n"


def number(value: float) -> str:
    if value == 0 or abs(value) >= 100:
        return f"{value:,.0f}"
    return f"{value:.1f}" if abs(value) >= 10 else f"{value:.2f}"


def goal(value: float | None, ratio: Ratio) -> str:
    if value is None:
        return "–"
    return f"{'≤' if ratio.less_is_better else '≥'} {value:g}"


def verdict(ratio: Ratio) -> str:
    return _MARKS[ratio.met]


def _reach(ratio: Ratio) -> float:
    assert ratio.must is not None
    return ratio.must / ratio.median if ratio.less_is_better else ratio.median / ratio.must


def _measured(each: Measured) -> str:
    rounds = " ".join(number(value) for value in each.per_round)
    note = f"  ({each.note})" if each.note else ""
    value = f"{number(each.median)} {each.unit}"
    return f"  {each.name[:72]:<72}{value:>14}{spread(each.per_round):>9.0%}  {rounds}{note}"


def _ratio(each: Ratio) -> str:
    value = f"{number(each.median)} {each.unit}"
    goals = f"{goal(each.must, each):>8}{goal(each.aim, each):>8}"
    note = f"  ({each.note})" if each.note else ""
    return f"  {each.name[:72]:<72}{value:>10}{spread(each.per_round):>9.0%}{goals}  {verdict(each)}{note}"
