from django.contrib import admin

from notifications.models import InboxItem
from preferences.admin.base import ReadOnlyAdmin, display, moment


class InboxItemAdmin(ReadOnlyAdmin):
    """What stands in people's inboxes."""

    tells_of = "user_id"
    empty_says = "What people find in their inbox stands here."
    list_display = ["at", "user", "title", "category", "state"]
    list_filter = ["category"]
    list_select_related = ["user", "category"]
    search_fields = ["user__user_id"]
    search_help_text = "User id"
    fields = ["created_at", "user", "title", "body", "link", "category", "why", "seen_at", "read_at", "archived_at"]
    readonly_fields = ["title", "body", "link"]

    @admin.display(description="When", ordering="id")
    def at(self, item: InboxItem) -> str:
        return moment(item.created_at)

    @admin.display(description="Title")
    def title(self, item: InboxItem) -> str:
        return str(item.content.get("title", ""))

    @admin.display(description="Text")
    def body(self, item: InboxItem) -> str:
        return str(item.content.get("body", ""))

    @admin.display(description="Link")
    def link(self, item: InboxItem) -> str:
        return str(item.content.get("link", ""))

    @display(description="State", label={"Unread": "warning", "Seen": "info", "Read": "success", "Archived": ""})
    def state(self, item: InboxItem) -> str:
        if item.archived_at:
            return "Archived"
        if item.read_at:
            return "Read"
        return "Seen" if item.seen_at else "Unread"
