"""Files on their way in, as the admin's pages bring them."""

from preferences.imports import acts, keeping, working
from preferences.models import Import

ACTOR = "staff:grace"


def upload(text: str | bytes, *, kind: str = "people", clears: bool = False, part: int = 65536) -> Import:
    """Upload a file; it is due to be checked."""
    data = text.encode() if isinstance(text, str) else text
    job, intake = keeping.begin(kind=kind, file_name="file.csv", clears=clears, actor=ACTOR)
    for start in range(0, len(data), part):
        intake.write(data[start : start + part])
    acts.uploaded(job, intake.close(), ip="")
    return job


def work(job: Import) -> Import:
    """Do what is due."""
    while working.advance_due():
        pass
    job.refresh_from_db()
    return job


def check(text: str | bytes, **options: object) -> Import:
    return work(upload(text, **options))  # type: ignore[arg-type]


def bring_in(text: str | bytes, **options: object) -> Import:
    job = check(text, **options)
    acts.start(job, actor=ACTOR)
    return work(job)


def faults(job: Import) -> list[tuple[int, str, str]]:
    return [(fault.line, fault.column, fault.code) for fault in job.faults.all()]
