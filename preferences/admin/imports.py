"""Uploading files of people and of suppressions, watching how far they are, and starting and stopping them."""

from typing import Any
from uuid import UUID

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt, csrf_protect
from django.views.decorators.http import require_POST

from preferences.admin.base import ReadOnlyAdmin, actor, display, moment, who
from preferences.admin.uploads import IntoImport
from preferences.imports import acts, report
from preferences.models import Import
from project.foundation import downloads
from project.foundation.client_ip import client_ip
from project.foundation.ids import created_at

SHOWN_FAULTS = 50
_ACTS = {"start": acts.start, "stop": acts.stop}
_DONE = {"start": "It begins within a few seconds.", "stop": "It is stopped, and the file is deleted."}
_PILLS = {
    "Uploading": "info",
    "Checking": "info",
    "Checked": "warning",
    "Running": "info",
    "Completed": "success",
    "Stopped": "warning",
    "Refused": "danger",
}
_CLASSES = {"info": "crl-busy", "warning": "crl-waits", "success": "crl-good", "danger": "crl-bad"}
# What somebody must be allowed to do by hand to do it by a file.
_NEEDED = {
    Import.Kind.PEOPLE: ("preferences.add_import", "preferences.add_user", "preferences.change_user"),
    Import.Kind.SUPPRESSIONS: ("preferences.add_import", "preferences.add_suppression"),
}


class ImportAdmin(ReadOnlyAdmin):
    """Files that were uploaded, and what became of them."""

    empty_says = "Upload a CSV file of people, or of addresses that nobody may use."
    list_display = ["at", "kind_words", "status_pill", "read_words", "by"]
    list_filter = ["kind", "status"]

    def has_add_permission(self, request: HttpRequest) -> bool:
        return any(may(request, kind) for kind in _NEEDED)

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view
        upload = csrf_exempt(never_cache(self.upload_view))  # the token is checked when the file has been taken
        return [
            path("add/", upload, name="preferences_import_add"),
            path("<uuid:id>/progress/", view(self.progress_view), name="preferences_import_progress"),
            path("<uuid:id>/errors.csv", view(self.errors_view), name="preferences_import_errors"),
            *(
                path(f"<uuid:id>/{act}/", view(require_POST(self.act_view)), {"act": act}, f"preferences_import_{act}")
                for act in _ACTS
            ),
            *super().get_urls(),
        ]

    def upload_view(self, request: HttpRequest) -> HttpResponse:
        """Show the form, or take its file. Who may not upload does not get to send one."""
        if not self.admin_site.has_permission(request):
            return redirect("admin:login")
        kind = request.GET.get("kind", Import.Kind.PEOPLE)
        if kind not in _NEEDED:
            raise Http404
        if not may(request, kind):
            raise PermissionDenied
        if request.method != "POST":
            return self._form(request, kind)
        handler = IntoImport(request, kind=kind, actor=actor(request))
        request.upload_handlers = [handler]
        try:
            return csrf_protect(self._take)(request, kind, handler)
        finally:
            handler.forget_unless_finished()

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Show one import: a page to watch, so no form."""
        job = self._find(request, object_id)
        context = {**self.admin_site.each_context(request), "title": _title(job), "opts": self.opts, **_facts(job)}
        context |= {"may_act": may(request, job.kind), "original": job, "by": who(job.actor)}
        faults = job.faults.order_by("line", "id")[: SHOWN_FAULTS + 1]
        context |= {"faults": faults[:SHOWN_FAULTS], "more_faults": len(faults) > SHOWN_FAULTS}
        return TemplateResponse(request, "preferences/admin/import.html", context)

    def progress_view(self, request: HttpRequest, id: UUID) -> HttpResponse:
        """Return the part of the page that moves."""
        job = self._find(request, str(id))
        response = TemplateResponse(request, "preferences/admin/_import_progress.html", _facts(job))
        response["X-Import-Status"] = job.status
        return response

    def act_view(self, request: HttpRequest, id: UUID, act: str) -> HttpResponse:
        """Start or stop."""
        job = self._find(request, str(id))
        if not may(request, job.kind):
            raise PermissionDenied
        try:
            _ACTS[act](job, actor=actor(request), ip=client_ip(request))
        except acts.WrongState as problem:
            messages.warning(request, problem.detail)
        else:
            messages.success(request, _DONE[act])
        return redirect("admin:preferences_import_change", job.pk)

    def errors_view(self, request: HttpRequest, id: UUID) -> HttpResponseBase:
        """Return all that is wrong as a file for a spreadsheet."""
        job = self._find(request, str(id))
        parts = report.of(job)
        return downloads.attachment(request, parts, filename=report.FILE_NAME, content_type=report.CONTENT_TYPE)

    @admin.display(description="Uploaded", ordering="id")
    def at(self, job: Import) -> str:
        return moment(created_at(job.id))

    @admin.display(description="What", ordering="kind")
    def kind_words(self, job: Import) -> str:
        return _title(job)

    @display(description="Status", ordering="status", label=_PILLS)
    def status_pill(self, job: Import) -> str:
        return str(job.get_status_display())

    @admin.display(description="Rows")
    def read_words(self, job: Import) -> str:
        rows, faulty = job.counts.get("rows", 0), job.counts.get("faulty", 0)
        return f"{rows:,}, {faulty:,} with errors" if faulty else f"{rows:,}"

    @admin.display(description="By")
    def by(self, job: Import) -> str:
        return who(job.actor)

    def _take(self, request: HttpRequest, kind: str, handler: IntoImport) -> HttpResponse:
        clears = bool(request.POST.get("clears"))  # with this, the file is read
        job = handler.finish(clears=clears)
        if job is None:
            return self._form(request, kind, handler.refusal, clears=clears)
        return redirect("admin:preferences_import_change", job.pk)

    def _form(self, request: HttpRequest, kind: str, error: str = "", *, clears: bool = False) -> HttpResponse:
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "title": "Import people" if kind == Import.Kind.PEOPLE else "Import suppressions",
            "kind": kind,
            "kinds": [each for each in _NEEDED if may(request, each)],
            "error": error,
            "clears": clears,
        }
        status = 422 if error else 200
        return TemplateResponse(request, "preferences/admin/import_upload.html", context, status=status)

    def _find(self, request: HttpRequest, id: str) -> Import:
        job: Import | None = self.get_object(request, id)
        if not self.has_view_permission(request, job):
            raise PermissionDenied
        if job is None:
            raise Http404
        return job


def may(request: HttpRequest, kind: str) -> bool:
    """Tell whether whoever is signed in may import files of a kind."""
    return request.user.has_perms(_NEEDED[Import.Kind(kind)])


def _title(job: Import) -> str:
    return f"{job.get_kind_display()} from {job.file_name or 'a file'}"


def _facts(job: Import) -> dict[str, Any]:
    status = str(job.get_status_display())
    counts = {name: job.counts.get(name, 0) for name in ("rows", "new", "changed", "unchanged", "faulty", "faults")}
    to_do = counts["new"] + counts["changed"]
    return {
        "job": job,
        "status": status,
        "pill": _CLASSES[_PILLS[status]],
        "uploaded": moment(created_at(job.id)),
        "counts": counts,
        "percent": min(100, 100 * job.position // job.characters) if job.characters else 0,
        "under_way": job.status in (Import.Status.CHECKING, Import.Status.RUNNING),
        "to_do": to_do,
        "shown": {name: f"{count:,}" for name, count in {**counts, "to_do": to_do}.items()},
    }
