"""Which accounts take a channel's next sub-batch, and how much of it (pure).

The first account in order does. The next one is asked only when the circuit of the one before is open, or when it is
paused or refused; an account that is merely slowed down is waited for.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from notifications import account_states, breaker, rate_limits
from notifications.accounts import Account
from notifications.breaker import Phase
from notifications.models import AccountState

_AT_LEAST = timedelta(milliseconds=1)
_SOON = timedelta(seconds=1)  # somebody else's probe will be over


@dataclass(frozen=True)
class Share:
    """Up to `room` messages of a sub-batch through one account. `probe`: the one message that tries it again."""

    account: Account
    room: int
    probe: bool = False
    state: AccountState | None = None  # as it was read


@dataclass(frozen=True)
class Route:
    shares: tuple[Share, ...]
    wait: timedelta | None  # when to look again, when no share has room
    working: frozenset[int]  # accounts that are neither paused nor refused; none: rows are held
    known: frozenset[int]  # accounts that exist

    @property
    def held(self) -> bool:
        return not self.working

    @property
    def room(self) -> int:
        return sum(share.room for share in self.shares)


def route(found: Sequence[Account], states: Mapping[int, AccountState], now: datetime, *, most: int) -> Route:
    """Return the way of up to `most` messages."""
    shares: list[Share] = []
    waits: list[timedelta] = []
    working = set()
    blocked = False  # by an account that is slowed down: those after it are not asked
    for account in found:
        assert account.id is not None
        state = states.get(account.id) or AccountState(account_id=account.id)
        if not account.enabled or state.refused_at is not None:
            continue
        working.add(account.id)
        if blocked:
            continue
        phase = breaker.phase(account_states.breaker_of(state), now)
        wait = _wait(account, state, phase, now, most)
        if wait:
            waits.append(wait)
        else:
            room = 1 if phase is Phase.HALF_OPEN else _room(account, state, now, most)
            shares.append(Share(account, room, phase is Phase.HALF_OPEN, state))
        blocked = phase is Phase.CLOSED or (phase is Phase.HALF_OPEN and bool(wait))
    ids = frozenset(account.id for account in found if account.id is not None)
    return Route(tuple(shares), min(waits, default=None), frozenset(working), ids)


def _wait(account: Account, state: AccountState, phase: Phase, now: datetime, most: int) -> timedelta:
    if phase is Phase.OPEN:
        assert state.opened_at is not None
        return state.opened_at + breaker.OPEN_FOR - now
    if phase is Phase.PROBING:
        return _SOON
    if state.throttled_until is not None and state.throttled_until > now:
        return state.throttled_until - now
    if _room(account, state, now, most) == 0:
        assert account.rate is not None
        return max(rate_limits.wait(account_states.bucket_of(state), account.rate, most, now), _AT_LEAST)
    return timedelta()


def _room(account: Account, state: AccountState, now: datetime, most: int) -> int:
    if account.rate is None:
        return most
    return min(most, int(rate_limits.level(account_states.bucket_of(state), account.rate, now) + 1e-9))


@dataclass
class Allotment:
    """Hands out a route's room, one message after the other."""

    route: Route
    used: dict[int | None, int] = field(default_factory=dict)

    def take(self, *, pinned: int | None) -> Share | timedelta | None:
        """Return the share of one message; a time: it must wait so long; None: it is held.

        `pinned`: the account whose answer to this very message was lost. Another one might send it a second time.
        """
        pinned = pinned if pinned in self.route.known else None
        if pinned is not None and pinned not in self.route.working:
            return breaker.OPEN_FOR
        if self.route.held:
            return None
        for share in self.route.shares:
            used = self.used.get(share.account.id, 0)
            if used < share.room and pinned in (None, share.account.id):
                self.used[share.account.id] = used + 1
                return share
        return self.route.wait or _SOON
