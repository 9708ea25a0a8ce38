"""Callers and their API keys. A key's text is shown once, when it is issued."""

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path
from django.utils import timezone
from unfold.widgets import (
    UnfoldAdminCheckboxSelectMultipleWidget,
    UnfoldAdminSelectWidget,
    UnfoldAdminTextInputWidget,
)

from notifications.access import keys
from notifications.access.scopes import SCOPES
from notifications.models import ApiKey, Caller, Mode
from preferences.admin.base import Admin, ReadOnlyAdmin, actor, display


class IssueForm(forms.Form):
    caller = forms.ModelChoiceField(
        Caller.objects.all(), help_text="The service that will use it.", widget=UnfoldAdminSelectWidget
    )
    mode = forms.ChoiceField(
        choices=Mode.choices, help_text="A test key sends to the outbox only.", widget=UnfoldAdminSelectWidget
    )
    name = forms.CharField(
        max_length=200, required=False, help_text="To tell it from others.", widget=UnfoldAdminTextInputWidget
    )
    scopes = forms.MultipleChoiceField(
        choices=[(scope, scope.capitalize()) for scope in SCOPES],
        initial=["send", "read"],
        widget=UnfoldAdminCheckboxSelectMultipleWidget,
    )


class ApiKeyAdmin(ReadOnlyAdmin):
    list_display = ["shown", "caller", "name", "mode_pill", "scope_words", "last_used_at", "state"]
    list_filter = ["mode"]
    list_select_related = ["caller"]
    search_fields = ["id", "name", "caller__name"]
    fields = [
        "shown",
        "caller",
        "name",
        "mode",
        "scope_words",
        "created_at",
        "last_used_at",
        "expires_at",
        "revoked_at",
    ]
    readonly_fields = ["shown", "scope_words"]
    change_form_template = "notifications/admin/key.html"

    def has_add_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("notifications.add_apikey")

    def get_urls(self) -> list[URLPattern]:
        revoke = self.admin_site.admin_view(self.revoke_view)
        return [path("<str:id>/revoke/", revoke, name="notifications_apikey_revoke"), *super().get_urls()]

    def add_view(
        self, request: HttpRequest, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Issue a key; answer with its text, this once."""
        return self._issue(request)

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        may_revoke = request.user.has_perm("notifications.change_apikey")
        return super().change_view(request, object_id, form_url, {"may_revoke": may_revoke})

    def revoke_view(self, request: HttpRequest, id: str) -> HttpResponse:
        """End a key now."""
        if request.method != "POST" or not request.user.has_perm("notifications.change_apikey"):
            raise PermissionDenied
        key = self.get_object(request, id)
        if key is not None:
            keys.revoke(key, actor=actor(request))
            messages.success(request, f"{key} is over. Whoever still uses it gets a 401.")
        return redirect("admin:notifications_apikey_changelist")

    def _issue(self, request: HttpRequest) -> HttpResponse:
        if not self.has_add_permission(request):
            raise PermissionDenied
        form = IssueForm(request.POST or None)
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "title": "Issue an API key",
            "form": form,
        }
        if request.method == "POST" and form.is_valid():
            data = form.cleaned_data
            key, text = keys.issue(
                data["caller"], data["mode"], data["scopes"], actor=actor(request), name=data["name"]
            )
            context |= {"text": text, "key": key, "title": "Copy the key now"}
        return TemplateResponse(request, "notifications/admin/issue_key.html", context)

    @admin.display(description="Key", ordering="id")
    def shown(self, key: ApiKey) -> str:
        return str(key)

    @display(description="Mode", ordering="mode", label={"Live": "primary", "Test": ""})
    def mode_pill(self, key: ApiKey) -> str:
        return str(key.get_mode_display())

    @admin.display(description="May")
    def scope_words(self, key: ApiKey) -> str:
        return "everything" if set(key.scopes) == set(SCOPES) else ", ".join(key.scopes)

    @display(description="State", label={"In use": "success", "Over": "danger", "Revoked": "danger"})
    def state(self, key: ApiKey) -> str:
        if key.revoked_at:
            return "Revoked"
        return "Over" if key.expires_at and key.expires_at <= timezone.now() else "In use"


class CallerAdmin(Admin):
    list_display = ["name", "key", "created_at"]
    search_fields = ["name", "key"]
    fields = ["name", "key"]

    def get_readonly_fields(self, request: HttpRequest, obj: Caller | None = None) -> list[str]:
        return ["key"] if obj else []

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """History names its caller for good; revoke the keys instead."""
        return False
