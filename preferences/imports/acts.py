"""What people do with imports: upload, start, stop. Each is one row's change, and the work follows from the row."""

from django.db import transaction

from preferences.imports import keeping
from preferences.imports.intake import Refused
from preferences.models import Import
from project.foundation import audit, clock
from project.foundation.problems import Conflict

Status = Import.Status
STARTABLE = {Status.CHECKED}
STOPPABLE = {Status.CHECKING, Status.CHECKED, Status.RUNNING}


class WrongState(Conflict):
    title = "The state of this import does not allow it."


def uploaded(job: Import, characters: int, *, ip: str) -> None:
    """Let the dry run of a file begin that has come in whole."""
    with transaction.atomic():
        job.status, job.characters, job.due_at = Status.CHECKING, characters, clock.now()
        job.save(update_fields=["status", "characters", "clears", "due_at"])
        audit.record(job.actor, "import.uploaded", f"import:{job.pk}", ip=ip, kind=job.kind)


def refused(job: Import, refusal: Refused) -> None:
    """Say why a file cannot be imported, and delete it. One that somebody has stopped meanwhile stays stopped."""
    with transaction.atomic():
        held = Import.objects.select_for_update().filter(pk=job.pk, status=Status.CHECKING).first()
        if held is None:
            return
        held.status, held.problem, held.finished_at, held.due_at = Status.REFUSED, str(refusal)[:500], clock.now(), None
        held.save(update_fields=["status", "problem", "finished_at", "due_at"])
        keeping.forget(held)


def start(job: Import, *, actor: str, ip: str = "") -> None:
    """Begin to import what was checked. Raises WrongState."""
    with transaction.atomic():
        held = _held(job, STARTABLE, "started")
        held.status, held.checked, held.counts = Status.RUNNING, held.counts, {}
        held.position, held.line = held.header["position"], held.header["line"]
        held.started_at = held.due_at = clock.now()
        held.save(update_fields=["status", "checked", "counts", "position", "line", "started_at", "due_at"])
        held.faults.all().delete()  # they are found again, as things are by then
        audit.record(actor, "import.started", f"import:{job.pk}", ip=ip, kind=job.kind)


def stop(job: Import, *, actor: str, ip: str = "") -> None:
    """End it before the next batch, and delete the file. What is in stays in. Raises WrongState."""
    with transaction.atomic():
        # A worker that is writing a batch holds this lock for its part of a second.
        held = _held(job, STOPPABLE, "stopped")
        held.status, held.due_at, held.finished_at = Status.STOPPED, None, clock.now()
        held.save(update_fields=["status", "due_at", "finished_at"])
        keeping.forget(held)
        audit.record(actor, "import.stopped", f"import:{job.pk}", ip=ip, kind=job.kind, rows=held.counts.get("rows", 0))


def _held(job: Import, states: set[Status], act: str) -> Import:
    held = Import.objects.select_for_update().get(pk=job.pk)
    if held.status not in states:
        raise WrongState(f"It is {held.get_status_display().lower()}, so it cannot be {act}.")
    return held
