"""What a batch needs to know beside its own rows: a statement a question, whatever the size of the batch.

Read afresh for every batch: a broadcast that is paused, or a category that changed, counts at once.
"""

from collections.abc import Iterable, Sequence
from functools import cache
from typing import Any
from uuid import UUID

from django.db import connection
from django.db.models import Model

from notifications.models import Broadcast, Delivery, Lane, Notification
from preferences.models import Category
from project.foundation import bulk
from templates_app.models import Template, Type


def attach_broadcasts(notifications: Sequence[Notification]) -> None:
    """Give each notification its broadcast, one object for all of the same. One query, none without broadcasts."""
    found = broadcasts({each.broadcast_id for each in notifications})
    for notification in notifications:
        if notification.broadcast_id is not None:
            notification._state.fields_cache["broadcast"] = found.get(notification.broadcast_id)


def broadcasts(ids: Iterable[UUID | None]) -> dict[UUID, Broadcast]:
    """Return broadcasts by id. One query, none for no ids; None stands for none."""
    return bulk.by_key(Broadcast, {id for id in ids if id is not None})


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


def alike(one: Type, other: Type) -> bool:
    """Tell whether two readings of a type, its category and its template found the same."""
    pairs = ((one, other), (one.category, other.category), (one.template, other.template))
    return all(_stored(first) == _stored(second) for first, second in pairs)


def _stored(row: Model | None) -> dict[str, Any]:
    return {name: value for name, value in row.__dict__.items() if name != "_state"} if row is not None else {}


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
    inherited = [(id, delivery) for delivery in deliveries if (id := delivery.broadcast_id) is not None]
    told = broadcasts({id for id, _ in inherited})
    same = {pk: _of_broadcast(broadcast) for pk, broadcast in told.items()}
    for broadcast_id, delivery in inherited:
        row = bulk.like(same[broadcast_id], id=delivery.notification_id, user_id=delivery.user_id)
        row._state.fields_cache["broadcast"] = told[broadcast_id]
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
