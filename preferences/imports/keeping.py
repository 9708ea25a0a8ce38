"""Where uploaded files lie: sealed, in the database, where every worker can read them, and not for long."""

from collections.abc import Callable
from datetime import datetime, timedelta
from itertools import count

from django.conf import settings

from preferences.imports.intake import Intake
from preferences.models import Import, ImportChunk
from project.foundation import ids

Status = Import.Status
_WAITS = (Status.UPLOADING, Status.CHECKING, Status.CHECKED)


def begin(*, kind: str, file_name: str, clears: bool, actor: str) -> tuple[Import, Intake]:
    """Return an import that is being uploaded, and what takes its bytes. Each piece is committed by itself.

    Nothing is done with it before `acts.uploaded`.
    """
    job = Import.objects.create(kind=kind, file_name=file_name[:255], clears=clears, actor=actor)
    return job, Intake(_keeper(job), most_bytes=settings.IMPORT_MAX_BYTES)


def piece_of(job: Import) -> Callable[[int], str]:
    """Return a function that reads a piece of an import's file by its number. One query each; "" past the end."""
    return lambda number: job.chunks.filter(number=number).values_list("text", flat=True).first() or ""


def forget(job: Import) -> None:
    """Delete the file: what it did, and what was wrong with it, stays."""
    job.chunks.all().delete()


def forget_before(now: datetime) -> None:
    """Delete files that nobody had imported in IMPORT_FILE_LIFE, and what is told of imports after IMPORT_DAYS."""
    uploaded_by = ids.first_id_at(now - settings.IMPORT_FILE_LIFE)
    late = Import.objects.filter(id__lt=uploaded_by, status__in=_WAITS)
    problem = "Nobody imported it in time, so the file was deleted."
    late.update(status=Status.STOPPED, problem=problem, due_at=None, finished_at=now)
    ImportChunk.objects.filter(of__id__lt=uploaded_by).exclude(of__status=Status.RUNNING).delete()
    told_by = ids.first_id_at(now - timedelta(days=settings.IMPORT_DAYS))
    Import.objects.filter(id__lt=told_by).exclude(status=Status.RUNNING).delete()


def _keeper(job: Import) -> Callable[[str], None]:
    numbers = count()

    def keep(text: str) -> None:
        ImportChunk.objects.create(of=job, number=next(numbers), text=text)

    return keep
