"""How provider accounts fare, known to all processes: read before a sub-batch, written with its outcomes."""

import logging
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta

from django.conf import settings
from django.db import transaction

from notifications import accounts, breaker, rate_limits, retries
from notifications.accounts import Account
from notifications.breaker import Breaker, Phase
from notifications.models import AccountState
from notifications.providers import options
from notifications.providers.base import Outcome
from notifications.rate_limits import Bucket
from project.foundation import audit, bulk, clock

logger = logging.getLogger(__name__)

_WORKED = {"accepted", "recipient"}  # a refused recipient was refused by a provider that works
_FAILED = {"transient", "unknown"}


def load(account_ids: Iterable[int]) -> dict[int, AccountState]:
    """Return the states that there are: an account that never had trouble has none. One query."""
    return bulk.by_key(AccountState, account_ids)


def breaker_of(state: AccountState) -> Breaker:
    return Breaker(state.failures, state.recent, state.opened_at, state.probe_until)


def bucket_of(state: AccountState) -> Bucket:
    return Bucket(state.tokens, state.tokens_at)


def reserve(account: Account, wanted: int, now: datetime, *, probe: bool) -> tuple[int, timedelta]:
    """Take the right to send `wanted` messages, inside the caller's transaction.

    Returns for how many it was given, and how long to wait before asking for the others. The row's lock makes it one
    right for all processes. An account without limits and trouble asks nobody.
    """
    rate = account.rate
    if account.id is None or (rate is None and not probe):
        return wanted, timedelta()
    state = _locked(account.id)
    if probe:
        if breaker.phase(breaker_of(state), now) is not Phase.HALF_OPEN:
            return 0, timedelta(seconds=1)
        state.probe_until = now + timedelta(seconds=settings.LEASE_SECONDS)
    granted, wait = wanted, timedelta()
    if rate is not None:
        granted, bucket = rate_limits.take(bucket_of(state), rate, wanted, now)
        wait = rate_limits.wait(bucket, rate, wanted - granted, now)
        state.tokens, state.tokens_at = bucket.tokens, bucket.at
    if granted:
        state.save(update_fields=["probe_until", "tokens", "tokens_at"])
    return granted, wait


def record(
    account: Account, outcomes: Sequence[Outcome], now: datetime, *, known: AccountState | None, probe: bool
) -> None:
    """Write what a sub-batch's outcomes say about its account, inside the transaction that records them.

    `known` is the state as it was read before: success on top of success is not written.
    """
    if account.id is None:
        return
    if account.keeps_messages:  # the outbox is never in trouble: what it refuses is acted out
        outcomes = [Outcome.accepted()] * len(outcomes)
    if accounts.has_many_servers(account):
        outcomes = [outcome for outcome in outcomes if outcome.kind not in _FAILED]
    seen = [outcome.kind in _WORKED for outcome in outcomes if outcome.kind in _WORKED | _FAILED]
    steady = known is None or breaker_of(known).clean
    if steady and not probe and len(seen) == len(outcomes) and all(seen):
        return
    state = _locked(account.id)
    before = breaker_of(state)
    _set_breaker(state, breaker.after(before, seen, now, probe=probe))
    _throttle(state, outcomes, now)
    _refuse(state, account, outcomes, now)
    _note_error(state, account, outcomes, now)
    state.save()
    if before.opened_at is None and state.opened_at is not None:
        logger.warning("account.circuit_opened", extra={"account": account.name})
    elif before.opened_at is not None and state.opened_at is None:
        logger.warning("account.circuit_closed", extra={"account": account.name})


@transaction.atomic
def forgive(account_id: int) -> None:
    """Take an account that was refused or failing back into use, beginning with one message."""
    now = clock.now()
    state = AccountState.objects.select_for_update().filter(account_id=account_id).first()
    if state is None or (state.refused_at is None and state.opened_at is None and state.throttled_until is None):
        return
    state.refused_at, state.refusal, state.throttled_until = None, "", None
    _set_breaker(state, breaker.half_opened(breaker_of(state), now))
    state.save()


def _locked(account_id: int) -> AccountState:
    AccountState.objects.bulk_create([AccountState(account_id=account_id)], ignore_conflicts=True)
    return AccountState.objects.select_for_update().get(account_id=account_id)


def _set_breaker(state: AccountState, new: Breaker) -> None:
    state.failures, state.recent = min(new.failures, breaker.WINDOW), new.recent
    state.opened_at, state.probe_until = new.opened_at, new.probe_until


def _throttle(state: AccountState, outcomes: Sequence[Outcome], now: datetime) -> None:
    asked = [outcome for outcome in outcomes if outcome.kind == "throttled"]
    if asked:
        until = max(throttled_until(outcome, now) for outcome in asked)
        state.throttled_until = max(until, state.throttled_until or until)


def throttled_until(outcome: Outcome, now: datetime) -> datetime:
    """Return until when a throttled outcome asks to wait, by the database's clock, within what we hear."""
    seconds = outcome.retry_after or 0.0
    if outcome.until is not None:
        seconds = max(seconds, (outcome.until - datetime.now(tz=UTC)).total_seconds())
    return now + retries.clamp(seconds)


def _refuse(state: AccountState, account: Account, outcomes: Sequence[Outcome], now: datetime) -> None:
    refused = next((outcome for outcome in outcomes if outcome.kind == "account"), None)
    if refused is None or state.refused_at is not None:
        return
    state.refused_at, state.refusal = now, without_credentials(refused.error, account)[:500]
    logger.error("account.refused", extra={"account": account.name})
    audit.record("system", "provider_account.refused", f"provider_account:{account.name}", error=state.refusal)


def _note_error(state: AccountState, account: Account, outcomes: Sequence[Outcome], now: datetime) -> None:
    errors = [outcome.error for outcome in outcomes if outcome.kind not in _WORKED and outcome.error]
    if errors:
        state.last_error, state.last_error_at = without_credentials(errors[-1], account)[:500], now


def without_credentials(error: str, account: Account) -> str:
    """Return a provider's words without the account's credentials, should it repeat them."""
    provider = accounts.provider_classes().get(account.provider)
    described = options.describe(provider.Options) if provider else {}
    for name, value in account.options.items():
        text = options.in_words(value)
        if name in described and described[name].secret and len(text) > 3:
            error = error.replace(text, options.HIDDEN)
    return error
