"""When and how often a person is told things, and where first: what they may wish, and every fault of a wish."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Annotated, Any, Literal

from msgspec import Meta, Struct, field

from preferences import profiles, quiet_hours
from preferences.channels import CHANNELS
from preferences.profiles import Invalid
from project.foundation import faults
from project.foundation.problems import Fault

# Its length, too: to a pattern's end a line end may follow.
Clock = Annotated[
    str,
    Meta(
        pattern=r"^([01][0-9]|2[0-3]):[0-5][0-9]$",
        max_length=5,
        description="Local time: 00:00 to 23:59",
        examples=["22:00"],
    ),
]
Day = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
Digest = Literal["daily"]


class QuietWindow(Struct, forbid_unknown_fields=True):
    """`days`: on which it starts. `until` ≤ `from` ends the next day; equal lasts 24 hours."""

    days: Annotated[list[Day], Meta(min_length=1, max_length=7)]
    from_: Clock = field(name="from")
    until: Clock


class QuietWish(Struct, forbid_unknown_fields=True):
    """`timezone`: an IANA name; null = the person's own. `weekly` [] clears them."""

    weekly: Annotated[list[QuietWindow], Meta(max_length=28)]
    timezone: str | None = None


class Cap(Struct, forbid_unknown_fields=True):
    """At most `max` messages per hour, day or week of the person's zone; null = over all channels, or categories."""

    max: Annotated[int, Meta(ge=1, le=10_000)]
    per: Literal["hour", "day", "week"]
    channel: str | None = None
    category: str | None = None


Caps = Annotated[list[Cap], Meta(max_length=20)]
Order = Annotated[list[str], Meta(max_length=len(CHANNELS))]


def stored_quiet(wish: QuietWish | None) -> dict[str, Any]:
    """Return quiet hours as `User.quiet_hours` keeps them; {} = none."""
    if wish is None or not wish.weekly:
        return {}
    weekly = [
        {"days": [day for day in quiet_hours.DAYS if day in each.days], "from": each.from_, "until": each.until}
        for each in wish.weekly
    ]
    return {"timezone": wish.timezone or None, "weekly": weekly}


def stored_caps(caps: Sequence[Cap] | None) -> list[dict[str, Any]]:
    return [{"channel": cap.channel, "category": cap.category, "max": cap.max, "per": cap.per} for cap in caps or ()]


def faults_of_quiet(wish: QuietWish | None, pointer: str = "/quiet_hours") -> Iterator[Fault]:
    """Yield what is wrong with quiet hours that are formed as they should be."""
    if wish is None:
        return
    try:
        profiles.timezone(wish.timezone)
    except Invalid as error:
        yield Fault(f"{pointer}/timezone", error.code, str(error))
    quiet = quiet_hours.read(stored_quiet(wish), zone="UTC")
    if quiet is not None and quiet_hours.leaves_no_minute(quiet):
        message = "The week has no open minute: nothing would ever arrive. Mute instead."
        yield Fault(f"{pointer}/weekly", "no_open_minute", message)


def faults_of_caps(caps: Sequence[Cap] | None, categories: Collection[str]) -> Iterator[Fault]:
    """Yield what is wrong with caps. `categories`: the keys of those that exist."""
    seen = set()
    for index, cap in enumerate(caps or ()):
        pointer = f"/frequency_caps/{index}"
        if cap.channel is not None and cap.channel not in CHANNELS:
            yield _no_such_channel(f"{pointer}/channel")
        if cap.category is not None and cap.category not in categories:
            yield Fault(f"{pointer}/category", "unknown_category", "There is no such category.")
        if (key := (cap.channel, cap.category, cap.per)) in seen:
            yield Fault(pointer, "duplicate", "There is one cap already for this channel, category and window.")
        seen.add(key)


def faults_of_order(order: Sequence[str] | None) -> Iterator[Fault]:
    for index, channel in enumerate(order or ()):
        pointer = faults.join("/channel_priority", index)
        if channel not in CHANNELS:
            yield _no_such_channel(pointer)
        elif channel in (order or ())[:index]:
            yield Fault(pointer, "duplicate", "This channel is named twice.")


def words(name: str, value: Any) -> str:
    """Return a wish in the words of the ledger; "unset" for none."""
    if not value:
        return "unset"
    if name == "quiet_hours":
        spans = "; ".join(f"{','.join(each['days'])} {each['from']}–{each['until']}" for each in value["weekly"])
        return f"{spans} {value.get('timezone') or ''}".strip()
    if name == "frequency_caps":
        return "; ".join(_cap_words(cap) for cap in value)
    return ", ".join(value) if isinstance(value, list) else str(value)


def _cap_words(cap: Mapping[str, Any]) -> str:
    of = " × ".join(part for part in (cap["category"], cap["channel"]) if part)
    return f"{of or 'all'} {cap['max']}/{cap['per']}"


def _no_such_channel(pointer: str) -> Fault:
    return Fault(pointer, "unknown_channel", f"There is no such channel. There are: {', '.join(CHANNELS)}.")
