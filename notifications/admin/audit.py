from django.contrib import admin

from preferences.admin.base import ReadOnlyAdmin, moment, who
from project.foundation.ids import created_at
from project.foundation.models import AuditEvent


class AuditAdmin(ReadOnlyAdmin):
    """Who did what to what, in the admin and by API."""

    empty_says = "Every change made by staff, by the API or by Carillon itself adds a line here."
    list_display = ["at", "who", "did", "target", "about"]
    search_fields = ["actor", "action", "target"]
    search_help_text = "Who, what or to what: “staff:grace”, “key.issued”, “category:offers”"
    fields = ["at", "who", "did", "target", "about", "ip"]
    readonly_fields = ["at", "who", "did", "about"]

    @admin.display(description="When", ordering="id")
    def at(self, event: AuditEvent) -> str:
        return moment(created_at(event.id))

    @admin.display(description="Who", ordering="actor")
    def who(self, event: AuditEvent) -> str:
        return who(event.actor)

    @admin.display(description="Did", ordering="action")
    def did(self, event: AuditEvent) -> str:
        return event.action.replace("_", " ").replace(".", " ").capitalize()

    @admin.display(description="About")
    def about(self, event: AuditEvent) -> str:
        return "; ".join(f"{key}: {_words(value)}" for key, value in event.detail.items()) or "–"


def _words(value: object) -> str:
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)
