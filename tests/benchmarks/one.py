"""One benchmark in a process of its own: `python -m tests.benchmarks.one NAME FILE`. The parent reads FILE.

Benchmarks that need Carillon's tables get a scratch database and production's settings before they are imported.
"""

import importlib
import os
import sys
import traceback
from contextlib import ExitStack
from pathlib import Path

from tests.benchmarks import harness, parts, scratch


def main(name: str, path: Path) -> int:
    wanted = parts.PARTS[name]
    if scratch.QUICK:
        os.environ.setdefault("SECONDS", "1")  # of each load on the API
    with ExitStack() as stack, harness.stopwatch() as seconds:
        if wanted.needs_database:
            os.environ |= scratch.carillon(stack.enter_context(scratch.database(name)))
            stack.callback(_close_connections)
            importlib.import_module("django").setup()
        try:
            part = wanted.read(importlib.import_module(f"tests.benchmarks.{name}").measure())
        except Exception as error:
            traceback.print_exc()
            part = harness.Part(name, wanted.title, error=f"{type(error).__name__}: {error}")
        part.name, part.title, part.seconds = name, part.title or wanted.title, seconds()
    harness.write(part, path)
    return 1 if part.error else 0


def _close_connections() -> None:
    importlib.import_module("django.db").connections.close_all()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], Path(sys.argv[2])))
