from preferences.admin.base import ReadOnlyAdmin, display
from preferences.models import Suppression


class SuppressionAdmin(ReadOnlyAdmin):
    """Addresses nobody may use. Only their fingerprint is kept, so a line cannot say whose it is."""

    empty_says = "Addresses that bounce, complain or ask to stop stand here, and get nothing more."
    list_display = ["channel", "why", "created_at"]
    list_filter = ["channel", "reason"]
    fields = ["channel", "why", "created_at"]
    readonly_fields = ["why"]
    ordering = ["-pk"]

    @display(description="Why", label={"Hard bounce": "danger", "Complaint": "danger", "Asked to stop": "warning"})
    def why(self, suppression: Suppression) -> str:
        return suppression.get_reason_display()
