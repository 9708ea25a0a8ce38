"""Addresses nobody may use: found by typing one, added and lifted by hand. Their list cannot say whose they are."""

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path
from django.views.decorators.http import require_POST
from unfold.widgets import UnfoldAdminSelectWidget, UnfoldAdminTextInputWidget

from preferences import addresses, suppressions
from preferences.admin.base import ReadOnlyAdmin, actor, display, moment, who
from preferences.channels import CHANNELS
from preferences.consent import Origin
from preferences.models import Suppression
from preferences.suppressions import Reason, Unwanted
from project.foundation import audit
from project.foundation.client_ip import client_ip

_SOURCES = {
    "receipt": "A provider's report",
    "import": "An import",
    "admin": "By hand",
    "api": "The API",
    "erasure": "An erasure",
}
_WHY = [
    ("asked", "They asked us to write to them again"),
    ("works", "The address works again"),
    ("mistake", "It was suppressed by mistake"),
]
_CHANNELS = [(key, channel.name) for key, channel in CHANNELS.items() if channel.addressed]
_BY_HAND = [(each.value, each.label) for each in (Reason.OPERATOR, Reason.STOP, Reason.BOUNCE, Reason.COMPLAINT)]


class AddressForm(forms.Form):
    """An address in any spelling of its channel."""

    channel = forms.ChoiceField(choices=_CHANNELS, widget=UnfoldAdminSelectWidget)
    address = forms.CharField(
        max_length=4096, widget=UnfoldAdminTextInputWidget(attrs={"autocomplete": "off", "spellcheck": "false"})
    )

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        if "channel" in cleaned and "address" in cleaned:
            try:
                cleaned["address"] = addresses.normalise(cleaned["channel"], cleaned["address"])
            except addresses.InvalidAddress as error:
                self.add_error("address", str(error))
        return cleaned


class AddForm(AddressForm):
    reason = forms.ChoiceField(choices=_BY_HAND, widget=UnfoldAdminSelectWidget)


class LiftForm(forms.Form):
    why = forms.ChoiceField(label="Why", choices=[("", "Choose…"), *_WHY], widget=UnfoldAdminSelectWidget)


