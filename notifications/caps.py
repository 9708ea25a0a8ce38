"""Frequency caps at planning: what is one too many is dropped, or gathered for the daily digest.

Nothing is asked of the database for people without caps. Required channels are neither stopped nor counted, nor is
anything in test mode. A message on several addresses of one channel counts once.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from notifications import addressee, leases, timing, tracking
from notifications.models import Delivery, Mode, Notification
from notifications.plans import Plan
from notifications.tracking import Status
from preferences import frequency_caps
from preferences.decisions import CategoryFacts
from preferences.frequency_caps import Limit
from preferences.loading import category_facts

RULE = "frequency_cap"
_GOING = {Status.QUEUED, Status.SCHEDULED, Status.DELIVERED}


@dataclass(frozen=True)
class _Candidate:
    """One notification on one channel that may go out, and the caps that concern it."""

    plan: Plan
    channel: str
    category: CategoryFacts
    limits: list[Limit]


def apply(plans: Sequence[Plan], *, token: UUID | None, now: datetime) -> None:
    """Count what the plans would send, and change those that go past a cap, inside the caller's transaction.

    Only what the lease `token` still covers is counted; None: all of it. Four statements, none where nobody has caps.
    """
    candidates = [candidate for plan in plans for candidate in _candidates(plan, now)]
    if candidates and token is not None:
        ours = leases.still_held(Notification, {each.plan.notification.id for each in candidates}, token)
        candidates = [each for each in candidates if each.plan.notification.id in ours]
    if not candidates:
        return
    counts = frequency_caps.Counts(limit.key for each in candidates for limit in each.limits)
    for each in candidates:
        reached = counts.take(each.limits)
        if reached is not None:
            _stop(each, reached)
    counts.write()


def _candidates(plan: Plan, now: datetime) -> list[_Candidate]:
    if plan.person is None or plan.type is None or not plan.person.frequency_caps:
        return []
    # The digest itself is not stopped: it is where the surplus goes. Nor is what the person has just asked for.
    if plan.notification.mode == Mode.TEST or plan.type.key in (timing.DAILY_DIGEST, addressee.CONFIRMATION):
        return []
    category = category_facts(plan.type.category)
    going = dict.fromkeys(delivery.channel for delivery in plan.deliveries if delivery.status in _GOING)
    found = [
        _Candidate(plan, channel, category, frequency_caps.limits(plan.person, category.key, channel, now))
        for channel in going
        if channel not in category.required
    ]
    return [each for each in found if each.limits]


def _stop(candidate: _Candidate, reached: Limit) -> None:
    plan, channel = candidate.plan, candidate.channel
    gathered = candidate.category.gathers_overflow and channel != "in_app"
    reason = timing.DIGESTED if gathered else RULE
    for delivery in plan.deliveries:
        if delivery.channel == channel and delivery.status in _GOING:
            _skip(delivery, reason)
    if channel == "in_app":
        plan.item = None
    text = f"{reached.text} {'It waits for your daily digest.' if gathered else 'This would have been one more.'}"
    plan.decisions = plan.decided
    for decision in plan.decisions:
        if decision["channel"] == channel and decision["allowed"]:
            decision |= {"allowed": False, "rule": RULE, "source": "person", "reason": reason, "text": text}
            decision |= {"when": None, "held_until": None}
    plan.status = tracking.summary([delivery.status for delivery in plan.deliveries])


def _skip(delivery: Delivery, reason: str) -> None:
    delivery.status, delivery.reason, delivery.due_at, delivery.expires_at = Status.SKIPPED, reason, None, None
    delivery.sent_at, delivery.delivered_at = None, None
