"""The one address that a message is for, where the rules are not asked which: the question to confirm it."""

from uuid import UUID

from notifications.models import Notification
from templates_app.models import Type

CONFIRMATION = "ADDRESS_CONFIRMATION"  # the type of such questions


def of(notification: Notification, type_: Type) -> UUID | None:
    """Return the contact point that a question goes to, as its payload names it; None for every other message."""
    if type_.key != CONFIRMATION:
        return None
    named = notification.content.get("contact_point")
    return UUID(named) if named else None
