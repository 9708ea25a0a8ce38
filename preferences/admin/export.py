"""Everything about a person, taken away by staff: on a page of its own that says what it is, by a button."""

from typing import Any

from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponseBase
from django.template.response import TemplateResponse

from preferences import export
from preferences.admin.base import Admin, action, actor
from preferences.models import User
from preferences.pages.export import download

RIGHT = "preferences.export_user"


class PersonExportAdmin(Admin):
    """People's pages with a way to everything that is known of them. Of staff, only superusers may have it."""

    def has_export_permission(self, request: HttpRequest, object_id: Any = None) -> bool:
        return request.user.has_perm(RIGHT) and self.has_view_permission(request)

    @action(description="Download everything", url_path="export", permissions=["export"], icon="download")
    def export_person(self, request: HttpRequest, object_id: str) -> HttpResponseBase:
        """Say what the file holds; answer with it when the button is pressed."""
        user = self.get_object(request, object_id)
        if user is None or not isinstance(user, User) or user.erased_at:
            raise Http404
        if (user.is_staff or user.is_superuser) and not request.user.is_superuser:
            raise PermissionDenied
        if request.method == "POST":
            return download(request, user, actor=actor(request))
        context = {
            **self.admin_site.each_context(request),
            "title": f"Everything about {user}",
            "opts": self.opts,
            "person": user,
            "sections": [section.name.replace("_", " ") for section in export.sections()],
        }
        return TemplateResponse(request, "preferences/admin/export_person.html", context)
