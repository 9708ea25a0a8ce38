"""The second act: due notifications become decisions, deliveries and inbox items, up to CLAIM_SIZE at a time."""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

from django.conf import settings
from django.db import transaction
from django.db.models import prefetch_related_objects

from notifications import doorbell, leases, messages, schedules, tracking
from notifications.inbox import feed, hub
from notifications.models import Broadcast, Delivery, Event, Mode, Notification
from preferences.channels import CHANNELS
from preferences.decisions import ContactPointFacts, Facts, Person, Verdict, decide_each
from preferences.loading import category_facts, load_people
from project.foundation import bulk, ids
from templates_app.models import Type
from templates_app.rendering import RenderError

logger = logging.getLogger(__name__)

POISON_AFTER = 3  # leases that ran out: whoever plans this row dies of it
_PARKED = timedelta(days=366)  # should it come due all the same, it is looked at and parked again
_WRITTEN = ["status", "decisions", "template_version", "due_at", "lease", "leased_until", "recoveries"]


@dataclass
class Plan:
    """What one notification becomes."""

    notification: Notification
    status: str = ""
    version_id: int | None = None
    decisions: list[dict[str, Any]] = field(default_factory=list)
    deliveries: list[Delivery] = field(default_factory=list)
    item: feed.NewItem | None = None
    error: str = ""
    parked: bool = False  # its broadcast is paused: it stays as it is, out of the queue


def plan_due(*, lane: int | None = None) -> int:
    """Plan one batch of due notifications, of any lane or of one; return how many were taken up."""
    claim = leases.claim(Notification, limit=settings.CLAIM_SIZE, lane=lane)
    if claim.rows:
        prefetch_related_objects(claim.rows, "broadcast")
        people = load_people({notification.user_id for notification in claim.rows})
        types = _types({notification.type_id for notification in claim.rows})
        plans = [_plan(notification, people, types, claim.now) for notification in claim.rows]
        _store(plans, claim)
    return len(claim.rows)


def _types(pks: set[int]) -> dict[int, Type]:
    return Type.objects.select_related("category", "template").in_bulk(pks)


def _plan(notification: Notification, people: Mapping[int, Person], types: Mapping[int, Type], now: datetime) -> Plan:
    """Plan one notification. Whatever goes wrong with it stays with it: the batch goes on."""
    if notification.recoveries >= POISON_AFTER:
        return Plan(notification, Notification.Status.FAILED, error="Planning this notification ended its worker.")
    if notification.expires_at is not None and notification.expires_at <= now:
        return Plan(notification, Notification.Status.EXPIRED)
    if notification.broadcast is not None and notification.broadcast.status == Broadcast.Status.CANCELLED:
        return Plan(notification, Notification.Status.CANCELLED, error="by_caller")
    if notification.broadcast is not None and notification.broadcast.status == Broadcast.Status.PAUSED:
        return Plan(notification, parked=True)
    try:
        return _decide(notification, people[notification.user_id], types[notification.type_id], now)
    except Exception as error:
        logger.exception("plan.failed", extra={"notification": str(notification.id)})
        return Plan(notification, Notification.Status.FAILED, error=f"Planning failed: {type(error).__name__}.")


def _decide(notification: Notification, person: Person, type_: Type, now: datetime) -> Plan:
    preferred = tuple(notification.channels_preferred or ())
    facts = Facts(person, category_facts(type_.category), now, type_.key, preferred)
    plan = Plan(notification, version_id=_version_id(notification, type_))
    for channel in preferred or CHANNELS:
        for point, verdict in decide_each(facts, channel):
            plan.decisions.append(_decision(channel, point, verdict, now))
            if verdict.allowed or _worth_a_row(verdict, channel, facts):
                plan.deliveries.append(_delivery(notification, type_, channel, point, verdict, now))
    for delivery in plan.deliveries:
        if delivery.channel == "in_app" and delivery.mode == Mode.LIVE and delivery.status == tracking.Status.QUEUED:
            _put_into_inbox(plan, delivery, person, type_, now)
    plan.status = tracking.summary(delivery.status for delivery in plan.deliveries)
    return plan


def _version_id(notification: Notification, type_: Type) -> int | None:
    if notification.broadcast is not None:
        return notification.broadcast.template_version_id
    return type_.template.published_id if type_.template else None


def _decision(channel: str, point: ContactPointFacts | None, verdict: Verdict, now: datetime) -> dict[str, Any]:
    return {
        "channel": channel,
        "contact_point_id": str(point.id) if point else None,
        "allowed": verdict.allowed,
        "rule": verdict.rule,
        "source": verdict.source,
        "reason": verdict.reason,
        "text": verdict.text,
        "when": now.astimezone(UTC).isoformat().replace("+00:00", "Z") if verdict.allowed else None,
        "held_until": None,
    }


