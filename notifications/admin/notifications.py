from typing import Any
from uuid import UUID

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import URLPattern

from notifications.admin import detail, why, words
from notifications.models import Notification
from preferences.admin.base import ReadOnlyAdmin, display, moment
from project.foundation.ids import created_at


class NotificationAdmin(ReadOnlyAdmin):
    """What was asked for, what the rules said, what became of it."""

    tells_of = "user_id"
    empty_says = "What your services ask for by the API stands here, with what became of it."
    list_display = ["at", "user", "type", "status_pill", "priority_word", "caller_name", "mode_pill"]
    list_filter = ["status", "mode", "priority"]
    list_select_related = ["user", "type", "caller"]
    search_fields = ["user__user_id"]
    search_help_text = "User id, or a notification id"

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Notification], search_term: str
    ) -> tuple[QuerySet[Notification], bool]:
        try:
            return queryset.filter(id=UUID(search_term.strip())), False
        except ValueError:
            return super().get_search_results(request, queryset, search_term)

    def has_why_permission(self, request: HttpRequest) -> bool:
        return why.may_ask(request)

    def get_urls(self) -> list[URLPattern]:
        return [*why.WhyPages(self).urls(), *super().get_urls()]

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Show one notification: a page to read, so no form."""
        notification = self.get_object(request, object_id)
        if not self.has_view_permission(request, notification):
            raise PermissionDenied
        if notification is None:
            raise Http404
        self.note_look(request, notification)
        context = {
            **self.admin_site.each_context(request),
            "title": f"{notification.type} to {notification.user}",
            "opts": self.opts,
            "notification": notification,
            "status": words.status(notification),
            "pill": words.pill(words.status(notification)),
            "detail": detail.of(notification),
            "may_ask": why.may_ask(request),
        }
        return TemplateResponse(request, "notifications/admin/notification.html", context)

    @admin.display(description="When", ordering="id")
    def at(self, notification: Notification) -> str:
        return moment(created_at(notification.id))

    @display(description="Status", ordering="status", label=words.PILLS)
    def status_pill(self, notification: Notification) -> str:
        return words.status(notification)

    @admin.display(description="Priority", ordering="lane")
    def priority_word(self, notification: Notification) -> str:
        return str(notification.get_priority_display())

    @admin.display(description="From")
    def caller_name(self, notification: Notification) -> str:
        return notification.caller.name if notification.caller else "Carillon"

    @display(description="Mode", label={"Live": "primary", "Test": ""})
    def mode_pill(self, notification: Notification) -> str:
        return str(notification.get_mode_display())
