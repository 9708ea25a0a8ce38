"""What a provider's answer means for a delivery (pure, but for the dice of the retry jitter)."""

import random
from datetime import datetime, timedelta

from django.conf import settings

from notifications import retries
from notifications.models import Delivery
from notifications.providers.base import Outcome
from notifications.tracking import Change, Status


def change(delivery: Delivery, outcome: Outcome, account_id: int | None, now: datetime, resend: bool) -> Change:
    """Return the change that an outcome brings. `resend`: an unknown outcome is tried again, as the category says."""
    match outcome.kind:
        case "accepted":
            return Change(
                delivery,
                Status.SENT,
                provider_account_id=account_id,
                provider_message_id=outcome.provider_message_id,
            )
        case "recipient":
            return Change(delivery, Status.FAILED, error=outcome.error, provider_account_id=account_id)
        case "account":
            return Change(delivery, Status.HELD, reason="account", error=outcome.error, provider_account_id=account_id)
        case "unknown" if not resend:
            return Change(delivery, Status.UNKNOWN, error=outcome.error, provider_account_id=account_id)
        case _:
            return _again(delivery, outcome, account_id, now)


def _again(delivery: Delivery, outcome: Outcome, account_id: int | None, now: datetime) -> Change:
    try:
        wait = _wait(delivery, outcome)
    except retries.GaveUp:
        error = outcome.error or "Every try failed."
        return Change(delivery, Status.FAILED, dead=True, error=error, provider_account_id=account_id)
    due_at = max(now + wait, outcome.until or now)
    return Change(delivery, Status.QUEUED, due_at=due_at, error=outcome.error, provider_account_id=account_id)


def _wait(delivery: Delivery, outcome: Outcome) -> timedelta:
    return retries.wait_before(
        delivery.attempts + 1,
        schedule=settings.RETRY_SCHEDULE,
        jitter=random.random,
        retry_after=outcome.retry_after,
    )
