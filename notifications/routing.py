"""Which accounts take a channel's next sub-batch, and how much of it (pure).

Of the accounts that serve a message the first in order does, and those of one order share by weight: which of them is
always the same for one delivery. The next one is asked only when the circuit of the one before is open, or when it is
paused or refused; an account that is merely slowed down is waited for.
"""

import hashlib
import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cached_property
from itertools import groupby
from uuid import UUID

from msgspec import Struct

from notifications import account_states, breaker, rate_limits
from notifications.accounts import Account
from notifications.breaker import Phase
from notifications.models import AccountState

_AT_LEAST = timedelta(milliseconds=1)
_SOON = timedelta(seconds=1)  # somebody else's probe will be over


class Destination(Struct, frozen=True):
    """What of a message decides which accounts may take it."""

    delivery_id: UUID
    category: str
    country: str = ""  # of the phone number, as "DE"; "" = of none


class Share(Struct, frozen=True):
    """Up to `room` messages of a sub-batch through one account. `probe`: the one message that tries it again.

    `wait`: it takes nothing before this is over. `firm`: what it has no room for waits for it, and goes to no other.
    """

    account: Account
    room: int
    probe: bool = False
    state: AccountState | None = None  # as it was read
    wait: timedelta = timedelta()
    firm: bool = True


@dataclass(frozen=True)
class Route:
    places: tuple[Share, ...]  # of every account that is neither paused nor refused, in order
    known: frozenset[int]  # accounts that exist

    @property
    def working(self) -> frozenset[int]:
        """Accounts that are neither paused nor refused; none: rows are held."""
        return frozenset(place.account.id for place in self.places if place.account.id is not None)

    @property
    def held(self) -> bool:
        return not self.places

    @cached_property
    def shares(self) -> tuple[Share, ...]:
        """The accounts that have room for some message, none before them being waited for by all that they serve."""
        return tuple(place for place in self._reached if place.room)

    @property
    def wait(self) -> timedelta | None:
        """When to look again, when no share has room."""
        return min((place.wait for place in self._reached if place.wait), default=None)

    @property
    def room(self) -> int:
        return sum(share.room for share in self.shares)

    @cached_property
    def by_country(self) -> bool:
        """Tell whether it matters where a message goes to."""
        return any(place.account.countries for place in self.places)

    @cached_property
    def groups(self) -> tuple[tuple[Share, ...], ...]:
        """The places of each order."""
        return tuple(tuple(group) for _, group in groupby(self.places, key=lambda place: place.account.order))

    @cached_property
    def _reached(self) -> tuple[Share, ...]:
        found: list[Share] = []
        firm: list[Account] = []
        for group in self.groups:
            found += [place for place in group if not any(_covers(before, place.account) for before in firm)]
            firm += [place.account for place in group if place.firm]
        return tuple(found)


def route(found: Sequence[Account], states: Mapping[int, AccountState], now: datetime, *, most: int) -> Route:
    """Return the way of up to `most` messages. `found` goes by order."""
    places = []
    for account in found:
        assert account.id is not None
        state = states.get(account.id) or AccountState(account_id=account.id)
        if account.enabled and state.refused_at is None:
            places.append(_place(account, state, now, most))
    return Route(tuple(places), frozenset(account.id for account in found if account.id is not None))


def serves(account: Account, destination: Destination) -> bool:
    """Tell whether a message to this destination may go through the account at all."""
    return (not account.categories or destination.category in account.categories) and (
        not account.countries or destination.country in account.countries
    )


def _covers(first: Account, second: Account) -> bool:
    """Tell whether the first account serves all that the second one serves."""
    return _holds(first.categories, second.categories) and _holds(first.countries, second.countries)


def _holds(first: frozenset[str], second: frozenset[str]) -> bool:
    return not first or bool(second and second <= first)


def _place(account: Account, state: AccountState, now: datetime, most: int) -> Share:
    phase = breaker.phase(account_states.breaker_of(state), now)
    wait = _wait(account, state, phase, now, most)
    half_open = phase is Phase.HALF_OPEN
    room = 0 if wait else 1 if half_open else _room(account, state, now, most)
    firm = phase is Phase.CLOSED or (half_open and bool(wait))
    return Share(account, room, half_open, state, wait, firm)


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

    def take(self, destination: Destination, *, pinned: int | None) -> Share | timedelta | None:
        """Return the share of one message; a time: it must wait so long; None: it is held.

        `pinned`: the account whose answer to this very message was lost. Another one might send it a second time, so
        it alone is asked, whatever it serves by now.
        """
        pinned = pinned if pinned in self.route.known else None
        if pinned is not None and pinned not in self.route.working:
            return breaker.OPEN_FOR
        waits: list[timedelta] = []
        for place in self._ways(destination, pinned):
            used = self.used.get(place.account.id, 0)
            if used < place.room:
                self.used[place.account.id] = used + 1
                return place
            waits.append(place.wait or _SOON)
            if place.firm:
                break
        return min(waits, default=None)

    def _ways(self, destination: Destination, pinned: int | None) -> Iterator[Share]:
        if pinned is not None:
            yield from (place for place in self.route.places if place.account.id == pinned)
            return
        for group in self.route.groups:
            serving = [place for place in group if serves(place.account, destination)]
            yield from serving if len(serving) < 2 else by_weight(serving, destination.delivery_id)


def by_weight(places: Iterable[Share], delivery_id: UUID) -> list[Share]:
    """Return places of one order as one delivery asks them: each is first as often as its weight says.

    An account that comes or goes moves only the deliveries that go to it. Source: weighted rendezvous hashing.
    """
    return sorted(places, key=lambda place: _distance(place.account, delivery_id))


def _distance(account: Account, delivery_id: UUID) -> float:
    digest = hashlib.blake2b(f"{delivery_id}/{account.id}".encode(), digest_size=8).digest()
    chance = (int.from_bytes(digest) + 1) / (2**64 + 1)  # between 0 and 1, both excluded
    return -math.log(chance) / account.weight