def _worth_a_row(verdict: Verdict, channel: str, facts: Facts) -> bool:
    """Tell whether a skip is kept as a delivery too: when somebody asked for the channel, or said no to it.

    The rest (no default, no address, nobody asked) stands in the decisions; a row each would double the history.
    """
    asked = channel in facts.preferred or channel in facts.category.required
    return asked or verdict.rule not in {"channel_default", "category_default", "no_contact_point", "disabled"}


def _delivery(
    notification: Notification,
    type_: Type,
    channel: str,
    point: ContactPointFacts | None,
    verdict: Verdict,
    now: datetime,
) -> Delivery:
    return Delivery(
        id=ids.derived_id(notification.id, 0, channel, point.id if point else ""),
        notification_id=notification.id,
        user_id=notification.user_id,
        type_id=type_.pk,
        broadcast_id=notification.broadcast_id,
        mode=notification.mode,
        lane=notification.lane,
        channel=channel,
        contact_point_id=point.id if point else None,
        status=tracking.Status.QUEUED if verdict.allowed else tracking.Status.SKIPPED,
        reason=verdict.reason,
        due_at=now if verdict.allowed else None,
        expires_at=_expiry(notification, type_, channel, now) if verdict.allowed else None,
    )


def _expiry(notification: Notification, type_: Type, channel: str, now: datetime) -> datetime:
    own = now + schedules.life(channel, type_.expires_after)
    return min(own, notification.expires_at) if notification.expires_at else own


def _put_into_inbox(plan: Plan, delivery: Delivery, person: Person, type_: Type, now: datetime) -> None:
    """Render the in-app item now: it is delivered by the commit that stores it."""
    notification = plan.notification
    delivery.due_at = None
    try:
        content = messages.inbox_content(notification, person, type_, plan.version_id)
    except RenderError as error:
        delivery.status, delivery.dead, delivery.error = tracking.Status.FAILED, True, f"render: {error}"[:500]
        return
    delivery.status, delivery.sent_at, delivery.delivered_at = tracking.Status.DELIVERED, now, now
    plan.item = feed.NewItem(
        id=delivery.id,
        user_pk=person.pk,
        notification_id=notification.id,
        type_key=type_.key,
        category_id=type_.category_id,
        category_key=type_.category.key,
        priority=notification.priority,
        content=content,
        why=f"You get this because of {type_.category.name} in your notification settings."[:300],
        created_at=now,
    )


@transaction.atomic
def _store(plans: Sequence[Plan], claim: leases.Claim[Notification]) -> None:
    """Write the plans of the notifications that are still ours, in a constant number of statements."""
    held = leases.still_held(Notification, [plan.notification.id for plan in plans], claim.token)
    _park([plan.notification for plan in plans if plan.parked and plan.notification.id in held], claim.now)
    kept = [plan for plan in plans if plan.notification.id in held and not plan.parked]
    for plan in kept:
        _close(plan)
    deliveries = [delivery for plan in kept for delivery in plan.deliveries]
    frames = feed.add_items([plan.item for plan in kept if plan.item])
    bulk.insert(deliveries)
    bulk.insert([event for plan in kept for event in _events(plan, claim.now)])
    bulk.update([plan.notification for plan in kept], _WRITTEN)
    transaction.on_commit(partial(hub.publish, frames))
    for channel in {delivery.channel for delivery in deliveries if delivery.due_at}:
        doorbell.ring(channel)


def _park(notifications: Sequence[Notification], now: datetime) -> None:
    """Take out of the queue what a paused broadcast has in it. Resuming puts it back: see notifications.fanout."""
    for notification in notifications:
        notification.due_at, notification.lease, notification.leased_until = now + _PARKED, None, None
    bulk.update(notifications, ["due_at", "lease", "leased_until"])


def _close(plan: Plan) -> None:
    notification = plan.notification
    notification.status = plan.status
    notification.decisions = plan.decisions if plan.status != Notification.Status.CANCELLED else None
    notification.template_version_id = plan.version_id
    notification.due_at, notification.lease, notification.leased_until = None, None, None
    notification.recoveries = 0


def _events(plan: Plan, now: datetime) -> list[Event]:
    if not plan.deliveries:
        kind = "planned" if plan.decisions else plan.status
        return [Event(notification_id=plan.notification.id, kind=kind, at=now, detail=plan.error)]
    return [
        Event(
            notification_id=plan.notification.id,
            delivery_id=delivery.id,
            kind=delivery.status,
            at=now,
            detail=delivery.error or delivery.reason,
        )
        for delivery in plan.deliveries
    ]
