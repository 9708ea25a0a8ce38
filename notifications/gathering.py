"""What a batch needs to know beside its own rows: a statement a question, whatever the size of the batch.

Read afresh for every batch: a broadcast that is paused, or a category that changed, counts at once.
"""

from collections.abc import Iterable, Sequence
from functools import cache
from uuid import UUID

from django.db import connection

from notifications.models import Broadcast, Delivery, Lane, Notification
from preferences.models import Category
from project.foundation import bulk
from templates_app.models import Template, Type


def attach_broadcasts(notifications: Sequence[Notification]) -> None:
    """Give each notification its broadcast, one object for all of the same. One query, none without broadcasts."""
    wanted = {each.broadcast_id for each in notifications if each.broadcast_id is not None}
    broadcasts = bulk.by_key(Broadcast, wanted)
    for notification in notifications:
        if notification.broadcast_id is not None:
            notification._state.fields_cache["broadcast"] = broadcasts.get(notification.broadcast_id)


def types(pks: Iterable[int]) -> dict[int, Type]:
    """Return types with their categories and templates, by key. One query."""
    wanted = set(pks)
    if connection.vendor != "postgresql":
        return Type.objects.select_related("category", "template").in_bulk(wanted)
    found = {}
    keys = "{" + ",".join(map(str, wanted)) + "}"
    for type_, category, template in bulk.select_together((Type, Category, Template), _types(), [keys]):
        type_._state.fields_cache |= {"category": category, "template": template}
        found[type_.pk] = type_
    return found


@cache
def _types() -> str:
    columns = ", ".join(bulk.columns(model, alias) for model, alias in ((Type, "t"), (Category, "c"), (Template, "e")))
    return (
        f"SELECT {columns} FROM {Type._meta.db_table} t JOIN {Category._meta.db_table} c ON c.id = t.category_id"
        f" LEFT JOIN {Template._meta.db_table} e ON e.id = t.template_id WHERE t.id = ANY(%s::bigint[])"
    )


def notifications(deliveries: Sequence[Delivery]) -> dict[UUID, Notification]:
    """Return what each delivery is of, with its broadcast, by id. Two queries; what only history shows is not read.

    A broadcast's notifications are made of what it says and whom it is for: their rows are not read at all.
    """
    found = _read({delivery.notification_id for delivery in deliveries if delivery.broadcast_id is None})
    inherited = [delivery for delivery in deliveries if delivery.broadcast_id is not None]
    broadcasts = bulk.by_key(Broadcast, {delivery.broadcast_id for delivery in inherited})
    alike = {pk: _of_broadcast(broadcast) for pk, broadcast in broadcasts.items()}
    for delivery in inherited:
        row = bulk.like(alike[delivery.broadcast_id], id=delivery.notification_id, user_id=delivery.user_id)
        row._state.fields_cache["broadcast"] = broadcasts[delivery.broadcast_id]
        found.append(row)
    return {notification.id: notification for notification in found}


def _of_broadcast(broadcast: Broadcast) -> Notification:
    return Notification(
        caller_id=broadcast.caller_id,
        mode=broadcast.mode,
        type_id=broadcast.type_id,
        broadcast_id=broadcast.pk,
        priority=broadcast.priority,
        lane=Lane.BULK,
        template_version_id=broadcast.template_version_id,
    )


def _read(ids: Iterable[UUID]) -> list[Notification]:
    keys = [id.hex for id in ids]
    if not keys:
        return []
    if connection.vendor != "postgresql":
        return list(Notification.objects.filter(id__in=[UUID(key) for key in keys]))
    return bulk.select(
        Notification,
        f"SELECT {_columns()} FROM {Notification._meta.db_table}"
        " WHERE id = ANY(%s::uuid[]) AND id BETWEEN %s::uuid AND %s::uuid",
        ["{" + ",".join(keys) + "}", min(keys), max(keys)],
    )


@cache
def _columns() -> str:
    silent = {"decisions", "metadata", "shared_decisions", "contact_points"}
    fields = [field for field in Notification._meta.concrete_fields if field.name not in silent]
    return ", ".join(connection.ops.quote_name(str(field.column)) for field in fields)
