"""What the outcomes of sending say of people's addresses: a dead one is taken out of use, with its date and reason.

An address is dead when its provider says so, or, being a webhook, when it has failed and done nothing else for
settings.WEBHOOK_DISABLE_AFTER.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime
from uuid import UUID

from django.conf import settings
from django.db.models import F
from msgspec import Struct

from notifications.models import Delivery, Event, Mode, TroubledAddress
from notifications.providers.base import Outcome
from preferences import contact_points, suppressions
from preferences.consent import Origin
from preferences.suppressions import Reason, Unwanted
from project.foundation import bulk

DISABLED = "contact_point.disabled"  # the kind of the event in a delivery's timeline
STOPPED = "stop"  # the address lives, and its owner asked the provider for no more
FAILING = "failing"  # why a webhook is disabled that has only failed for too long


class Tried(Struct, frozen=True):
    """One delivery, the address it went to, and what became of it."""

    delivery: Delivery
    address: str
    outcome: Outcome


def record(tried: Sequence[Tried], now: datetime) -> None:
    """Disable the addresses that turned out dead, inside the transaction that records the outcomes.

    Outcomes without such an address cost no query, but for webhooks. An address changed meanwhile stays in use.
    """
    by_reason: dict[str, dict[UUID, Tried]] = defaultdict(dict)
    for one in tried:
        if one.outcome.dead_address and one.delivery.contact_point_id:
            by_reason[one.outcome.dead_address][one.delivery.contact_point_id] = one
    if failing := _failing_too_long(_webhooks(tried), now):
        by_reason[FAILING] = failing
    for one in by_reason.pop(STOPPED, {}).values():
        unwanted = Unwanted(one.delivery.channel, one.address, Reason.STOP)
        suppressions.suppress([unwanted], origin=Origin(source="receipt", actor="system"))
    for reason, found in sorted(by_reason.items()):
        sent_to = {id: (one.delivery.channel, one.address) for id, one in found.items()}
        disabled = contact_points.disable_those(sent_to, reason=reason, now=now)
        bulk.insert([_event(found[id].delivery, reason, now) for id in disabled])


def _webhooks(tried: Sequence[Tried]) -> dict[UUID, Tried]:
    """Return by contact point what was really sent to webhooks; where several were, one that worked."""
    found: dict[UUID, Tried] = {}
    for one in tried:
        if one.delivery.channel != "webhook" or one.delivery.mode == Mode.TEST or not one.delivery.contact_point_id:
            continue
        before = found.get(one.delivery.contact_point_id)
        if before is None or before.outcome.kind != "accepted":
            found[one.delivery.contact_point_id] = one
    return found


def _failing_too_long(webhooks: Mapping[UUID, Tried], now: datetime) -> dict[UUID, Tried]:
    """Keep since when each webhook fails; return those that have for too long, which begin anew once enabled again."""
    if not webhooks:
        return {}
    failed = {id: one for id, one in webhooks.items() if one.outcome.kind in ("transient", "unknown")}
    rows = TroubledAddress.objects.filter(contact_point__in=webhooks)
    # What was before the address was set is the trouble of another one.
    since = dict(
        rows.exclude(failing_since__lt=F("contact_point__verified_at")).values_list("contact_point_id", "failing_since")
    )
    over = {id: one for id, one in failed.items() if id in since and now - since[id] >= settings.WEBHOOK_DISABLE_AFTER}
    new = [TroubledAddress(contact_point_id=id, failing_since=now) for id in sorted(failed) if id not in since]
    if new:
        TroubledAddress.objects.bulk_create(
            new, update_conflicts=True, unique_fields=["contact_point"], update_fields=["failing_since"]
        )
    if ended := [id for id in sorted(since) if id in over or webhooks[id].outcome.kind == "accepted"]:
        TroubledAddress.objects.filter(contact_point__in=ended).delete()
    return over


def _event(delivery: Delivery, reason: str, now: datetime) -> Event:
    return Event(
        notification_id=delivery.notification_id, delivery_id=delivery.id, kind=DISABLED, at=now, detail=reason
    )
