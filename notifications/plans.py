"""What a planner makes of notifications before it is written."""

from dataclasses import dataclass, field

from notifications.inbox import feed
from notifications.models import Delivery, Notification
from preferences.decisions import Person
from project.foundation import bulk
from templates_app.models import Type


@dataclass
class Plan:
    """What one notification becomes."""

    notification: Notification
    status: str = ""
    version_id: int | None = None
    decisions: bulk.Json | None = None
    deliveries: list[Delivery] = field(default_factory=list)
    item: feed.NewItem | None = None
    error: str = ""
    parked: bool = False  # its broadcast is paused: it stays as it is, out of the queue
    person: Person | None = None  # and the type: of what was put to the rules
    type: Type | None = None
    is_digest: bool = False  # what it says was found out just now, and is stored with it
