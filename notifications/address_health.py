"""What the outcomes of sending say of people's addresses: a dead one is taken out of use, with its date and reason."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from notifications.models import Delivery, Event
from notifications.providers.base import Outcome
from preferences import contact_points, suppressions
from preferences.consent import Origin
from preferences.suppressions import Reason, Unwanted
from project.foundation import bulk

DISABLED = "contact_point.disabled"  # the kind of the event in a delivery's timeline
STOPPED = "stop"  # the address lives, and its owner asked the provider for no more


@dataclass(frozen=True, slots=True)
class Tried:
    """One delivery, the address it went to, and what became of it."""

    delivery: Delivery
    address: str
    outcome: Outcome


def record(tried: Sequence[Tried], now: datetime) -> None:
    """Disable the addresses that turned out dead, inside the transaction that records the outcomes.

    Outcomes without such an address cost no query. An address that was changed meanwhile stays in use.
    """
    by_reason: dict[str, dict[UUID, Tried]] = defaultdict(dict)
    for one in tried:
        if one.outcome.dead_address and one.delivery.contact_point_id:
            by_reason[one.outcome.dead_address][one.delivery.contact_point_id] = one
    for one in by_reason.pop(STOPPED, {}).values():
        unwanted = Unwanted(one.delivery.channel, one.address, Reason.STOP)
        suppressions.suppress([unwanted], origin=Origin(source="receipt", actor="system"))
    for reason, found in sorted(by_reason.items()):
        sent_to = {id: (one.delivery.channel, one.address) for id, one in found.items()}
        disabled = contact_points.disable_those(sent_to, reason=reason, now=now)
        bulk.insert([_event(found[id].delivery, reason, now) for id in disabled])


def _event(delivery: Delivery, reason: str, now: datetime) -> Event:
    return Event(
        notification_id=delivery.notification_id, delivery_id=delivery.id, kind=DISABLED, at=now, detail=reason
    )
