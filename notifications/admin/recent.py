"""The last things a person was told, for their page in the admin."""

from django.template.loader import render_to_string

from notifications.admin import words
from notifications.models import Notification
from preferences.admin.base import moment
from preferences.models import User
from project.foundation.ids import created_at

_SHOWN = 10


def of_user(user: User) -> str:
    """Return the newest notifications of a person as a table. One query."""
    newest = Notification.objects.filter(user=user).select_related("type").order_by("-id")[:_SHOWN]
    rows = [
        {
            "id": row.id,
            "type": row.type,
            "at": moment(created_at(row.id)),
            "status": words.status(row),
            "pill": words.pill(words.status(row)),
            "test": row.mode == "test",
        }
        for row in newest
    ]
    return render_to_string("notifications/admin/recent.html", {"rows": rows, "user": user})
