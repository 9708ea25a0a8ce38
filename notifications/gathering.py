"""What a batch needs to know beside its own rows: a statement a question, whatever the size of the batch.

Read afresh for every batch: a broadcast that is paused, or a category that changed, counts at once.
"""

from collections.abc import Iterable, Sequence
from functools import cache
from uuid import UUID

from django.db import connection

from notifications.models import Broadcast, Notification
from project.foundation import bulk
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


def notifications(ids: Iterable[UUID]) -> dict[UUID, Notification]:
    """Return notifications with their broadcasts, by id. Two queries; what only history shows is not read."""
    wanted = list(ids)
    if connection.vendor != "postgresql":
        found = list(Notification.objects.filter(id__in=wanted))
    else:
        keys = [id.hex for id in wanted]
        found = bulk.select(
            Notification,
            f"SELECT {_columns()} FROM {Notification._meta.db_table}"
            " WHERE id = ANY(%s::uuid[]) AND id BETWEEN %s::uuid AND %s::uuid",
            ["{" + ",".join(keys) + "}", min(keys), max(keys)],
        )
    attach_broadcasts(found)
    return {notification.id: notification for notification in found}


@cache
def _columns() -> str:
    fields = [field for field in Notification._meta.concrete_fields if field.name not in {"decisions", "metadata"}]
    return ", ".join(connection.ops.quote_name(str(field.column)) for field in fields)
