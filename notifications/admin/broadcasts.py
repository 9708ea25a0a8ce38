from typing import Any
from uuid import UUID

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path
from django.views.decorators.http import require_POST

from notifications import broadcasts, progress
from notifications.admin import words
from notifications.admin.dashboard import Bar
from notifications.models import Broadcast
from notifications.progress import Progress
from preferences.admin.base import ReadOnlyAdmin, actor, display
from project.foundation.ids import created_at

_REFRESH_SECONDS = 5
_ACTS = {"pause": broadcasts.pause, "resume": broadcasts.resume, "cancel": broadcasts.cancel}
_DONE = {
    "pause": "It is paused.",
    "resume": "It goes on.",
    "cancel": "It is cancelled. What has left cannot be undone.",
}
_UNDER_WAY = {Broadcast.Status.MATERIALISING, Broadcast.Status.RUNNING}


class BroadcastAdmin(ReadOnlyAdmin):
    """What audiences are told, how far that is, and the brakes."""

    list_display = ["at", "title", "type", "audience_words", "status_pill", "reached_words", "caller_name", "mode_pill"]
    list_filter = ["status", "mode"]
    list_select_related = ["type", "caller"]
    search_fields = ["name", "type__key"]

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(require_POST(self.act_view))
        named = [path(f"<uuid:id>/{act}/", view, {"act": act}, name=f"notifications_broadcast_{act}") for act in _ACTS]
        return [*named, *super().get_urls()]

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Show one broadcast: a page to watch, so no form."""
        broadcast = self._find(request, object_id)
        found = progress.of(broadcast)
        may_act = request.user.has_perm("notifications.change_broadcast")
        status = str(broadcast.get_status_display())
        context = {
            **self.admin_site.each_context(request),
            "title": str(broadcast),
            "opts": self.opts,
            "original": broadcast,
            "broadcast": broadcast,
            "created_at": created_at(broadcast.id),
            "audience": self.audience_words(broadcast),
            "status": status,
            "pill": words.pill(status),
            "progress": found,
            "bars": _bars(found),
            "said": {key: broadcast.payload[key] for key in ("title", "body", "link") if broadcast.payload.get(key)},
            "variables": broadcast.payload.get("template_variables") or {},
            "possible": broadcasts.may_be(broadcast) if may_act else set(),
        }
        response = TemplateResponse(request, "notifications/admin/broadcast.html", context)
        if broadcast.status in _UNDER_WAY:
            response["Refresh"] = str(_REFRESH_SECONDS)
        return response

    def act_view(self, request: HttpRequest, id: UUID, act: str) -> HttpResponse:
        """Pause, resume or cancel."""
        if not request.user.has_perm("notifications.change_broadcast"):
            raise PermissionDenied
        broadcast = self._find(request, str(id))
        try:
            _ACTS[act](broadcast, actor=actor(request))
        except broadcasts.WrongState as problem:
            messages.warning(request, problem.detail)
        else:
            messages.success(request, _DONE[act])
        return redirect("admin:notifications_broadcast_change", broadcast.pk)

    @admin.display(description="When", ordering="id")
    def at(self, broadcast: Broadcast) -> object:
        return created_at(broadcast.id)

    @admin.display(description="Name", ordering="name")
    def title(self, broadcast: Broadcast) -> str:
        return str(broadcast)

    @admin.display(description="Audience")
    def audience_words(self, broadcast: Broadcast) -> str:
        match broadcast.audience:
            case {"topic": key}:
                return f"Topic {key}"
            case {"user_ids": count}:
                return f"{count} named"
            case {"filter": wanted}:
                return ", ".join(f"{name}: {_listed(value)}" for name, value in wanted.items())
        return "Everybody"

    @display(description="Status", ordering="status", label=words.PILLS)
    def status_pill(self, broadcast: Broadcast) -> str:
        return str(broadcast.get_status_display())

    @admin.display(description="Reached")
    def reached_words(self, broadcast: Broadcast) -> str:
        return "–" if broadcast.total is None else f"{broadcast.noted:,} of {broadcast.total:,}"

    @admin.display(description="From")
    def caller_name(self, broadcast: Broadcast) -> str:
        return broadcast.caller.name if broadcast.caller else "Carillon"

    @display(description="Mode", label={"Live": "primary", "Test": ""})
    def mode_pill(self, broadcast: Broadcast) -> str:
        return str(broadcast.get_mode_display())

    def _find(self, request: HttpRequest, id: str) -> Broadcast:
        broadcast: Broadcast | None = self.get_object(request, id)
        if not self.has_view_permission(request, broadcast):
            raise PermissionDenied
        if broadcast is None:
            raise Http404
        return broadcast


def _bars(found: Progress) -> list[Bar]:
    rows = [
        ("Sent", found.sent, "Sent"),
        ("Delivered", found.delivered, "Delivered"),
        ("Opened", found.opened, "Opened"),
        ("Clicked", found.clicked, "Clicked"),
        ("On the way", found.queued, "Queued"),
        ("Skipped", found.skipped, "Skipped"),
        ("Failed", found.failed, "Failed"),
        ("Cancelled", found.cancelled, "Cancelled"),
        ("Expired", found.expired, "Expired"),
    ]
    total = max(found.total or 0, 1)
    return [Bar(label, count, round(100 * count / total), words.pill(word)) for label, count, word in rows if count]


def _listed(value: Any) -> str:
    return " or ".join(map(str, value)) if isinstance(value, list) else str(value)
