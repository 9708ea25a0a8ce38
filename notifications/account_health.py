"""How provider accounts fare, for people: a word for each, figures of the last hour, and what needs somebody."""

import math
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db.models import FloatField, Func, Q

from notifications import account_states, accounts, breaker, holding
from notifications.breaker import Phase
from notifications.models import AccountState, Attempt, ProviderAccount
from project.foundation import clock, ids

HOUR = timedelta(hours=1)
# How many of the newest tries are looked at, of all accounts together, and how long before its try a delivery may have
# been accepted: a try's id carries its delivery's time, so both end at the newest part of one index.
SAMPLE = 20_000
_RETRIED_FOR = timedelta(hours=24)
_FAILED = {Attempt.Outcome.TRANSIENT, Attempt.Outcome.THROTTLED, Attempt.Outcome.ACCOUNT, Attempt.Outcome.UNKNOWN}


@dataclass(frozen=True)
class Standing:
    state: str  # in_use, paused, refused, failing, half_open or throttled
    error: str = ""


@dataclass(frozen=True)
class Hour:
    """What an account's tries of the last hour came to. Times in milliseconds; None where there is no try."""

    tries: int = 0
    failed: int = 0  # not because of the recipient
    p50: int | None = None
    p95: int | None = None

    @property
    def failed_percent(self) -> float:
        return round(100 * self.failed / self.tries, 1) if self.tries else 0.0


@dataclass(frozen=True)
class Held:
    """How many deliveries wait for an account, and how many for any account of its channel.

    What was held without being tried waits for whichever account takes it first: that is the one, where its channel
    has no other.
    """

    own: int
    others: int = 0

    def __str__(self) -> str:
        if not self.others:
            return f"{_deliveries(self.own)} held." if self.own else "Nothing is held."
        others = f"{_deliveries(self.others)} held for any account of its channel."
        return f"{_deliveries(self.own)} held for it. {others}" if self.own else others


@dataclass(frozen=True)
class Health:
    standing: Standing
    hour: Hour
    held: "Held"
    last_error: str
    last_error_at: datetime | None


@dataclass(frozen=True)
class Trouble:
    """One sentence for the operator, about one account or about a channel."""

    text: str
    account_id: int


def standing(account: ProviderAccount) -> Standing:
    """Return how an account fares now."""
    state: AccountState | None = getattr(account, "state", None)
    if not account.enabled:
        return Standing("paused")
    if state is None:
        return Standing("in_use")
    if state.refused_at is not None:
        return Standing("refused", state.refusal)
    now = clock.now()
    phase = breaker.phase(account_states.breaker_of(state), now)
    if phase is not Phase.CLOSED:
        return Standing("failing" if phase is Phase.OPEN else "half_open")
    if state.throttled_until is not None and state.throttled_until > now:
        return Standing("throttled")
    return Standing("in_use")


def health(account: ProviderAccount) -> Health:
    """Return how an account fares, with figures. Four queries."""
    state: AccountState | None = getattr(account, "state", None)
    return Health(
        standing=standing(account),
        hour=last_hour().get(account.pk, Hour()),
        held=_held([account], ProviderAccount.objects.filter(channel=account.channel))[account.pk],
        last_error=state.last_error if state else "",
        last_error_at=state.last_error_at if state else None,
    )


def last_hour() -> dict[int, Hour]:
    """Return the last hour of each account that was called in it, by its key. One query of at most SAMPLE rows.

    On a system so busy that these do not reach back an hour, they tell of what they do reach.
    """
    now = clock.now()
    newest = Attempt.objects.filter(id__gte=ids.first_id_at(now - _RETRIED_FOR)).order_by("-id")
    # A number each and no moments: reading 40,000 of these took 0.9 s.
    timed = newest.annotate(seconds=_Seconds("finished_at", "started_at"), recent=Q(started_at__gte=now - HOUR))
    rows = timed.values_list("provider_account_id", "outcome", "seconds", "recent")[:SAMPLE]
    calls: dict[int, list[tuple[str, float]]] = defaultdict(list)
    for account_id, outcome, seconds, recent in rows:
        if recent and account_id is not None and seconds is not None:
            calls[account_id].append((outcome, seconds))
    return {account_id: _hour(found) for account_id, found in calls.items()}


