"""How often a person is told things: at most so many messages in each hour, day or week of their own time zone.

Windows are fixed: an hour of the clock, a local date, a week from Monday. in_app counts under a cap that names it and
under no other: it rings nowhere. The counts are rows that stay locked until the transaction ends, so that planners at
work side by side let through exactly what a cap allows.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from typing import Any

from preferences.channels import CHANNELS
from preferences.decisions import Person
from preferences.models import FrequencyCount
from preferences.quiet_hours import local_moment, zone_of
from project.foundation import bulk

KEPT = timedelta(days=9)  # a week, and a day for time zones

Key = tuple[int, str, datetime]  # person, cap, begin of the window in UTC
_SPANS = {"hour": "an hour", "day": "a day", "week": "a week"}


@dataclass(frozen=True, slots=True)
class Limit:
    """One cap as it concerns one message now."""

    key: Key
    most: int
    text: str  # what the person asked for, as a sentence


def limits(person: Person, category: str, channel: str, now: datetime) -> list[Limit]:
    """Return what the person's caps say of a message of a category on a channel. Pure."""
    return [
        Limit((person.pk, name(cap), begin(cap["per"], now, person.timezone)), cap["max"], _text(cap))
        for cap in person.frequency_caps
        if _concerns(cap, category, channel)
    ]


def begin(per: str, now: datetime, zone: str) -> datetime:
    """Return when the hour, day or week of `zone` began that `now` lies in, in UTC. Pure."""
    local = now.astimezone(zone_of(zone))
    if per == "hour":
        return local.replace(minute=0, second=0, microsecond=0).astimezone(UTC)
    first = local.date() - timedelta(days=local.weekday() if per == "week" else 0)
    return local_moment(first, time(), zone_of(zone))


def name(cap: Mapping[str, Any]) -> str:
    """Return what a cap is counted under: its count goes on when only its `max` changes. Pure."""
    return f"{cap['category'] or '*'} {cap['channel'] or '*'} {cap['per']}"


class Counts:
    """What the caps have let through, locked until the caller's transaction ends."""

    def __init__(self, keys: Iterable[Key]) -> None:
        """Read and lock the counts, made where missing. Two statements; every transaction locks in the same order."""
        wanted = sorted(set(keys))
        missing = [FrequencyCount(user_id=user, cap=cap, begins=begins) for user, cap, begins in wanted]
        FrequencyCount.objects.bulk_create(missing, ignore_conflicts=True)
        users, caps, begins = (set(column) for column in zip(*wanted, strict=True))
        rows = FrequencyCount.objects.select_for_update().filter(user_id__in=users, cap__in=caps, begins__in=begins)
        self._rows = {(row.user_id, row.cap, row.begins): row for row in rows.order_by("user_id", "cap", "begins")}
        self._changed: dict[Key, FrequencyCount] = {}

    def take(self, limits: Sequence[Limit]) -> Limit | None:
        """Count one message under all these limits; where one is reached, count nothing and return it."""
        reached = next((limit for limit in limits if self._rows[limit.key].count >= limit.most), None)
        if reached is None:
            for limit in limits:
                row = self._changed[limit.key] = self._rows[limit.key]
                row.count += 1
        return reached

    def write(self) -> None:
        """Store what was counted. One statement."""
        bulk.update(list(self._changed.values()), ["count"])


def forget_before(now: datetime) -> None:
    """Delete the counts of windows that are long over."""
    FrequencyCount.objects.filter(begins__lt=now - KEPT).delete()


def _concerns(cap: Mapping[str, Any], category: str, channel: str) -> bool:
    if cap["channel"] is None and channel == "in_app":
        return False
    return cap["channel"] in (None, channel) and cap["category"] in (None, category)


def _text(cap: Mapping[str, Any]) -> str:
    on = f" on {CHANNELS[cap['channel']].words}" if cap["channel"] else ""
    of = " of this kind" if cap["category"] else ""
    return f"You asked for at most {cap['max']} messages{of}{on} {_SPANS[cap['per']]}."
