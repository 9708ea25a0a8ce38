"""The work of imports, in short steps: a batch of rows is written, and how far we came with it, in one transaction.

A worker that dies has done its batch entirely or not at all, and another goes on when the lease is over.
"""

import logging
import time
from collections.abc import Callable
from datetime import timedelta

from django.conf import settings
from django.db import InterfaceError, OperationalError, transaction
from django.db.models import Q

from preferences.consent import Origin
from preferences.imports import acts, keeping, tallies
from preferences.imports.blocking import Blocking
from preferences.imports.intake import Refused
from preferences.imports.outcome import Kind
from preferences.imports.people import People
from preferences.imports.reading import Batch, Reader
from preferences.models import Import
from project.foundation import audit, clock
from project.foundation.ids import new_id

logger = logging.getLogger(__name__)

SLICE_SECONDS = 0.5
_KINDS: dict[str, Kind] = {Import.Kind.PEOPLE: People(), Import.Kind.SUPPRESSIONS: Blocking()}
_BROKEN = "Carillon failed at a row after line {:,}. What came before it is done. Its log says more."

Status = Import.Status


def advance_due(ended: Callable[[], bool] = lambda: False) -> bool:
    """Move the import that has waited longest, for about SLICE_SECONDS; return whether there was one.

    One query when none is due. Nothing more is begun once `ended` says so. A database that is away is met again next
    time.
    """
    try:
        return _advance(ended)
    except (OperationalError, InterfaceError):
        logger.warning("import.no_database")
        return False


def _advance(ended: Callable[[], bool]) -> bool:
    job = _claim()
    if job is None:
        return False
    try:
        _work(job, ended)
    except Refused as refusal:
        acts.refused(job, refusal)
    except (OperationalError, InterfaceError):
        raise
    except Exception:  # whatever it is, the same row would bring it up for ever
        logger.exception("import.failed", extra={"import": str(job.pk)})
        _give_up(job)
    else:
        _release(job)
    return True


def _claim() -> Import | None:
    now = clock.now()
    free = Import.objects.filter(Q(leased_until=None) | Q(leased_until__lt=now), due_at__lte=now)
    pk = free.order_by("due_at").values_list("pk", flat=True).first()
    if pk is None:
        return None
    lease = new_id()
    until = now + timedelta(seconds=settings.LEASE_SECONDS)
    # 0 rows: another worker has it.
    claimed = free.filter(pk=pk).update(lease=lease, leased_until=until)
    return Import.objects.get(pk=pk) if claimed else None


def _release(job: Import) -> None:
    mine = Import.objects.filter(pk=job.pk, lease=job.lease)
    mine.filter(due_at__isnull=False).update(due_at=clock.now())  # behind the others that wait
    mine.update(lease=None, leased_until=None)


def _work(job: Import, ended: Callable[[], bool]) -> None:
    kind = _KINDS[job.kind]
    reader = Reader(job, kind.shape)
    end = time.monotonic() + SLICE_SECONDS
    while not ended():
        batch = reader.next_batch()
        if not _step(job, kind, batch) or batch.last or time.monotonic() >= end:
            break


def _step(job: Import, kind: Kind, batch: Batch) -> bool:
    """Take one batch; False when somebody stopped the import, or our lease was over."""
    checked = kind.check(batch.rows) if job.status == Status.CHECKING else None
    with transaction.atomic():
        mine = Import.objects.select_for_update().filter(pk=job.pk, lease=job.lease, status=job.status)
        held = mine.first()
        if held is None or held.position != job.position:
            return False
        outcomes = checked if checked is not None else kind.write(batch.rows, _origin(job))
        job.counts = tallies.add(held, batch, outcomes)
        job.position, job.line, job.header = batch.position, batch.line, batch.header
        job.leased_until = clock.now() + timedelta(seconds=settings.LEASE_SECONDS)
        if batch.last:
            _finish(job)
        job.save(
            update_fields=["counts", "position", "line", "header", "leased_until", "status", "due_at", "finished_at"]
        )
    return True


def _origin(job: Import) -> Origin:
    return Origin(source="import", actor=job.actor)


def _finish(job: Import) -> None:
    job.due_at = None
    if job.status == Status.CHECKING:
        job.status = Status.CHECKED
        return
    job.status, job.finished_at = Status.COMPLETED, clock.now()
    keeping.forget(job)
    audit.record(job.actor, "import.completed", f"import:{job.pk}", kind=job.kind, **job.counts)


def _give_up(job: Import) -> None:
    with transaction.atomic():
        held = Import.objects.select_for_update().filter(pk=job.pk, lease=job.lease).first()
        if held is not None:
            held.status, held.problem = Status.STOPPED, _BROKEN.format(held.line)
            held.due_at, held.finished_at = None, clock.now()
            held.save(update_fields=["status", "problem", "due_at", "finished_at"])
            keeping.forget(held)
