from typing import Any

from django.contrib import admin, messages
from django.contrib.admin.views.main import ChangeList
from django.core.exceptions import PermissionDenied
from django.db import models
from django.forms import ModelForm
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.template.response import TemplateResponse
from django.urls import URLPattern, path
from django.views.decorators.http import require_POST

from notifications import account_changes, account_health, account_trials, accounts
from notifications.account_health import Health, Hour
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
    "half_open": "Trying again",
    "throttled": "Slowed down",
}
_MEANING = {
    "in_use": "It takes what it serves.",
    "paused": "Nothing goes through it.",
    "refused": "The service does not accept this account: nothing goes through it until somebody mends it.",
    "failing": "It failed again and again: it is left alone for 30 seconds, and another account stands in.",
    "half_open": "One message finds out whether it works again.",
    "throttled": "The service asked to wait; what is due waits for that.",
}
_ACTS = {
    "pause": (account_changes.pause, "It is paused. What has no other account is held."),
    "resume": (account_changes.resume, "It is in use again; what was held for it goes on."),
    "try_again": (account_changes.try_again, "It is tried again with one message; what is held goes on when it works."),
}


class ProviderAccountAdmin(Admin):
    """The form follows the provider; adding one starts with choosing it."""

    list_display = ["name", "channel_pill", "provider_name", "order", "serves", "standing", "last_hour"]
    list_filter = ["channel", "enabled"]
    search_fields = ["name", "provider"]
    ordering = ["channel", "order", "name"]
    list_select_related = ["state"]
    actions = ["try_again"]
    change_form_template = "notifications/admin/provider_account.html"

    def get_urls(self) -> list[URLPattern]:
        acts = [self._path(act, require_POST(self.act_view), act=act) for act in _ACTS]
        more = [self._path("test", require_POST(self.test_view)), self._path("health", self.health_view)]
        return [*acts, *more, *super().get_urls()]

    def get_changelist_instance(self, request: HttpRequest) -> ChangeList:
        """Add the figures of the last hour, one query for all rows."""
        found = super().get_changelist_instance(request)
        hours = account_health.last_hour()
        for account in found.result_list:
            account.hour = hours.get(account.pk, Hour())
        return found

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        account: ProviderAccount | None = self.get_object(request, object_id)
        if account is None or not self.has_view_permission(request, account):
            return super().change_view(request, object_id, form_url, extra_context)
        may_act = self.has_change_permission(request, account)
        context = {**_shown_health(account), "may_act": may_act, "may_test": may_act and account.channel != "in_app"}
        return super().change_view(request, object_id, form_url, context | (extra_context or {}))

    def act_view(self, request: HttpRequest, id: int, act: str) -> HttpResponse:
        """Pause, resume or try again."""
        account = self._found(request, id, changing=True)
        do, done = _ACTS[act]
        do(account, actor=actor(request))
        messages.success(request, done)
        return redirect("admin:notifications_provideraccount_change", account.pk)

    def test_view(self, request: HttpRequest, id: int) -> HttpResponse:
        """Send one message now, and say what became of it."""
        account = self._found(request, id, changing=True)
        try:
            trial = account_trials.send(account, request.POST.get("to", "")[:4096], actor=actor(request))
        except account_trials.CannotTry as problem:
            messages.warning(request, str(problem))
        else:
            (messages.success if trial.worked else messages.error)(request, trial.words)
        return redirect("admin:notifications_provideraccount_change", account.pk)

    def health_view(self, request: HttpRequest, id: int) -> HttpResponse:
        """The part of the page that is fetched anew every few seconds."""
        account = self._found(request, id, changing=False)
        return render(request, "notifications/admin/_account_health.html", _shown_health(account))

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
        limits = ["enabled", ("order", "weight"), "rate_limit"]
        serving = ["categories", *(["countries"] if account_form.by_number(provider) else [])]
        fieldsets: list[Any] = [
            (None, {"fields": [*known, "channel", *limits]}),
            ("What it serves", {"fields": serving}),
        ]
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

    @display(description="State", ordering="enabled", label=words.PILLS)
    def standing(self, account: ProviderAccount) -> str:
        return _WORDS[account_health.standing(account).state]

    @display(description="Serves")
    def serves(self, account: ProviderAccount) -> str:
        return ", ".join([*account.categories, *account.countries]) or "Everything"

    @display(description="Last hour")
    def last_hour(self, account: ProviderAccount) -> str:
        hour: Hour = getattr(account, "hour", Hour())
        return f"{hour.failed_percent} % of {hour.tries:,} failed" if hour.tries else "Not used"

    @display(description="Takes reports at")
    def reports_at(self, account: ProviderAccount) -> str:
        return accounts.callback_url(account.provider, account.name)

    @admin.action(description="Try again", permissions=["change"])
    def try_again(self, request: HttpRequest, queryset: models.QuerySet[Any]) -> None:
        """Take refused accounts back into use; what is held for them goes on when they work."""
        for account in queryset:
            account_changes.try_again(account, actor=actor(request))
        messages.success(request, "They are tried again with one message each; what is held goes on when it works.")

    def _path(self, name: str, view: Any, **more: str) -> URLPattern:
        wrapped = self.admin_site.admin_view(view)
        found: URLPattern = path(f"<int:id>/{name}/", wrapped, more, name=f"notifications_provideraccount_{name}")
        return found

    def _found(self, request: HttpRequest, id: int, *, changing: bool) -> ProviderAccount:
        account = ProviderAccount.objects.select_related("state").filter(pk=id).first()
        allowed = self.has_change_permission if changing else self.has_view_permission
        if not allowed(request, account):
            raise PermissionDenied
        if account is None:
            raise Http404
        return account

    def _shown(self, provider: type[Provider]) -> list[str]:
        return ["name", "provider_name", *(["reports_at"] if provider.reports else [])]

    def _provider(self, request: HttpRequest, obj: ProviderAccount | None = None) -> type[Provider] | None:
        key = obj.provider if obj else request.GET.get("provider", "")
        return accounts.provider_classes().get(key)


def _shown_health(account: ProviderAccount) -> dict[str, Any]:
    found: Health = account_health.health(account)
    state = found.standing.state
    return {
        "health": found,
        "state": _WORDS[state],
        "meaning": _MEANING[state],
        "pill": words.pill(_WORDS[state]),
        "troubled": state in ("refused", "failing", "half_open", "throttled"),
    }
