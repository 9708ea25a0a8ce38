from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db import models
from django.forms import ModelForm
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse

from notifications import account_changes, account_health, accounts
from notifications.admin import account_form, words
from notifications.models import ProviderAccount
from notifications.providers.base import Provider
from preferences.admin.base import Admin, actor, display
from preferences.channels import CHANNELS

_WORDS = {
    "in_use": "In use",
    "paused": "Switched off",
    "refused": "Refused",
    "failing": "Keeps failing",
    "throttled": "Slowed down",
}
_STATES = {
    "In use": "success",
    "Switched off": "warning",
    "Refused": "danger",
    "Keeps failing": "danger",
    "Slowed down": "warning",
}


class ProviderAccountAdmin(Admin):
    """The form follows the provider; adding one starts with choosing it."""

    list_display = ["name", "channel_pill", "provider_name", "order", "standing"]
    list_filter = ["channel", "enabled"]
    search_fields = ["name", "provider"]
    ordering = ["channel", "order", "name"]
    list_select_related = ["state"]
    actions = ["try_again"]

    def add_view(
        self, request: HttpRequest, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        if not self.has_add_permission(request):
            raise PermissionDenied
        if self._provider(request) is not None:
            return super().add_view(request, form_url, extra_context)
        offered = [
            {
                "key": key,
                "name": words.provider(key),
                "channels": ", ".join(CHANNELS[channel].name for channel in each.channels),
            }
            for key, each in accounts.provider_classes().items()
        ]
        context = {
            **self.admin_site.each_context(request),
            "title": "Choose a provider",
            "opts": self.opts,
            "providers": offered,
        }
        return TemplateResponse(request, "notifications/admin/choose_provider.html", context)

    def get_form(
        self, request: HttpRequest, obj: ProviderAccount | None = None, change: bool = False, **kwargs: Any
    ) -> "type[ModelForm[ProviderAccount]]":
        provider = self._provider(request, obj)
        return account_form.make(provider) if provider else super().get_form(request, obj, change=change, **kwargs)

    def get_fieldsets(self, request: HttpRequest, obj: ProviderAccount | None = None) -> Any:
        provider = self._provider(request, obj)
        if provider is None:
            return [(None, {"fields": ["name", "provider", "channel", "order", "enabled"]})]
        given = [name for name in account_form.make(provider).base_fields if name.startswith("option_")]
        known = self._shown(provider) if obj else ["name"]
        fieldsets: list[Any] = [(None, {"fields": [*known, "channel", ("order", "enabled"), "rate_limit"]})]
        return [*fieldsets, (words.provider(provider.key), {"fields": given})] if given else fieldsets

    def get_readonly_fields(self, request: HttpRequest, obj: ProviderAccount | None = None) -> list[str]:
        if obj is None:
            return []
        provider = self._provider(request, obj)
        return self._shown(provider) if provider else ["name", "provider", "channel", "order", "enabled"]

    def save_model(self, request: HttpRequest, obj: models.Model, form: Any, change: bool) -> None:
        stored = form.store(actor=actor(request))
        obj.pk = stored.pk

    def delete_model(self, request: HttpRequest, obj: models.Model) -> None:
        assert isinstance(obj, ProviderAccount)
        account_changes.remove(obj, actor=actor(request))

    def delete_queryset(self, request: HttpRequest, queryset: models.QuerySet[Any]) -> None:
        for account in queryset:
            account_changes.remove(account, actor=actor(request))

    @display(description="Channel", ordering="channel", label=True)
    def channel_pill(self, account: ProviderAccount) -> str:
        return str(account.get_channel_display())

    @display(description="Provider", ordering="provider")
    def provider_name(self, account: ProviderAccount) -> str:
        return words.provider(account.provider)

    @display(description="State", ordering="enabled", label=_STATES)
    def standing(self, account: ProviderAccount) -> str:
        return _WORDS[account_health.standing(account).state]

    @display(description="State")
    def fares(self, account: ProviderAccount) -> str:
        standing = account_health.standing(account)
        return f"{_WORDS[standing.state]}. {standing.error}".strip()

    @display(description="Takes reports at")
    def reports_at(self, account: ProviderAccount) -> str:
        return accounts.callback_url(account.provider, account.name)

    @admin.action(description="Try again", permissions=["change"])
    def try_again(self, request: HttpRequest, queryset: models.QuerySet[Any]) -> None:
        """Take refused accounts back into use; what is held for them goes on when they work."""
        for account in queryset:
            account_changes.try_again(account, actor=actor(request))
        messages.success(request, "They are tried again with one message each; what is held goes on when it works.")

    def _shown(self, provider: type[Provider]) -> list[str]:
        return ["name", "provider_name", "fares", *(["reports_at"] if provider.reports else [])]

    def _provider(self, request: HttpRequest, obj: ProviderAccount | None = None) -> type[Provider] | None:
        key = obj.provider if obj else request.GET.get("provider", "")
        return accounts.provider_classes().get(key)
