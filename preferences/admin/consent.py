from preferences.admin.base import display, moment
from preferences.admin.csv_export import CsvExportAdmin
from preferences.admin.since import Since
from preferences.channels import CHANNELS
from preferences.models import ConsentRecord
from project.foundation.ids import created_at

_SOURCES = {
    "api": "By the API",
    "settings_page": "On the settings page",
    "one_click": "By one-click unsubscribe",
    "admin": "In the admin",
    "inbox": "In the inbox",
    "receipt": "By a provider's report",
    "import": "By a file",
    "erasure": "By an erasure",
}


class ConsentAdmin(CsvExportAdmin):
    """The ledger: who changed what from what to what, and how we know."""

    tells_of = "user_id"
    empty_says = "Each time somebody changes what may reach them, a line is added here."
    list_display = ["at", "user", "about", "became", "how"]
    list_filter = [Since, "source"]
    list_select_related = ["user"]
    search_fields = ["user__user_id"]
    search_help_text = "User id"
    fields = ["at", "user", "about", "old", "new", "how", "actor", "ip", "agent", "wording"]
    readonly_fields = ["at", "about", "how"]
    csv_columns = {
        "at": lambda record: created_at(record.id),
        "user_id": lambda record: record.user.user_id,
        "subject": lambda record: record.subject,
        "old": lambda record: record.old,
        "new": lambda record: record.new,
        "source": lambda record: record.source,
        "actor": lambda record: record.actor,
        "ip": lambda record: record.ip,
        "agent": lambda record: record.agent,
        "wording": lambda record: record.wording,
        "id": lambda record: record.id,
    }

    @display(description="When", ordering="id")
    def at(self, record: ConsentRecord) -> str:
        return moment(created_at(record.id))

    @display(description="What")
    def about(self, record: ConsentRecord) -> str:
        parts = dict(part.split(":", 1) for part in record.subject.split(" × ") if ":" in part)
        channel = CHANNELS[parts["channel"]].name if parts.get("channel") in CHANNELS else ""
        if "mute" in parts:
            return f"Pause: {parts['mute'].replace(':', ' ')}"
        return " · ".join(word for word in (parts.get("category", "Everything"), channel) if word)

    @display(description="Became", label={"Yes": "success", "No": "danger", "No choice": "info"})
    def became(self, record: ConsentRecord) -> str:
        return {"yes": "Yes", "no": "No", "unset": "No choice"}.get(record.new, record.new)

    @display(description="How")
    def how(self, record: ConsentRecord) -> str:
        return _SOURCES.get(record.source, record.source)
