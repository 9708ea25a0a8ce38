"""The admin's page that erases somebody: it says what will happen, and asks once."""

from typing import TYPE_CHECKING, Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path

from preferences import erasure
from preferences.admin.base import actor
from preferences.models import User
from project.foundation.client_ip import client_ip
from project.foundation.problems import StaffUser, Unavailable

if TYPE_CHECKING:
    from django.contrib.admin import ModelAdmin

    _Admin = ModelAdmin[User]
else:
    _Admin = object

RIGHT = "preferences.erase_user"


class ErasesPeople(_Admin):
    """What UserAdmin needs for it."""

    change_form_template = "preferences/admin/user.html"

    def get_urls(self) -> list[URLPattern]:
        view = transaction.non_atomic_requests(self.admin_site.admin_view(self.erase_view))
        return [path("<int:pk>/erase/", view, name="preferences_user_erase"), *super().get_urls()]

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        user = self.get_object(request, object_id)
        offered = user is not None and may_erase(request, user)
        return super().change_view(request, object_id, form_url, {**(extra_context or {}), "may_erase": offered})

    def erase_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Say what an erasure does; with POST, do it."""
        user = self.get_object(request, str(pk))
        if user is None:
            raise Http404
        if not may_erase(request, user):
            raise PermissionDenied
        if request.method == "POST":
            return self._erase(request, user)
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "original": user,
            "title": f"Erase {user.get_full_name()}",
        }
        return TemplateResponse(request, "preferences/admin/erase.html", context)

    def _erase(self, request: HttpRequest, user: User) -> HttpResponse:
        try:
            erasure.erase(user, actor=actor(request), ip=client_ip(request))
        except StaffUser:
            raise PermissionDenied from None
        except Unavailable as problem:
            messages.error(request, f"{problem.detail} Nothing was erased. Try again in a moment.")
            return redirect("admin:preferences_user_erase", user.pk)
        messages.success(request, "Erased. What was sent counts on, under a pseudonym.")
        return redirect("admin:preferences_user_changelist")


def may_erase(request: HttpRequest, user: User) -> bool:
    """Tell whether whoever is signed in may erase this person. Staff leave the staff first."""
    possible = user.erased_at is None and not (user.is_staff or user.is_superuser)
    return possible and request.user.has_perm(RIGHT)
