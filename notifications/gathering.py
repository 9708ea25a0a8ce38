"""What a batch needs to know beside its own rows: a statement a question, whatever the size of the batch.

Read afresh for every batch: a broadcast that is paused, or a category that changed, counts at once.
"""

from collections.abc import Iterable, Sequence

from notifications.models import Broadcast, Notification
from templates_app.models import Type


def attach_broadcasts(notifications: Sequence[Notification]) -> None:
    """Give each notification its broadcast, one object for all of the same. One query, none without broadcasts."""
    wanted = {each.broadcast_id for each in notifications if each.broadcast_id is not None}
    broadcasts = Broadcast.objects.in_bulk(wanted) if wanted else {}
    for notification in notifications:
        if notification.broadcast_id is not None:
            notification._state.fields_cache["broadcast"] = broadcasts.get(notification.broadcast_id)


def types(pks: Iterable[int]) -> dict[int, Type]:
    """Return types with their categories and templates, by key. One query."""
    return Type.objects.select_related("category", "template").in_bulk(set(pks))
