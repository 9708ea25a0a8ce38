"""The plots of docs/benchmarks.md: SVG, one message each, direct labels, readable in the dark and without colours."""

import math
from collections.abc import Sequence
from html import escape
from pathlib import Path

from tests.benchmarks.harness import Part, Ratio
from tests.benchmarks.report import number

DIRECTORY = Path(__file__).resolve().parents[2] / "docs" / "benchmarks"
_ROW, _LEFT, _WIDTH, _RIGHT, _TOP = 30, 460, 920, 150, 64  # pixels
# static/carillon/css/tokens.css: ink, quiet ink, verdigris, slate, bronze; then the same in the dark.
_STYLE = """<style>
text { font: 14px system-ui, sans-serif; fill: #1b2422 } .title { font-weight: 600; font-size: 16px }
.quiet { fill: #4b5a56; font-size: 13px } .ours { fill: #0f766e } .theirs { fill: #6b7a75 }
.short { fill: none; stroke: #9a5b13; stroke-width: 2 } .goal { stroke: #1b2422; stroke-width: 2 }
@media (prefers-color-scheme: dark) { text { fill: #e8efec } .quiet { fill: #a9b8b3 } .ours { fill: #46bbad }
.theirs { fill: #8f9e99 } .short { stroke: #d9a15b } .goal { stroke: #e8efec } }
</style>"""


def write(parts: Sequence[Part]) -> list[Path]:
    """Write broadcast.svg and promises.svg; return those for which there was something to draw."""
    DIRECTORY.mkdir(parents=True, exist_ok=True)
    drawn = {"broadcast.svg": _broadcast(parts), "promises.svg": _promises(parts)}
    for name, svg in drawn.items():
        if svg:
            (DIRECTORY / name).write_text(svg)
    return [DIRECTORY / name for name, svg in drawn.items() if svg]


def _broadcast(parts: Sequence[Part]) -> str:
    """How many e-mails a second each way sends, as a multiple of django-post_office."""
    found = next((part for part in parts if part.name == "broadcast"), None)
    if found is None or not found.measured:
        return ""
    shown = [each for each in found.measured if "into" not in each.name and "relay" not in each.name]
    unit = next(each.median for each in shown if each.name.startswith("django-post_office"))
    rows = sorted(((each.name, each.median / unit) for each in shown if "raw" not in each.name), key=lambda row: row[1])
    most = max(value for _, value in rows)
    bars = [
        _bar(n, name, value / most, f"{number(value)} ×", "ours" if name.startswith("Carillon") else "theirs")
        for n, (name, value) in enumerate(rows)
    ]
    return _svg("E-mails a second, django-post_office = 1", bars, "longer is better")


def _promises(parts: Sequence[Part]) -> str:
    """Each ratio against the least it must be, on a logarithmic axis."""
    ratios = [each for part in parts for each in part.ratios if each.must is not None and each.per_round]
    if not ratios:
        return ""
    reaches = [_reach(each, each.must or 1) for each in ratios]
    low, high = math.log2(min(0.5, *reaches)), math.log2(max(4, *reaches))
    x = _LEFT - low / (high - low) * (_WIDTH - _LEFT - _RIGHT)  # of the goal
    bars = []
    for n, (each, reach) in enumerate(zip(ratios, reaches, strict=True)):
        share = (math.log2(max(reach, 0.01)) - low) / (high - low)
        bars.append(_bar(n, each.name, share, _label(each), "ours" if reach >= 1 else "short", x))
    bars.append(f'<line class="goal" x1="{x:.0f}" x2="{x:.0f}" y1="{_TOP - 12}" y2="{_TOP + len(ratios) * _ROW}"/>')
    bars.append(f'<text class="quiet" x="{x:.0f}" y="{_TOP - 18}" text-anchor="middle">must</text>')
    return _svg("What is promised, and what this run reached", bars, "past the line: kept; outline: not kept")


def _label(ratio: Ratio) -> str:
    return f"{number(ratio.median)} {ratio.unit} ({'≤' if ratio.less_is_better else '≥'} {ratio.must:g})"


def _reach(ratio: Ratio, goal: float) -> float:
    median = max(ratio.median, 0.001)
    return goal / median if ratio.less_is_better else median / goal


def _bar(n: int, name: str, share: float, label: str, kind: str, beyond: float = 0.0) -> str:
    """`beyond`: the label stands right of this x, too, so that no line crosses it."""
    y, width = _TOP + n * _ROW, max(2.0, share * (_WIDTH - _LEFT - _RIGHT))
    name = name if len(name) <= 62 else f"{name[:61]}…"
    return (
        f'<text x="{_LEFT - 10}" y="{y + 15}" text-anchor="end">{escape(name)}</text>'
        f'<rect class="{kind}" x="{_LEFT}" y="{y}" width="{width:.0f}" height="{_ROW - 10}" rx="3"/>'
        f'<text class="quiet" x="{max(_LEFT + width, beyond) + 8:.0f}" y="{y + 15}">{escape(label)}</text>'
    )


def _svg(title: str, drawn: Sequence[str], below: str) -> str:
    height = _TOP + max(1, sum("<rect" in each for each in drawn)) * _ROW + 12
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {height}" role="img">'
        f"<title>{escape(title)}</title>{_STYLE}"
        f'<text class="title" x="0" y="20">{escape(title)}</text>'
        f'<text class="quiet" x="0" y="40">{escape(below)}</text>'
        f"{''.join(drawn)}</svg>\n"
    )
