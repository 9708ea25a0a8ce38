"""The second act: due notifications become decisions, deliveries and inbox items, up to CLAIM_SIZE at a time."""

import logging
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from uuid import UUID

from django.conf import settings
from django.db import transaction

from notifications import (
    caps,
    digest_content,
    digests,
    doorbell,
    gathering,
    history,
    leases,
    messages,
    timing,
    tracking,
)
from notifications.inbox import feed, hub
from notifications.models import Broadcast, Delivery, Event, Mode, Notification
from notifications.outlines import Outlines
from notifications.plans import Plan, Written
from preferences.decisions import Person
from preferences.loading import load_people
from project.foundation import bulk
from templates_app.models import Type
from templates_app.rendering import RenderError

logger = logging.getLogger(__name__)

POISON_AFTER = 3  # leases that ran out: whoever plans this row dies of it
_DEADLY = "Planning this notification ended its worker."
_PARKED = timedelta(days=366)  # should it come due all the same, it is looked at and parked again
_WRITTEN = [
    "status", "planned_at", "shared_decisions", "contact_points", "decisions", "template_version", "due_at", "lease",
    "leased_until", "recoveries",
]  # fmt: skip


@dataclass(frozen=True)
class _Known:
    """What a batch needs to know, at one moment."""

    now: datetime
    people: Mapping[int, Person]
    types: Mapping[int, Type]
    outlines: Outlines
    digests: Mapping[UUID, digest_content.Content | None]  # of those that are due, by their notification


def plan_due(*, lane: int | None = None) -> int:
    """Plan one batch of due notifications, of any lane or of one; return how many were taken up."""
    claim = leases.claim(Notification, limit=settings.CLAIM_SIZE, lane=lane)
    if claim.rows:
        gathering.attach_broadcasts(claim.rows)
        people = load_people({notification.user_id for notification in claim.rows})
        types = gathering.types({notification.type_id for notification in claim.rows})
        known = _Known(claim.now, people, types, Outlines(claim.now), _digests(claim, people, types))
        _store([_plan(notification, known) for notification in claim.rows], claim)
    return len(claim.rows)


def write_planned(notifications: Sequence[Notification], now: datetime, *, take_up: bool) -> list[Written]:
    """Write new notifications of a running broadcast with their plans, inside the caller's transaction.

    They were never due for planning, so none is claimed and none written twice. What they do to this process they would
    do to the next, too: whoever calls this remembers that it was tried.

    `take_up`: what is due at once is written under this process's lease, and returned by channel: it need not be found
    again, nor the people it is for.
    """
    gathering.attach_broadcasts(notifications)
    people = load_people({notification.user_id for notification in notifications})
    types = gathering.types({notification.type_id for notification in notifications})
    known = _Known(now, people, types, Outlines(now), {})
    plans = [_plan(notification, known) for notification in notifications]
    caps.apply(plans, token=None, now=now)
    for plan in plans:
        _close(plan, now)
    written = _taken_up(plans, known) if take_up else []
    _write_shared(plans)
    bulk.insert([plan.notification for plan in plans])
    _write_rest(plans, now)
    return written


def _taken_up(plans: Sequence[Plan], known: _Known) -> list[Written]:
    by_channel: dict[str, list[Delivery]] = defaultdict(list)
    for plan in plans:
        for delivery in plan.deliveries:
            if (
                delivery.status == tracking.Status.QUEUED
                and delivery.due_at is not None
                and delivery.due_at <= known.now
            ):
                by_channel[delivery.channel].append(delivery)
    by_channel.pop("in_app", None)  # what is late there goes through no provider
    notifications = {plan.notification.id: plan.notification for plan in plans}
    alone = all(_only_one_goes_out(plan) for plan in plans)
    return [
        Written(channel, leases.taken_up(rows, known.now), notifications, known.people, known.types, alone)
        for channel, rows in by_channel.items()
    ]


def _only_one_goes_out(plan: Plan) -> bool:
    """Tell whether one delivery alone says what becomes of the notification."""
    return (
        len(plan.deliveries) == 1
        or [each.status == tracking.Status.SKIPPED for each in plan.deliveries].count(False) < 2
    )


def preview(notification: Notification, now: datetime) -> Plan:
    """Return what a notification would become now, by the same rules. Reading only; frequency caps come after it."""
    people, types = load_people({notification.user_id}), gathering.types({notification.type_id})
    plan = _decide(notification, notification.broadcast, _Known(now, people, types, Outlines(now), {}))
    notification.template_version_id = plan.version_id
    return plan


def _digests(
    claim: leases.Claim[Notification], people: Mapping[int, Person], types: Mapping[int, Type]
) -> dict[UUID, digest_content.Content | None]:
    """Return what is told in those that are digests. No statement where none is."""
    told_as = {pk for pk, type_ in types.items() if type_.key == timing.DAILY_DIGEST}
    due = {each.id: people[each.user_id] for each in claim.rows if each.type_id in told_as and each.user_id in people}
    return digest_content.of(digests.close(list(due), claim.now), due, claim.now) if due else {}


