"""Reading what became of notifications: one question, one place, a constant number of queries."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db.models import Exists, F, OuterRef, QuerySet

from notifications.models import Attempt, CallerNotificationId, Delivery, Event, Notification, ProviderAccount
from preferences import contact_points
from preferences.models import ContactPoint
from project.foundation import ids


@dataclass(frozen=True)
class Facts:
    """What is known of deliveries beside their own rows."""

    addresses: dict[UUID, str]  # masked, by contact point
    providers: dict[int, str]  # by provider account


def visible(*, mode: str, caller_id: int | None) -> "QuerySet[Notification]":
    """Return what one key may see: its caller's notifications of its mode. Carillon's own belong to no caller."""
    if caller_id is None:
        return Notification.objects.none()
    return Notification.objects.filter(mode=mode, caller_id=caller_id).select_related("user", "type")


def find(id: UUID, *, mode: str, caller_id: int | None) -> Notification | None:
    """Return one notification by our id or by the caller's own."""
    rows = visible(mode=mode, caller_id=caller_id)
    found = rows.filter(id=id).first()
    if found is not None or caller_id is None:
        return found
    known = CallerNotificationId.objects.filter(caller_id=caller_id, mode=mode, key=id).first()
    return None if known is None else rows.filter(id=known.notification_id).first()


def public_ids(notification_ids: Iterable[UUID]) -> dict[UUID, UUID]:
    """Return, by our id, the id that a notification's caller knows it by, where the two differ. One query."""
    rows = Notification.objects.filter(id__in=set(notification_ids), caller_notification_id__isnull=False).order_by()
    return {id: own for id, own in rows.values_list("id", "caller_notification_id") if own is not None}


def narrowed(
    rows: "QuerySet[Notification]",
    *,
    user_id: str = "",
    type_key: str = "",
    status: str = "",
    channel: str = "",
    created_after: datetime | None = None,
) -> "QuerySet[Notification]":
    """Narrow to what fits every filter that is given; `channel`: has a delivery on it."""
    if user_id:
        rows = rows.filter(user__user_id=user_id)
    if type_key:
        rows = rows.filter(type__key=type_key)
    if status:
        rows = rows.filter(status=status)
    if created_after is not None:
        rows = rows.filter(id__gte=ids.first_id_at(created_after))
    if channel:
        rows = rows.filter(Exists(Delivery.objects.filter(notification_id=OuterRef("id"), channel=channel)))
    return rows


def deliveries(notification: Notification) -> list[Delivery]:
    """Return its deliveries in the order they were planned. One query, in the one partition they lie in."""
    low, high = ids.time_bounds([notification.id])
    return list(
        Delivery.objects.filter(notification_id=notification.id, id__gte=low, id__lt=high).order_by("step", "id")
    )


def skips(notification: Notification, kept: Iterable[Delivery]) -> list[Delivery]:
    """Return, as deliveries, the channels that were passed over without a row of their own. No queries.

    Planning keeps no row for a channel that nobody asked for; what was decided about it stands in the decisions.
    """
    known = {delivery.id for delivery in kept}
    passed_over = [decision for decision in notification.decided or [] if not decision["allowed"]]
    found = [
        Delivery(
            id=ids.derived_id(notification.id, 0, decision["channel"], decision["contact_point_id"] or ""),
            notification=notification,
            channel=decision["channel"],
            contact_point_id=decision["contact_point_id"] and UUID(decision["contact_point_id"]),
            status=Delivery.Status.SKIPPED,
            reason=decision["reason"],
        )
        for decision in passed_over
    ]
    return [delivery for delivery in found if delivery.id not in known]


def facts(found: list[Delivery]) -> Facts:
    """Return what showing these deliveries needs. Two queries."""
    points = {delivery.contact_point_id for delivery in found if delivery.contact_point_id}
    accounts = {delivery.provider_account_id for delivery in found if delivery.provider_account_id}
    return Facts(
        {point.pk: contact_points.masked(point) for point in ContactPoint.objects.filter(pk__in=points)},
        dict(ProviderAccount.objects.filter(pk__in=accounts).values_list("pk", "provider")),
    )


def planned_at(notification: Notification) -> datetime | None:
    """Return when it was planned; None while it waits for that."""
    if notification.planned_at is None:  # planned by a release that noted it as events alone
        return Event.objects.filter(notification_id=notification.id).order_by("at").values_list("at", flat=True).first()
    return notification.planned_at


def tells_of_planning(delivery: Delivery) -> bool:
    """Tell whether what planning made of a delivery can be read from its row for ever, so that it needs no event."""
    if delivery.channel == "in_app" and delivery.status == Delivery.Status.DELIVERED:
        return True
    return delivery.status == Delivery.Status.QUEUED and not (delivery.reason or delivery.error)


def timeline(notification: Notification, deliveries: Iterable[Delivery]) -> list[dict[str, Any]]:
    """Return what happened, oldest first, beginning with its acceptance. Two queries.

    `deliveries`: those that are stored. What the rows of its deliveries and attempts tell has no event of its own: that
    a delivery was queued when it was planned, or put into the inbox, and when a provider accepted it.
    """
    rows = Event.objects.filter(notification_id=notification.id, id__gte=ids.time_bounds([notification.id])[0])
    events = rows.exclude(kind="accepted").order_by("at", "id").values("at", "delivery_id", "detail", event=F("kind"))
    noted = list(map(dict, events))
    known = {(event["at"], event["delivery_id"]) for event in noted}
    told = [
        event
        for event in _told_by_rows(notification, list(deliveries))
        if (event["at"], event["delivery_id"]) not in known
    ]
    begin = _event(ids.created_at(notification.id), "accepted", None)
    return [begin, *sorted([*told, *noted], key=lambda event: event["at"])]


def _told_by_rows(notification: Notification, deliveries: Sequence[Delivery]) -> Iterator[dict[str, Any]]:
    planned = notification.planned_at
    for delivery in deliveries if planned else ():
        in_inbox = delivery.channel == "in_app" and delivery.delivered_at == planned
        yield _event(planned, "delivered" if in_inbox else "queued", delivery.id)
    accepted = Attempt.objects.filter(delivery_id__in=[delivery.id for delivery in deliveries], outcome="accepted")
    for delivery_id, at in accepted.order_by("id").values_list("delivery_id", "finished_at"):
        yield _event(at, "sent", delivery_id)


def _event(at: datetime | None, name: str, delivery_id: UUID | None) -> dict[str, Any]:
    return {"at": at, "event": name, "delivery_id": delivery_id, "detail": ""}
