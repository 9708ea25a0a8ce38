"""The outbox: every message as it would have looked."""

import json
from typing import Any

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import URLPattern, path
from django.views.decorators.clickjacking import xframe_options_sameorigin

from notifications.models import OutboxMessage
from preferences import addresses
from preferences.admin.base import ReadOnlyAdmin, display, moment

# A mail may carry any markup: it is shown in a frame of its own that runs nothing and fetches nothing.
_FRAME_POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src data:; sandbox; frame-ancestors 'self'"
_SHOWN_HEADERS = ("From", "To", "Subject", "Date", "Message-ID", "List-Unsubscribe", "List-Unsubscribe-Post")


class OutboxAdmin(ReadOnlyAdmin):
    tells_of = "user_id"
    empty_says = "What a test key sends, and what an outbox account takes, is kept here for seven days."
    list_display = ["at", "user", "channel_pill", "says", "masked_to", "mode_pill"]
    list_filter = ["channel", "mode"]
    list_select_related = ["user"]
    search_fields = ["user__user_id"]
    search_help_text = "User id"

    def get_urls(self) -> list[URLPattern]:
        frame = self.admin_site.admin_view(xframe_options_sameorigin(self.frame_view))
        return [path("<uuid:id>/frame/", frame, name="notifications_outboxmessage_frame"), *super().get_urls()]

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Show one message as it would have looked."""
        message = self._find(request, object_id)
        self.note_look(request, message)
        context = {
            **self.admin_site.each_context(request),
            "title": _summary(message) or "Message",
            "opts": self.opts,
            "message": message,
            "headers": [(name, message.headers[name]) for name in _SHOWN_HEADERS if message.headers.get(name)],
            "pretty": _pretty(message.parts.get("json", "")),
        }
        return TemplateResponse(request, "notifications/admin/outbox_message.html", context)

    def frame_view(self, request: HttpRequest, id: str) -> HttpResponse:
        """Answer with the HTML of a mail, for the frame."""
        message = self._find(request, str(id))
        response = HttpResponse(message.parts.get("html", ""))
        response["Content-Security-Policy"] = _FRAME_POLICY
        return response

    @admin.display(description="When", ordering="id")
    def at(self, message: OutboxMessage) -> str:
        return moment(message.created_at)

    @display(description="Channel", ordering="channel", label=True)
    def channel_pill(self, message: OutboxMessage) -> str:
        return str(message.get_channel_display())

    @admin.display(description="Says")
    def says(self, message: OutboxMessage) -> str:
        return _summary(message)

    @admin.display(description="To")
    def masked_to(self, message: OutboxMessage) -> str:
        return addresses.mask(message.channel, message.to) if message.to else "–"

    @display(description="Mode", ordering="mode", label={"Live": "primary", "Test": ""})
    def mode_pill(self, message: OutboxMessage) -> str:
        return str(message.get_mode_display())

    def _find(self, request: HttpRequest, id: str) -> OutboxMessage:
        message: OutboxMessage | None = self.get_object(request, id)
        if not self.has_view_permission(request, message):
            raise PermissionDenied
        if message is None:
            raise Http404
        return message


def _summary(message: OutboxMessage) -> str:
    parts = message.parts
    text = (
        parts.get("subject") or parts.get("title") or parts.get("text") or parts.get("script") or parts.get("json", "")
    )
    return text if len(text) <= 80 else f"{text[:79]}…"


def _pretty(text: str) -> str:
    try:
        return json.dumps(json.loads(text), indent=2, ensure_ascii=False) if text else ""
    except ValueError:
        return text
