"""Why somebody was told something, or was not: the rules in order, what they said, and what had been chosen then."""

from collections.abc import Iterable, Sequence
from typing import Any

from django.db import transaction

from notifications import caps, history, planning
from notifications.models import Mode, Notification
from notifications.timing import QUIET_HOURS
from preferences import ledger
from preferences.models import User
from project.foundation import clock
from templates_app.models import Type

# As preferences.decisions asks them, then what is asked of what may go out.
RULES = (
    "erased",
    "suppressed",
    "disabled",
    "asked_for",
    "required",
    "muted",
    "category_channel",
    "category",
    "channel",
    "preferred",
    "category_default",
    "channel_default",
    "no_contact_point",
    "unconfirmed_address",
    "digest",
    QUIET_HOURS,
    caps.RULE,
)


def of(notification: Notification) -> dict[str, Any]:
    """Return {"rules", "decisions", "preferences_then"} of a notification, as it was when it was planned.

    One that is not planned yet is explained as if it were planned now.
    """
    decided = notification.decided
    if decided is None:
        return _now(notification)
    planned = history.planned_at(notification) or clock.now()
    return _answer(decided, ledger.standing_at(notification.user_id, planned))


def beforehand(user: User, type_: Type, *, preferred: Sequence[str] | None = None) -> dict[str, Any]:
    """Return what `of` would say, were this person sent this type now, to the channels `preferred`, if any."""
    return _now(
        Notification(
            user=user,
            type=type_,
            mode=Mode.LIVE,
            priority=type_.priority,
            payload={},
            channels_preferred=list(preferred) if preferred else None,
        )
    )


def _now(notification: Notification) -> dict[str, Any]:
    now = clock.now()
    with transaction.atomic():  # caps are asked by counting, which is undone
        plan = planning.preview(notification, now)
        caps.apply([plan], token=None, now=now)
        transaction.set_rollback(True)
    return _answer(plan.decided, ledger.standing_at(notification.user_id, now))


def _answer(decisions: list[dict[str, Any]], preferences: dict[str, str]) -> dict[str, Any]:
    rules = [line for decision in decisions for line in _lines(decision)]
    return {"rules": rules, "decisions": decisions, "preferences_then": preferences}


def _lines(decision: dict[str, Any]) -> Iterable[dict[str, Any]]:
    """Yield every rule as it was asked for one address of one channel.

    `evaluated`: it was come to. What allowed and was followed by a rule that stopped has no answer of its own.
    """
    last = RULES.index(decision["rule"]) if decision["rule"] in RULES else len(RULES)
    held = decision.get("held_until") is not None
    for place, rule in enumerate(RULES):
        decided = place == last or (rule == QUIET_HOURS and held)
        later = decision["allowed"] and place > RULES.index("channel_default")
        yield {
            "channel": decision["channel"],
            "contact_point_id": decision["contact_point_id"],
            "rule": rule,
            "evaluated": place <= last or later,
            "answer": decision["text"] if decided else None,
            "decided": decided,
        }
