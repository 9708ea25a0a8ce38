"""Counting what became of rows, and writing down what is wrong with them."""

from collections import Counter
from collections.abc import Sequence

from preferences.imports.outcome import Outcome
from preferences.imports.reading import Batch
from preferences.models import Import, ImportFault
from project.foundation.problems import Fault

# A file in which everything is wrong is told of once, not a million times.
MOST_FAULTS = 10_000


def add(job: Import, batch: Batch, outcomes: Sequence[Outcome]) -> dict[str, int]:
    """Write the faults of a batch's rows, up to MOST_FAULTS of an import; return its counts with the batch's added.

    {"rows", "new", "changed", "unchanged", "faulty": rows, "faults": all that is wrong with those}.
    """
    by_row = list(zip(batch.lines, outcomes, strict=True))
    faults = [(line, fault) for line, outcome in by_row if not isinstance(outcome, str) for fault in outcome]
    faults = sorted([*batch.unreadable, *faults], key=lambda each: each[0])
    counts = Counter(job.counts) + Counter(outcome for outcome in outcomes if isinstance(outcome, str))
    room = max(0, MOST_FAULTS - counts["faults"])
    ImportFault.objects.bulk_create(_row(job, *each) for each in faults[:room])
    faulty = len(batch.unreadable) + sum(1 for outcome in outcomes if not isinstance(outcome, str))
    counts.update({"rows": len(outcomes) + len(batch.unreadable), "faulty": faulty, "faults": len(faults)})
    return dict(counts)


def _row(job: Import, line: int, fault: Fault) -> ImportFault:
    return ImportFault(
        of=job, line=line, column=fault.pointer.removeprefix("/")[:255], code=fault.code, message=fault.message[:500]
    )