def _plan(notification: Notification, known: _Known) -> Plan:
    """Plan one notification. Whatever goes wrong with it stays with it: the batch goes on."""
    if notification.recoveries > POISON_AFTER:
        return Plan(notification, Notification.Status.FAILED, error=_DEADLY)
    if notification.expires_at is not None and notification.expires_at <= known.now:
        return Plan(notification, Notification.Status.EXPIRED)
    broadcast, person = notification.broadcast, known.people.get(notification.user_id)
    if broadcast is not None:
        if broadcast.status == Broadcast.Status.CANCELLED:
            return Plan(notification, Notification.Status.CANCELLED, error="by_caller")
        if broadcast.status == Broadcast.Status.PAUSED:
            return Plan(notification, parked=True)
    if person is not None and person.erased:
        return Plan(notification, Notification.Status.CANCELLED, error="erased")
    try:
        return _decide(notification, broadcast, known)
    except Exception as error:
        logger.exception("plan.failed", extra={"notification": str(notification.id)})
        return Plan(notification, Notification.Status.FAILED, error=f"Planning failed: {type(error).__name__}.")


def _decide(notification: Notification, broadcast: Broadcast | None, known: _Known) -> Plan:
    person, type_ = known.people[notification.user_id], known.types[notification.type_id]
    is_digest = notification.id in known.digests if known.digests else False
    if is_digest:
        if (told := known.digests[notification.id]) is None:
            return Plan(notification, Notification.Status.CANCELLED, error="Nothing was left to tell.")
        notification.channels_preferred, notification.payload = told.channels, told.payload
    outline = known.outlines.of(notification, person, type_)
    contact_points, deliveries = outline.filled_in(notification, person)
    plan = Plan(
        notification,
        person=person,
        type=type_,
        is_digest=is_digest,
        version_id=broadcast.template_version_id if broadcast is not None else _published(type_),
        shared=outline.shared,
        contact_points=contact_points,
        deliveries=deliveries,
        status=outline.status,
    )
    for delivery in plan.deliveries:
        if delivery.channel == "in_app" and delivery.mode == Mode.LIVE and delivery.status == tracking.Status.QUEUED:
            _put_into_inbox(plan, delivery, person, type_, known.now)
            plan.status = tracking.summary([each.status for each in plan.deliveries])
    return plan


def _published(type_: Type) -> int | None:
    return type_.template.published_id if type_.template else None


def _put_into_inbox(plan: Plan, delivery: Delivery, person: Person, type_: Type, now: datetime) -> None:
    """Render the in-app item now: it is delivered by the commit that stores it."""
    notification = plan.notification
    delivery.due_at = None
    if notification.recoveries >= POISON_AFTER:  # what rendering does to a process is all that can have ended it
        delivery.status, delivery.dead, delivery.error = tracking.Status.FAILED, True, _DEADLY
        return
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
        why=feed.why(type_),
        created_at=now,
    )


@transaction.atomic
def _store(plans: Sequence[Plan], claim: leases.Claim[Notification]) -> None:
    """Write the plans of the notifications that are still ours, in a constant number of statements."""
    caps.apply(plans, token=claim.token, now=claim.now)
    for plan in plans:
        if not plan.parked:
            _close(plan, claim.now)
    if parked := [plan.notification for plan in plans if plan.parked]:
        held = leases.still_held(Notification, [notification.id for notification in parked], claim.token)
        _park([notification for notification in parked if notification.id in held], claim.now)
    by_id = {plan.notification.id: plan for plan in plans if not plan.parked}
    rows = [plan.notification for plan in by_id.values()]
    kept = [by_id[row.id] for row in bulk.update_held(rows, _WRITTEN, lease=claim.token)]
    bulk.update([plan.notification for plan in kept if plan.is_digest], ["channels_preferred", "payload"])
    _write_shared(kept)
    _write_rest(kept, claim.now)


def _write_shared(plans: Sequence[Plan]) -> None:
    """Write what the notifications refer to, once for all that are alike."""
    bulk.insert(list({plan.shared.pk: plan.shared for plan in plans if plan.shared is not None}.values()))


def _write_rest(plans: Sequence[Plan], now: datetime) -> None:
    """Write what comes of notifications that are written themselves, and tell whoever waits for it."""
    deliveries = [delivery for plan in plans for delivery in plan.deliveries]
    frames = feed.add_items([plan.item for plan in plans if plan.item])
    bulk.insert(deliveries)
    digests.gather(plans, now)
    bulk.insert([event for plan in plans for event in _events(plan, now)])
    transaction.on_commit(partial(hub.publish, frames))
    for channel in {delivery.channel for delivery in deliveries if delivery.due_at and delivery.lease is None}:
        doorbell.ring(channel)


def _park(notifications: Sequence[Notification], now: datetime) -> None:
    """Take out of the queue what a paused broadcast has in it. Resuming puts it back: see broadcast_stops."""
    for notification in notifications:
        notification.due_at, notification.lease, notification.leased_until = now + _PARKED, None, None
    bulk.update(notifications, ["due_at", "lease", "leased_until"])


def _close(plan: Plan, now: datetime) -> None:
    notification = plan.notification
    notification.status, notification.planned_at = plan.status, now
    notification.shared_decisions_id = plan.shared.pk if plan.shared is not None else None
    notification.contact_points, notification.decisions = plan.contact_points, plan.decisions
    notification.template_version_id = plan.version_id
    notification.due_at, notification.lease, notification.leased_until = None, None, None
    notification.recoveries = 0


def _events(plan: Plan, now: datetime) -> Iterator[Event]:
    """Yield what history.timeline could not tell by the rows themselves."""
    if not plan.deliveries:
        kind = "planned" if plan.decided else plan.status
        yield Event(notification_id=plan.notification.id, kind=kind, at=now, detail=plan.error)
    for delivery in plan.deliveries:
        if not history.tells_of_planning(delivery):
            yield tracking.event(delivery, delivery.status, now, delivery.error or delivery.reason)
