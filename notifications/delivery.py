"""The third act: due deliveries of one channel go to their provider, FLUSH_SIZE at a time.

Before each sub-batch consent, expiry and cancellation are looked at again and the try is put on record; its outcomes
are committed before the next one begins. So whatever dies, at most one sub-batch a worker is in doubt.
"""

import hashlib
import json
import logging
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.conf import settings
from django.db import transaction

from notifications import accounts, leases, messages, outbox, outcomes, tracking
from notifications.accounts import Account
from notifications.models import Attempt, Delivery, Lane, Notification
from notifications.providers.base import Message, Outcome
from notifications.tracking import Change, Status
from preferences.decisions import ContactPointFacts, Facts, Person, decide_one
from preferences.loading import category_facts, load_people
from project.foundation import bulk, clock, ids
from templates_app.models import Type
from templates_app.rendering import RenderError

logger = logging.getLogger(__name__)

POISON_AFTER = 3  # leases that ran out: whoever sends this row dies of it


@dataclass(frozen=True)
class Known:
    """What a sub-batch needs to know, loaded in a constant number of queries."""

    now: datetime
    notifications: Mapping[object, Notification]
    people: Mapping[int, Person]
    types: Mapping[int, Type]


@dataclass(frozen=True)
class Ready:
    """A delivery that may go out, its message, and the try that will be on record."""

    delivery: Delivery
    caller_id: int | None
    account: Account
    message: Message
    attempt: Attempt
    resend_when_unknown: bool


def deliver_due(channel: str) -> int:
    """Deliver one claim of a channel's due deliveries; return how many were taken up."""
    claim = leases.claim(Delivery, limit=settings.CLAIM_SIZE, channel=channel)
    waiting = claim.rows
    while waiting:
        batch, waiting = waiting[: settings.FLUSH_SIZE], waiting[settings.FLUSH_SIZE :]
        _deliver(batch, claim)
        leases.extend(Delivery, waiting, claim.token)
        if waiting and waiting[0].lane != Lane.HIGH:
            urgent = leases.claim(Delivery, limit=settings.FLUSH_SIZE, channel=channel, lane=Lane.HIGH)
            _deliver(urgent.rows, urgent)
    return len(claim.rows)


def _deliver(batch: Sequence[Delivery], claim: leases.Claim[Delivery]) -> None:
    if not batch:
        return
    ready, changes = _prepare(batch)
    ready = _begin(ready, changes, claim)
    by_account: dict[str, list[Ready]] = defaultdict(list)
    for item in ready:
        by_account[item.account.name].append(item)
    for items in by_account.values():
        results = accounts.send(items[0].account, [item.message for item in items])
        _finish(items, results, claim)


def _prepare(batch: Sequence[Delivery]) -> tuple[list[Ready], list[Change]]:
    """Sort the sub-batch into what may go out and what may not (any more), reading only."""
    known = Known(
        now=clock.now(),
        notifications=Notification.objects.in_bulk({delivery.notification_id for delivery in batch}),
        people=load_people({delivery.user_id for delivery in batch}),
        types=Type.objects.select_related("category").in_bulk({delivery.type_id for delivery in batch}),
    )
    ready: list[Ready] = []
    changes: list[Change] = []
    for delivery in batch:
        decided = _decide(delivery, known)
        if isinstance(decided, Ready):
            ready.append(decided)
        else:
            changes.append(decided)
    return ready, changes


def _decide(delivery: Delivery, known: Known) -> Ready | Change:
    type_ = known.types[delivery.type_id]
    resend = type_.category.unknown_outcome == "resend"
    if delivery.recoveries >= POISON_AFTER:
        return Change(delivery, Status.FAILED, dead=True, error="Sending this message ended its worker.")
    if delivery.expires_at is not None and delivery.expires_at <= known.now:
        return Change(delivery, Status.EXPIRED)
    account = accounts.choose(channel=delivery.channel, mode=delivery.mode)
    if account is None:
        return Change(delivery, Status.HELD, reason="account", error="No provider account can take this channel.")
    if delivery.status == Status.SENDING and not (resend or account.keeps_messages):
        return Change(delivery, Status.UNKNOWN, error="The worker was lost while the provider was called.")
    return _recheck(delivery, known, type_) or _render(delivery, known, type_, account, resend)