class SuppressionAdmin(ReadOnlyAdmin):
    """Only a fingerprint of each address is kept, so that it outlives its owner's erasure."""

    empty_says = "Addresses that bounce, complain or ask to stop stand here, and get nothing more."
    list_display = ["channel_words", "why", "how", "by", "at"]
    list_filter = ["channel", "reason", "source"]
    list_before_template = "preferences/admin/suppression_lookup.html"
    ordering = ["-pk"]

    def has_add_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("preferences.add_suppression")

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view
        return [
            path("find/", view(require_POST(self.find_view)), name="preferences_suppression_find"),
            path("<int:pk>/lift/", view(require_POST(self.lift_view)), name="preferences_suppression_lift"),
            *super().get_urls(),
        ]

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        may_import = request.user.has_perms(("preferences.add_import", "preferences.add_suppression"))
        return super().changelist_view(request, {"lookup": AddressForm(), "may_import": may_import})

    def find_view(self, request: HttpRequest) -> HttpResponse:
        """Find by an address. It travels in the request's body, so that no log of ours or a proxy's has it."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        form = AddressForm(request.POST)
        if not form.is_valid():
            return self._page(request, "suppression_find.html", "Find a suppression", lookup=form)
        channel, address = form.cleaned_data["channel"], form.cleaned_data["address"]
        found = suppressions.find(channel, address)
        target = f"suppression:{found.pk}" if found else "suppression:none"
        audit.record(actor(request), "suppression.looked_up", target, ip=client_ip(request), channel=channel)
        if found is not None:
            return redirect("admin:preferences_suppression_change", found.pk)
        shown = f"{CHANNELS[channel].name}: {addresses.mask(channel, address)}"
        return self._page(request, "suppression_find.html", "Not suppressed", lookup=AddressForm(), shown=shown)

    def add_view(
        self, request: HttpRequest, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Suppress one address."""
        if not self.has_add_permission(request):
            raise PermissionDenied
        form = AddForm(request.POST or None)
        if request.method != "POST" or not form.is_valid():
            return self._page(request, "suppression_add.html", "Suppress an address", form=form)
        wanted = Unwanted(form.cleaned_data["channel"], form.cleaned_data["address"], form.cleaned_data["reason"])
        news = suppressions.suppress_by_hand(wanted, origin=_origin(request))
        row = suppressions.find(wanted.channel, wanted.address)
        if news:
            messages.success(request, f"Nothing goes to {addresses.mask(wanted.channel, wanted.address)} any more.")
        else:
            messages.info(request, "It was suppressed already, and keeps its first reason.")
        return redirect("admin:preferences_suppression_change", row.pk if row else 0)

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Show one, and a way to lift it."""
        row: Suppression | None = self.get_object(request, object_id)
        if not self.has_view_permission(request, row):
            raise PermissionDenied
        if row is None:
            messages.warning(request, "This suppression is there no more.")
            return redirect("admin:preferences_suppression_changelist")
        form = LiftForm() if _may_lift(request) else None
        return self._page(request, "suppression.html", str(row.get_channel_display()), **self._facts(row), form=form)

    def lift_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Let an address be used again."""
        row: Suppression | None = self.get_object(request, str(pk))
        if not _may_lift(request):
            raise PermissionDenied
        form = LiftForm(request.POST)
        if row is not None and not form.is_valid():
            return self._page(
                request, "suppression.html", str(row.get_channel_display()), **self._facts(row), form=form
            )
        if row is None:
            messages.warning(request, "This suppression is there no more.")
        elif suppressions.lift_by_hand(row, why=form.cleaned_data["why"], origin=_origin(request)):
            messages.success(request, "It is lifted: the address may be used again.")
        else:
            messages.warning(request, "It is lifted, but its owner asked to stop, too: that stays.")
            return redirect("admin:preferences_suppression_change", pk)
        return redirect("admin:preferences_suppression_changelist")

    @admin.display(description="Channel", ordering="channel")
    def channel_words(self, row: Suppression) -> str:
        return str(row.get_channel_display())

    @display(
        description="Why",
        ordering="reason",
        label={"Hard bounce": "danger", "Complaint": "danger", "Asked to stop": "warning", "Erased": "info"},
    )
    def why(self, row: Suppression) -> str:
        return str(row.get_reason_display())

    @admin.display(description="How we know", ordering="source")
    def how(self, row: Suppression) -> str:
        return _SOURCES.get(row.source, row.source) or "–"

    @admin.display(description="By")
    def by(self, row: Suppression) -> str:
        kind, _, name = row.actor.partition(":")
        return f"Account {name}" if kind == "account" else who(row.actor) if row.actor else "–"

    @admin.display(description="When", ordering="created_at")
    def at(self, row: Suppression) -> str:
        return moment(row.created_at)

    def _facts(self, row: Suppression) -> dict[str, Any]:
        facts = {"Channel": self.channel_words(row), "How we know": self.how(row), "By": self.by(row)}
        return {"row": row, "facts": facts, "at": moment(row.created_at), "why": self.why(row)}

    def _page(self, request: HttpRequest, template: str, title: str, **context: Any) -> HttpResponse:
        context |= {**self.admin_site.each_context(request), "opts": self.opts, "title": title}
        context["may_add"] = self.has_add_permission(request)
        return TemplateResponse(request, f"preferences/admin/{template}", context)


def _may_lift(request: HttpRequest) -> bool:
    return request.user.has_perms(("preferences.view_suppression", "preferences.delete_suppression"))


def _origin(request: HttpRequest) -> Origin:
    agent = request.headers.get("User-Agent", "")
    return Origin(source="admin", actor=actor(request), ip=client_ip(request), agent=agent)
