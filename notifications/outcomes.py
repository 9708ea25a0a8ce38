"""What a provider's answer means for a delivery (pure, but for the dice of the retry jitter).

A delivery one of whose answers was lost stays in doubt, whatever later tries come to: it keeps that reason, and with it
its account, since another one might send it a second time.
"""

from datetime import datetime, timedelta

from notifications import account_states, retries, schedules
from notifications.models import Delivery
from notifications.providers.base import Outcome
from notifications.tracking import Change, Status

UNKNOWN_OUTCOME = "unknown_outcome"  # the reason of a delivery that is tried again though it may have been taken


def change(
    delivery: Delivery,
    outcome: Outcome,
    account_id: int | None,
    now: datetime,
    *,
    resend: bool,
    others: bool,
) -> Change:
    """Return the change that an outcome brings.

    `resend`: an unknown outcome is tried again, as the category says. `others`: another account can take what this one
    refuses.
    """
    match outcome.kind:
        case "accepted":
            return Change(
                delivery,
                Status.SENT,
                provider_account_id=account_id,
                provider_message_id=outcome.provider_message_id,
                on_record=True,
            )
        case "recipient":
            return Change(delivery, Status.FAILED, error=outcome.error, provider_account_id=account_id)
        case "account":
            return _not_its_fault(delivery, outcome, account_id, now if others else None)
        case "throttled":
            return _not_its_fault(delivery, outcome, account_id, account_states.throttled_until(outcome, now))
        case "unknown" if not resend:
            return Change(delivery, Status.UNKNOWN, error=outcome.error, provider_account_id=account_id)
        case _:
            return _again(delivery, outcome, account_id, now)


def _not_its_fault(delivery: Delivery, outcome: Outcome, account_id: int | None, due_at: datetime | None) -> Change:
    """Return it to the queue, or hold it, without using up a try."""
    return Change(
        delivery,
        Status.QUEUED if due_at else Status.HELD,
        due_at=due_at,
        reason=_doubt(delivery) if due_at else "account",
        error=outcome.error,
        uncounted=True,
        provider_account_id=account_id,
    )


def _again(delivery: Delivery, outcome: Outcome, account_id: int | None, now: datetime) -> Change:
    try:
        wait = _wait(delivery, outcome)
    except retries.GaveUp:
        error = outcome.error or "Every try failed."
        return Change(delivery, Status.FAILED, dead=True, error=error, provider_account_id=account_id)
    return Change(
        delivery,
        Status.QUEUED,
        due_at=now + wait,
        reason=UNKNOWN_OUTCOME if outcome.kind == "unknown" else _doubt(delivery),
        error=outcome.error,
        provider_account_id=account_id,
    )


def _doubt(delivery: Delivery) -> str:
    return delivery.reason if delivery.reason == UNKNOWN_OUTCOME else ""


def _wait(delivery: Delivery, outcome: Outcome) -> timedelta:
    return retries.wait_before(
        delivery.attempts - delivery.attempts_before + 1,
        schedule=schedules.waits(delivery.channel),
        jitter=schedules.jitter(delivery.channel),
        retry_after=outcome.retry_after,
    )