def _recheck(delivery: Delivery, known: Known, type_: Type) -> Change | None:
    """Ask consent once more: what the person or an operator said since planning counts."""
    notification, person = known.notifications[delivery.notification_id], known.people[delivery.user_id]
    point = _contact_point(delivery, person)
    if delivery.contact_point_id and point is None:
        return Change(delivery, Status.CANCELLED, reason="opted_out", error="The address was removed.")
    facts = Facts(
        person, category_facts(type_.category), known.now, type_.key, tuple(notification.channels_preferred or ())
    )
    verdict = decide_one(facts, delivery.channel, point)
    if verdict.allowed:
        return None
    return Change(delivery, Status.CANCELLED, reason="erased" if verdict.rule == "erased" else "opted_out")


def _contact_point(delivery: Delivery, person: Person) -> ContactPointFacts | None:
    return next((point for point in person.contact_points if point.id == delivery.contact_point_id), None)


def _render(delivery: Delivery, known: Known, type_: Type, account: Account, resend: bool) -> Ready | Change:
    notification, person = known.notifications[delivery.notification_id], known.people[delivery.user_id]
    try:
        message = messages.compose(delivery, notification, person, type_, _contact_point(delivery, person))
    except RenderError as error:
        return Change(delivery, Status.FAILED, dead=True, error=f"render: {error}")
    except Exception as error:
        logger.exception("delivery.render_failed", extra={"delivery": str(delivery.id)})
        return Change(delivery, Status.FAILED, dead=True, error=f"render: {type(error).__name__}")
    attempt = _attempt(delivery, account, message, person, known.now)
    return Ready(delivery, notification.caller_id, account, message, attempt, resend)


def _attempt(delivery: Delivery, account: Account, message: Message, person: Person, now: datetime) -> Attempt:
    text = json.dumps([message.to, dict(message.parts)], sort_keys=True, ensure_ascii=False)
    return Attempt(
        id=ids.derived_id(delivery.id, "attempt", delivery.attempts + 1),
        delivery_id=delivery.id,
        number=delivery.attempts + 1,
        provider_account_id=account.id,
        started_at=now,
        message_hash=hashlib.sha256(text.encode(errors="replace")).digest(),
        snapshot=messages.user_variables(person),
    )


@transaction.atomic
def _begin(ready: Sequence[Ready], changes: Sequence[Change], claim: leases.Claim[Delivery]) -> list[Ready]:
    """Put on record what will be tried, and what will not; return what is still ours to send."""
    if changes:
        tracking.lock_notifications([change.delivery for change in changes])
    everything = [*(item.delivery for item in ready), *(change.delivery for change in changes)]
    held = leases.still_held(Delivery, [delivery.id for delivery in everything], claim.token)
    going = [item for item in ready if item.delivery.id in held]
    interrupted = [delivery.id for delivery in everything if delivery.status == Status.SENDING and delivery.id in held]
    if interrupted:
        Attempt.objects.filter(delivery_id__in=interrupted, outcome=Attempt.Outcome.OPEN).update(
            outcome=Attempt.Outcome.UNKNOWN, finished_at=claim.now
        )
    tracking.record([change for change in changes if change.delivery.id in held], now=claim.now)
    bulk.insert([item.attempt for item in going])
    tracking.begin([item.delivery for item in going])
    return going


@transaction.atomic
def _finish(items: Sequence[Ready], results: Sequence[Outcome], claim: leases.Claim[Delivery]) -> None:
    """Commit the outcomes of one call. What was taken over meanwhile keeps its attempt, not its status."""
    now = clock.now()
    tracking.lock_notifications([item.delivery for item in items])
    held = leases.still_held(Delivery, [item.delivery.id for item in items], claim.token)
    changes, kept = [], []
    for item, outcome in zip(items, results, strict=True):
        item.attempt.finished_at, item.attempt.outcome = now, outcome.kind
        item.attempt.error = outcome.error[:500]
        if item.delivery.id in held:
            changes.append(outcomes.change(item.delivery, outcome, item.account.id, now, item.resend_when_unknown))
            kept.append(item)
    bulk.update([item.attempt for item in items], ["finished_at", "outcome", "error"])
    tracking.record(changes, now=now)
    outbox.keep([_for_outbox(item) for item in kept if item.account.keeps_messages])


def _for_outbox(item: Ready) -> outbox.Kept:
    delivery = item.delivery
    return outbox.Kept(item.message, delivery.notification_id, delivery.user_id, item.caller_id, delivery.mode)
