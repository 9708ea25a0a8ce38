"""Lists that can be taken away as CSV: what filters and search leave of them, in the order that they show."""

from collections.abc import Callable, Mapping
from typing import Any

from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.urls import URLPattern, path
from django.views.decorators.http import require_POST

from preferences.admin.base import ReadOnlyAdmin, actor
from project.foundation import audit, clock, csv_text, downloads
from project.foundation.client_ip import client_ip
from project.foundation.snapshots import snapshot

_AT_ONCE = 2000  # rows read from the database


class CsvExportAdmin(ReadOnlyAdmin):
    """Whoever may look and has the right `export_<model>` may take the list away. The trail says that they did."""

    list_before_template = "preferences/admin/csv_export.html"
    csv_columns: Mapping[str, Callable[[Any], object]]  # {heading: what of a row stands below it}

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(require_POST(self.export_view))
        return [path("export/", view, name=f"{self._model}_export"), *super().get_urls()]

    def has_export_permission(self, request: HttpRequest) -> bool:
        right = f"{self.opts.app_label}.export_{self.opts.model_name}"
        return self.has_view_permission(request) and request.user.has_perm(right)

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        context = {"may_export": self.has_export_permission(request), "export_url": f"admin:{self._model}_export"}
        return super().changelist_view(request, context | (extra_context or {}))

    def export_view(self, request: HttpRequest) -> HttpResponseBase:
        """Answer with the list as a file, read and sent a few lines at a time."""
        if not self.has_export_permission(request):
            raise PermissionDenied
        found = self.get_changelist_instance(request)
        name, narrowed = str(self.opts.model_name), {"narrowed_by": sorted(found.params)} if found.params else {}
        audit.record(actor(request), f"{name}.exported", name, ip=client_ip(request), **narrowed)
        return downloads.attachment(
            request,
            self._lines(found.get_queryset(request)),
            filename=f"{name}-{clock.now():%Y-%m-%d}.csv",
            content_type=csv_text.CONTENT_TYPE,
        )

    def _lines(self, rows: "QuerySet[Any]") -> downloads.Parts:
        with snapshot():
            read = rows.iterator(chunk_size=_AT_ONCE)
            yield from csv_text.lines(
                self.csv_columns, ([told(row) for told in self.csv_columns.values()] for row in read)
            )

    @property
    def _model(self) -> str:
        return f"{self.opts.app_label}_{self.opts.model_name}"
