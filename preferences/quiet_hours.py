"""When a person wants quiet: weekly windows in a time zone, made into moments. Pure.

A window belongs to the day it starts on; one that ends no later than it starts ends the next day, so one that ends when
it starts lasts 24 hours. Around clock changes: a local time that does not exist is the first moment after the gap, one
that exists twice is the first of the two.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from functools import lru_cache
from typing import Any
from zoneinfo import ZoneInfo

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_DAY_MINUTES = 24 * 60
_WEEK_MINUTES = 7 * _DAY_MINUTES


@dataclass(frozen=True, slots=True)
class Window:
    weekday: int  # 0 = Monday, of its start
    start: time
    end: time


@dataclass(frozen=True, slots=True)
class QuietHours:
    windows: tuple[Window, ...]
    zone: str  # IANA name


def read(stored: Mapping[str, Any] | None, *, zone: str) -> QuietHours | None:
    """Return stored quiet hours ({"timezone", "weekly": [{"days", "from", "until"}]}), None where there are none.

    The zone stored with them wins over `zone`, the person's own.
    """
    if not stored or not stored.get("weekly"):
        return None
    windows = (
        Window(DAYS.index(day), time.fromisoformat(each["from"]), time.fromisoformat(each["until"]))
        for each in stored["weekly"]
        for day in each["days"]
    )
    return QuietHours(tuple(windows), stored.get("timezone") or zone or "UTC")


def ends(quiet: QuietHours, moment: datetime) -> datetime | None:
    """Return when the quiet that covers `moment` ends, in UTC; None when it is not quiet then.

    Windows that meet or overlap are one.
    """
    end, after = None, moment.astimezone(UTC)
    # Beyond a week of windows that meet, clock changes alone can have closed the gap between them.
    while (until := _covering(quiet, after)) is not None and until - moment < timedelta(days=8):
        end = after = until
    return end


def leaves_no_minute(quiet: QuietHours) -> bool:
    """Tell whether the week has no open minute: whoever says that wants to mute, and should."""
    taken = bytearray(_WEEK_MINUTES)
    for window in quiet.windows:
        start = window.weekday * _DAY_MINUTES + _minutes(window.start)
        length = (_minutes(window.end) - _minutes(window.start)) % _DAY_MINUTES or _DAY_MINUTES
        for minute in range(start, start + length):
            taken[minute % _WEEK_MINUTES] = 1
    return all(taken)


def local_moment(day: date, at: time, zone: tzinfo) -> datetime:
    """Return the moment, in UTC, at which clocks in `zone` show a time; see above for times around clock changes."""
    naive = datetime.combine(day, at)
    before = naive.replace(tzinfo=zone)
    if before.astimezone(UTC).astimezone(zone).replace(tzinfo=None) == naive:
        return before.astimezone(UTC)
    return _gap_end(naive, zone)


@lru_cache(maxsize=1024)
def zone_of(name: str) -> tzinfo:
    """Return a time zone by its IANA name; UTC where this machine's tables do not know it."""
    try:
        return ZoneInfo(name or "UTC")
    except (KeyError, ValueError, OSError):
        return UTC


def _covering(quiet: QuietHours, moment: datetime) -> datetime | None:
    zone = zone_of(quiet.zone)
    today = moment.astimezone(zone).date()
    spans = (span for back in (0, 1) for span in _spans(quiet, today - timedelta(days=back), zone))
    return max((end for start, end in spans if start <= moment < end), default=None)


def _spans(quiet: QuietHours, day: date, zone: tzinfo) -> Iterator[tuple[datetime, datetime]]:
    for window in quiet.windows:
        if window.weekday == day.weekday():
            last = day if window.end > window.start else day + timedelta(days=1)
            yield local_moment(day, window.start, zone), local_moment(last, window.end, zone)


def _gap_end(naive: datetime, zone: tzinfo) -> datetime:
    """Return the moment at which clocks jumped over `naive`. Between the two readings of it lies one jump (PEP 495)."""
    low = naive.replace(tzinfo=zone, fold=1).astimezone(UTC)
    high = naive.replace(tzinfo=zone, fold=0).astimezone(UTC)
    offset = high.astimezone(zone).utcoffset()
    while high - low > timedelta(seconds=1):
        middle = (low + (high - low) / 2).replace(microsecond=0)
        if middle <= low:
            break
        if middle.astimezone(zone).utcoffset() == offset:
            high = middle
        else:
            low = middle
    return high


def _minutes(at: time) -> int:
    return at.hour * 60 + at.minute
