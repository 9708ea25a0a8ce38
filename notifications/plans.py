"""What a planner makes of notifications before it is written."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from msgspec import Struct, field

from notifications.inbox import feed
from notifications.leases import Claim
from notifications.models import Delivery, Notification, SharedDecisions
from preferences.decisions import Person
from templates_app.models import Type


class Plan(Struct):
    """What one notification becomes."""

    notification: Notification
    status: str = ""
    version_id: int | None = None
    shared: SharedDecisions | None = None  # what was decided, and the contact points that are named there
    contact_points: list[str] | None = None
    decisions: list[dict[str, Any]] | None = None  # where something else was decided for this one
    deliveries: list[Delivery] = field(default_factory=list)
    item: feed.NewItem | None = None
    error: str = ""
    parked: bool = False  # its broadcast is paused: it stays as it is, out of the queue
    person: Person | None = None  # and the type: of what was put to the rules
    type: Type | None = None
    is_digest: bool = False  # what it says was found out just now, and is stored with it

    @property
    def decided(self) -> list[dict[str, Any]]:
        """What was decided, channel by channel; nothing where no rule was asked."""
        if self.decisions is not None or self.shared is None:
            return self.decisions or []
        return self.shared.told_of(self.contact_points or ())


@dataclass(frozen=True)
class Written:
    """Deliveries of one channel that were written under a lease of this process, and what they were planned by."""

    channel: str
    claim: Claim[Delivery]  # its rows are those that nobody has begun with
    notifications: Mapping[UUID, Notification]  # with their broadcasts
    people: Mapping[int, Person]
    types: Mapping[int, Type]
    alone: bool  # none of their notifications has another delivery that may go out
