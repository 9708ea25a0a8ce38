"""`make bench`, or `python -m tests.benchmarks [PART …]`: Carillon beside its peers, in one run, in minutes.

BENCH=quick takes three minutes and less people. DOCS=1 writes the tables and plots of docs/benchmarks.md anew, from the
run, or with no PART and FROM=FILE from the stored results of an earlier one.
"""

import json
import os
import subprocess
import sys
import tempfile
import time
from datetime import UTC, datetime
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from tests.benchmarks import charts, docs, harness, machine, report, scratch
from tests.benchmarks.harness import VAR, Part
from tests.benchmarks.parts import PARTS, Wanted

RESULTS = VAR / "results.json"
LOG = VAR / "bench.log"


def main(names: list[str]) -> int:
    VAR.mkdir(parents=True, exist_ok=True)
    source = os.environ.get("FROM")
    stored = json.loads(Path(source).read_text()) if source else _run(names or _all())
    parts = [Part.from_json(each) for each in stored["parts"]]
    print(report.table(parts, stored["machine"]))
    print(report.plot(parts))
    print(f"Results: {RESULTS}. What went on: {LOG}.")
    if os.environ.get("DOCS"):
        charts.write(parts)
        docs.write(parts, stored)
        print("docs/benchmarks.md and its plots are written anew.")
    return 1 if any(part.error for part in parts) else 0


def _all() -> list[str]:
    there = [name for name in PARTS if find_spec(f"tests.benchmarks.{name}")]
    return [name for name in there if not (scratch.QUICK and PARTS[name].full_only)]


def _run(names: list[str]) -> dict[str, Any]:
    unknown = [name for name in names if name not in PARTS]
    if unknown:
        sys.exit(f"No such benchmark: {', '.join(unknown)}. There are {', '.join(PARTS)}.")
    stored: dict[str, Any] = {
        "at": datetime.now(tz=UTC).isoformat(timespec="seconds"),
        "quick": scratch.QUICK,
        "rounds": scratch.ROUNDS,
        "machine": machine.describe(),
        "parts": [],
    }
    bar = report.Bar(sum(_expected(PARTS[name]) for name in names))
    LOG.write_text("")
    for name in names:
        part = _in_a_process(name, PARTS[name], bar)
        bar.finish(_expected(PARTS[name]))
        stored["parts"].append(part.as_json())
        RESULTS.write_text(json.dumps(stored, indent=1, default=str))  # now: a run that is broken off has said so much
    bar.close()
    return stored


def _expected(wanted: Wanted) -> float:
    return wanted.quick_seconds if scratch.QUICK else wanted.seconds


def _in_a_process(name: str, wanted: Wanted, bar: report.Bar) -> Part:
    """Run one benchmark by itself: what it leaves in memory slows down no other, and what ends it ends no other."""
    started = time.monotonic()
    with tempfile.TemporaryDirectory() as directory, LOG.open("a") as log:
        path = Path(directory) / "part.json"
        command = [sys.executable, "-m", "tests.benchmarks.one", name, str(path)]
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=log, text=True)
        assert process.stdout is not None
        for line in process.stdout:
            log.write(line)
            bar.show(wanted.title, line.strip())
        process.wait()
        if path.exists():
            return Part.from_json(json.loads(path.read_text()))
    error = f"It ended with {process.returncode}: see {LOG}."
    return harness.Part(name, wanted.title, error=error, seconds=time.monotonic() - started)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
