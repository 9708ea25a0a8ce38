"""How far a broadcast is, in people: each of them is counted once, by the furthest that anything of theirs came."""

from dataclasses import dataclass

from django.db.models import Case, Count, IntegerField, Max, Q, When

from notifications import tracking
from notifications.models import Broadcast, Delivery, Notification

Status = Delivery.Status
_PENDING, _SENT, _DELIVERED, _OPENED, _CLICKED = range(1, 6)
_RANKS = {
    _PENDING: tracking.OPEN,
    _SENT: {Status.SENT, Status.COMPLAINED},
    _DELIVERED: {Status.DELIVERED},
    _OPENED: {Status.OPENED},
    _CLICKED: {Status.CLICKED},
}
# A broadcast's people are planned at once, so "scheduled" are those whose messages wait for quiet hours to end.
_GOING = (Notification.Status.COMPLETED, Notification.Status.PROCESSING, Notification.Status.SCHEDULED)
_PUT_TO_THE_RULES = Q(shared_decisions__isnull=False) | Q(decisions__isnull=False)


@dataclass(frozen=True)
class Progress:
    """In the end, `total` is `sent` + `failed` + `skipped` + `cancelled` + `expired`."""

    total: int | None  # null until the audience is known
    planned: int  # put to the rules
    queued: int  # planned, nothing has left yet, and something still may
    sent: int  # something left, or lies in the inbox
    delivered: int  # of those sent
    opened: int  # of those delivered
    clicked: int  # of those opened
    failed: int  # nothing arrived, and something failed or came back
    skipped: int  # the rules left nothing to send
    cancelled: int
    expired: int

    @property
    def done(self) -> int:
        """People for whom nothing is left to do before the first message leaves."""
        return self.sent + self.failed + self.skipped + self.cancelled + self.expired


def of(broadcast: Broadcast) -> Progress:
    """Count. Two queries, each over the broadcast's own rows."""
    noted, planned = _by_status(broadcast)
    ranks = _by_rank(broadcast)
    reached = {rank: sum(count for other, count in ranks.items() if other >= rank) for rank in _RANKS}
    states = Notification.Status
    pending, sent = ranks[_PENDING], reached[_SENT]
    cancelled = noted.get(states.CANCELLED, 0)
    if broadcast.status == Broadcast.Status.CANCELLED:
        cancelled += (broadcast.total or 0) - broadcast.noted
    return Progress(
        total=broadcast.total,
        planned=planned,
        queued=pending,
        sent=sent,
        delivered=reached[_DELIVERED],
        opened=reached[_OPENED],
        clicked=reached[_CLICKED],
        failed=noted.get(states.FAILED, 0),
        # Between the two queries somebody may have moved on.
        skipped=max(0, sum(noted.get(status, 0) for status in _GOING) - sent - pending),
        cancelled=cancelled,
        expired=noted.get(states.EXPIRED, 0),
    )


def _by_status(broadcast: Broadcast) -> tuple[dict[str, int], int]:
    """Return how many notifications are in each status, and how many of all were put to the rules."""
    rows = Notification.objects.filter(broadcast=broadcast).order_by().values("status")
    counted = rows.annotate(count=Count("id"), planned=Count("id", filter=_PUT_TO_THE_RULES))
    found = list(counted.values_list("status", "count", "planned"))
    return {status: count for status, count, _ in found}, sum(planned for *_, planned in found)


def _by_rank(broadcast: Broadcast) -> dict[int, int]:
    """Return how many people came how far."""
    rank = Case(
        *(When(status__in=statuses, then=rank) for rank, statuses in _RANKS.items()),
        default=0,
        output_field=IntegerField(),
    )
    people = Delivery.objects.filter(broadcast=broadcast).order_by().values("notification_id")
    furthest = people.annotate(rank=Max(rank))
    counted = furthest.aggregate(**{f"rank_{rank}": Count("rank", filter=Q(rank=rank)) for rank in _RANKS})
    return {rank: counted[f"rank_{rank}"] for rank in _RANKS}