class _Seconds(Func):
    """The seconds from the second moment to the first, as a number."""

    template = "EXTRACT(EPOCH FROM %(expressions)s)::float8"
    arg_joiner = " - "
    arity = 2
    output_field = FloatField()

    def as_sqlite(self, compiler: Any, connection: Any, **more: Any) -> Any:
        template = "((%(expressions)s) * 86400.0)"
        function = Func(*(Func(each, function="julianday") for each in self.get_source_expressions()))
        return function.as_sql(compiler, connection, template=template, arg_joiner=" - ")


def _hour(calls: Sequence[tuple[str, float]]) -> Hour:
    took = sorted(time for _, time in calls)
    failed = sum(outcome in _FAILED for outcome, _ in calls)
    return Hour(len(calls), failed, _milliseconds(took, 0.5), _milliseconds(took, 0.95))


def _milliseconds(took: Sequence[float], part: float) -> int:
    """Return a percentile of seconds by nearest rank."""
    return round(1000 * took[max(0, math.ceil(part * len(took)) - 1)])


def troubles() -> list[Trouble]:
    """Return what an operator must see to, one sentence an account. One query while all is well, else two."""
    found = []
    known = list(ProviderAccount.objects.select_related("state").order_by("channel", "order", "name"))
    states = {account.pk: standing(account) for account in known}
    held = _held([each for each in known if states[each.pk].state in ("refused", "paused")], known)
    for account in known:
        now = states[account.pk]
        if now.state == "refused":
            found.append(_refused(account, now, held[account.pk]))
        elif now.state == "paused" and (waiting := held[account.pk]) != Held(0):
            found.append(Trouble(f"{account.name} is switched off. {waiting}", account.pk))
        elif now.state in ("failing", "half_open"):
            found.append(Trouble(f"{account.name} keeps failing: it is tried again every 30 seconds.", account.pk))
    return found


def refused() -> list[Trouble]:
    """Return a sentence about each account that its service refuses, at most five seconds old.

    What this process changes of accounts is seen at once.
    """
    global _known_refused
    version = accounts.loaded()
    if _known_refused is None or _known_refused[0] is not version:
        _known_refused = version, _find_refused()
    return _known_refused[1]


_known_refused: tuple[object, list[Trouble]] | None = None


def _find_refused() -> list[Trouble]:
    """Ask: one query while none is refused, else three."""
    rows = ProviderAccount.objects.select_related("state").filter(enabled=True, state__refused_at__isnull=False)
    found = list(rows.order_by("channel", "order", "name"))
    if not found:
        return []
    held = _held(found, ProviderAccount.objects.filter(channel__in={account.channel for account in found}))
    return [_refused(account, standing(account), held[account.pk]) for account in found]


def _refused(account: ProviderAccount, now: Standing, held: Held) -> Trouble:
    return Trouble(f"{account.name} is refused: {_sentence(now.error)} {held}", account.pk)


def _held(wanted: Sequence[ProviderAccount], known: Iterable[ProviderAccount]) -> dict[int, Held]:
    """Return what is held for each account. `known`: all accounts of their channels."""
    if not wanted:
        return {}
    by_channel: dict[str, set[int | None]] = defaultdict(set)
    for account in known:
        by_channel[account.channel].add(account.pk)
    counts = holding.counts({account.channel for account in wanted})
    found = {}
    for account in wanted:
        count, others = counts[account.channel], by_channel[account.channel] - {account.pk}
        free = count.total() - sum(count[each] for each in by_channel[account.channel])
        own = count[account.pk]
        found[account.pk] = Held(own, free) if others else Held(own + free)
    return found


def _sentence(text: str) -> str:
    return text if text.endswith((".", "!", "?")) else f"{text}."


def _deliveries(count: int) -> str:
    return "One delivery is" if count == 1 else f"{count} deliveries are"
