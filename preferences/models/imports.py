from django.db import models
from django.db.models import Q

from project.foundation.encryption import EncryptedTextField
from project.foundation.ids import new_id


class Import(models.Model):
    """One file of people or of suppressions: kept, checked, and on somebody's word imported."""

    class Kind(models.TextChoices):
        PEOPLE = "people", "People"
        SUPPRESSIONS = "suppressions", "Suppressions"

    class Status(models.TextChoices):
        UPLOADING = "uploading", "Uploading"
        CHECKING = "checking", "Checking"  # the dry run
        CHECKED = "checked", "Checked"  # waits for somebody's word
        RUNNING = "running", "Running"
        COMPLETED = "completed", "Completed"
        STOPPED = "stopped", "Stopped"
        REFUSED = "refused", "Refused"  # it is no file that could be imported: `problem` says why

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    kind = models.CharField(max_length=20, choices=Kind)
    status = models.CharField(max_length=20, choices=Status, default=Status.UPLOADING)
    file_name = EncryptedTextField(default="", blank=True)
    characters = models.BigIntegerField(default=0)  # the file's length
    clears = models.BooleanField(default=False)  # an empty cell empties the field, instead of leaving it
    actor = models.CharField(max_length=255)  # who uploaded it, as in the audit trail
    problem = models.CharField(max_length=500, default="", blank=True)

    # How far the dry run or the import has come. They move in the transaction that writes what was read.
    header = models.JSONField(default=dict, blank=True)  # {"delimiter": ";", "columns": ["user_id", …]}
    position = models.BigIntegerField(default=0)  # characters read
    line = models.PositiveIntegerField(default=1)  # of the file, counted from 1: the next one
    counts = models.JSONField(default=dict, blank=True)  # {"rows", "new", "changed", "unchanged", "faulty", "faults"}
    checked = models.JSONField(default=dict, blank=True)  # what `counts` was after the dry run
    started_at = models.DateTimeField(null=True, blank=True)
    finished_at = models.DateTimeField(null=True, blank=True)

    # A row is work while due_at is set, and free when its lease is absent or over.
    due_at = models.DateTimeField(null=True, blank=True)
    lease = models.UUIDField(null=True, blank=True)
    leased_until = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-id"]
        indexes = [models.Index(fields=["due_at"], condition=Q(due_at__isnull=False), name="import_due")]

    def __str__(self) -> str:
        return self.file_name or str(self.id)


class ImportChunk(models.Model):
    """A piece of an uploaded file as text, sealed: any worker can read it. Deleted when the import is over."""

    of = models.ForeignKey(Import, on_delete=models.CASCADE, related_name="chunks")
    number = models.PositiveIntegerField()
    text = EncryptedTextField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["of", "number"], name="one_chunk_per_number")]

    def __str__(self) -> str:
        return f"{self.number} of {self.of_id}"


class ImportFault(models.Model):
    """One thing that is wrong with one row of a file. It repeats nothing that stands in the row."""

    of = models.ForeignKey(Import, on_delete=models.CASCADE, related_name="faults")
    line = models.PositiveIntegerField()  # where the row begins
    column = models.CharField(max_length=255, default="", blank=True)
    code = models.CharField(max_length=40)
    message = models.CharField(max_length=500)

    class Meta:
        ordering = ["id"]

    def __str__(self) -> str:
        return f"line {self.line}: {self.code}"
