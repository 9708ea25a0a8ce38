"""How a file gets from a form into an import: piece by piece as it arrives, onto no disk of ours."""

from typing import Any

from django.core.files.uploadhandler import FileUploadHandler
from django.http import HttpRequest

from preferences.imports import acts, keeping
from preferences.imports.intake import Intake, Refused
from preferences.models import Import
from project.foundation.client_ip import client_ip


class IntoImport(FileUploadHandler):
    """Takes the form's one file. A file that is refused is read to its end, so that the browser shows our answer."""

    def __init__(self, request: HttpRequest, *, kind: str, actor: str) -> None:
        super().__init__(request)
        self._kind, self._actor = kind, actor
        self._ip = client_ip(request)
        self._job: Import | None = None
        self._intake: Intake | None = None
        self._characters = 0
        self._done = False
        self.refusal = ""

    def new_file(self, *arguments: Any, **named: Any) -> None:
        super().new_file(*arguments, **named)
        if self._job is None:
            name = self.file_name or ""
            self._job, self._intake = keeping.begin(kind=self._kind, file_name=name, clears=False, actor=self._actor)

    def receive_data_chunk(self, raw_data: bytes, start: int) -> None:
        if self._intake is not None and not self.refusal:
            try:
                self._intake.write(raw_data)
            except Refused as refusal:
                self.refusal = str(refusal)

    def file_complete(self, file_size: int) -> None:
        if self._intake is not None and not self.refusal:
            try:
                self._characters = self._intake.close()
            except Refused as refusal:
                self.refusal = str(refusal)
        self._intake = None  # a second file of the same form is not taken

    def finish(self, *, clears: bool) -> Import | None:
        """Let the dry run begin; None when nothing was taken in, and then `refusal` says why."""
        if self._job is None or not self._characters:
            self.refusal = self.refusal or "Choose a file."
            return None
        self._job.clears = clears
        acts.uploaded(self._job, self._characters, ip=self._ip)
        self._done = True
        return self._job

    def forget_unless_finished(self) -> None:
        """Leave nothing of an upload that broke off, or whose form was not genuine."""
        if self._job is not None and not self._done:
            self._job.delete()
