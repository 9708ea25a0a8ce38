"""Writes the figures of docs/benchmarks.md anew, between its markers; the words around them are people's."""

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from tests.benchmarks.harness import Part, Ratio, spread
from tests.benchmarks.report import goal, number, verdict

BUSY = 0.7  # processes that wanted to run when nothing of ours did yet
PAGE = Path(__file__).resolve().parents[2] / "docs" / "benchmarks.md"


def write(parts: Sequence[Part], stored: Mapping[str, Any]) -> None:
    text = PAGE.read_text()
    for name, content in (("machine", _machine(stored)), ("tables", _tables(parts))):
        pattern = re.compile(rf"(<!-- bench:{name} -->\n).*?(<!-- /bench:{name} -->)", re.DOTALL)
        if not pattern.search(text):
            raise ValueError(f"{PAGE.name} has no markers for {name}.")
        text = pattern.sub(lambda found, content=content: f"{found[1]}\n{content}\n{found[2]}", text)  # type: ignore[misc]
    PAGE.write_text(text)


def _machine(stored: Mapping[str, Any]) -> str:
    named = "; ".join(f"{name} {value}" for name, value in stored["machine"].items())
    size = "A quick run" if stored["quick"] else "A full run"
    busy = float(stored["machine"].get("load before", 0)) > BUSY
    warning = " The machine was busy with other work, so the spreads are wide and the figures low." if busy else ""
    return f"{size} of {stored['at'][:10]}, {stored['rounds']} rounds.{warning} {named}."


def _tables(parts: Sequence[Part]) -> str:
    lines: list[str] = []
    for part in parts:
        lines += [f"### {part.title}", ""]
        if part.error:
            lines += [f"This part did not end well in this run: {part.error}", ""]
        if part.ratios:
            lines += ["| ratio | median | spread | must | aim | kept |", "|---|---|---|---|---|---|"]
            lines += [_ratio(each) for each in part.ratios] + [""]
        if part.measured:
            lines += ["| measured on this machine | median | spread |", "|---|---|---|"]
            lines += [
                f"| {each.name}{f' ({each.note})' if each.note else ''} | {number(each.median)} {each.unit}"
                f" | {spread(each.per_round):.0%} |"
                for each in part.measured
            ] + [""]
        if part.facts:
            lines += ["; ".join(f"{name}: {value}" for name, value in part.facts.items()) + ".", ""]
    return "\n".join(lines)


def _ratio(each: Ratio) -> str:
    note = f" ({each.note})" if each.note else ""
    spread_ = f"{spread(each.per_round):.0%}" if len(each.per_round) > 1 else "–"
    kept = verdict(each) or "–"
    return (
        f"| {each.name}{note} | {number(each.median)} {each.unit} | {spread_}"
        f" | {goal(each.must, each)} | {goal(each.aim, each)} | {kept} |"
    )
