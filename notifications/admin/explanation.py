"""What the page "Why did they get it?" shows: the rules in order by channel, and what bears on when and how often."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby
from typing import Any
from uuid import UUID

from notifications import timing
from notifications.admin import words
from preferences import contact_points, frequency_caps, loading
from preferences.channels import CHANNELS
from preferences.models import Category, ContactPoint, FrequencyCount, User
from preferences.timing import words as wish_words
from templates_app.models import Type

_QUESTIONS = {
    "erased": "Was the person erased?",
    "suppressed": "Is the address blocked for everybody?",
    "disabled": "Is this address out of use?",
    "asked_for": "Is it the question to confirm this very address?",
    "required": "Does the category require this channel?",
    "muted": "Have they paused everything, this category or this type?",
    "category_channel": "Have they chosen for this category on this channel?",
    "category": "Have they chosen for the whole category?",
    "channel": "Have they chosen for the whole channel?",
    "preferred": "Does the message name this channel?",
    "category_default": "Has the category a default for this channel?",
    "channel_default": "What is the channel’s own default?",
    "no_contact_point": "Is there an address to send to?",
    "unconfirmed_address": "Does the address still wait to be confirmed?",
    "digest": "Do they want this category once a day, together?",
    "quiet_hours": "Is it quiet for them?",
    "frequency_cap": "Would it be more than they asked for?",
}


@dataclass(frozen=True)
class Step:
    """One rule, as it was asked."""

    question: str
    state: str  # "decided", "asked" (it had no answer) or "spared" (something before it had decided)
    answer: str


@dataclass(frozen=True)
class Way:
    """What was decided for one address of one channel."""

    channel: str
    to: str
    word: str  # "Yes", "Later" or "No"
    pill: str
    sentence: str
    rule: str
    held_until: datetime | None
    steps: list[Step]


@dataclass(frozen=True)
class Cap:
    """One frequency cap that concerns this category, and how much of it is used."""

    text: str
    used: int
    most: int

    @property
    def reached(self) -> bool:
        return self.used >= self.most


@dataclass(frozen=True)
class Timing:
    """What bears on when and how often, now."""

    quiet_hours: str
    quiet_until: datetime | None
    urgent: bool
    caps: list[Cap]
    zone: str


@dataclass(frozen=True)
class Explained:
    ways: list[Way]
    chosen: list[tuple[str, str]]


def of(found: Mapping[str, Any]) -> Explained:
    """Return what `notifications.explain` found, in words. Two queries."""
    masked = _masked(decision["contact_point_id"] for decision in found["decisions"])
    lines = groupby(found["rules"], key=lambda line: (line["channel"], line["contact_point_id"]))
    steps = [[_step(line) for line in group] for _, group in lines]
    ways = [_way(decision, each, masked) for decision, each in zip(found["decisions"], steps, strict=True)]
    return Explained(ways, _chosen(found["preferences_then"]))


def timing_of(user: User, type_: Type, now: datetime) -> Timing:
    """Return the person's quiet hours, and their caps that concern a type with what is used of them by now."""
    person, category = loading.load_person(user.pk), loading.category_facts(type_.category)
    limits = [each for channel in CHANNELS for each in frequency_caps.limits(person, category.key, channel, now)]
    wanted = {each.key: each for each in limits}
    rows = FrequencyCount.objects.filter(user=user, cap__in={cap for _, cap, _ in wanted})
    used = {(row.user_id, row.cap, row.begins): row.count for row in rows}
    return Timing(
        quiet_hours=wish_words("quiet_hours", person.quiet_hours) if person.quiet_hours else "",
        # Any addressed channel: all of them but the inbox keep quiet hours alike.
        quiet_until=timing.quiet_until(person, category, "email", now),
        urgent=category.urgent,
        caps=[Cap(each.text, used.get(key, 0), each.most) for key, each in wanted.items()],
        zone=person.timezone,
    )


def differs(then: Explained, now: Explained) -> bool:
    """Tell whether it would go elsewhere now, or for another reason."""
    return [(way.channel, way.to, way.word, way.rule) for way in then.ways] != [
        (way.channel, way.to, way.word, way.rule) for way in now.ways
    ]


def _step(line: Mapping[str, Any]) -> Step:
    state = "decided" if line["decided"] else "asked" if line["evaluated"] else "spared"
    return Step(_QUESTIONS.get(line["rule"], words.rule(line["rule"])), state, line["answer"] or "")


def _way(decision: Mapping[str, Any], steps: list[Step], masked: Mapping[str, str]) -> Way:
    channel, point = CHANNELS.get(decision["channel"]), decision["contact_point_id"]
    held = decision.get("held_until")
    word, pill = (
        ("No", "crl-off") if not decision["allowed"] else ("Later", "crl-waits") if held else ("Yes", "crl-good")
    )
    return Way(
        channel=channel.name if channel else decision["channel"],
        to=masked.get(point, "an address that was removed") if point else "",
        word=word,
        pill=pill,
        sentence=decision["text"],
        rule=words.rule(decision["rule"]),
        held_until=datetime.fromisoformat(held) if held else None,
        steps=steps,
    )


def _masked(ids: Iterable[str | None]) -> dict[str, str]:
    wanted = {UUID(id) for id in ids if id}
    return {str(point.pk): contact_points.masked(point) for point in ContactPoint.objects.filter(pk__in=wanted)}


def _chosen(standing: Mapping[str, str]) -> list[tuple[str, str]]:
    """Return what a person had chosen, from the ledger's words to ones for staff. One query."""
    if not standing:
        return []
    names = dict(Category.objects.values_list("key", "name"))
    return [_said(subject, value, names) for subject, value in standing.items()]


def _said(subject: str, value: str, names: Mapping[str, str]) -> tuple[str, str]:
    kind, _, rest = subject.partition(":")
    match kind:
        case "category" | "channel":
            return _cell(subject, names), {"yes": "On", "no": "Off"}.get(value, value)
        case "mute":
            what = "everything" if rest == "all" else rest.partition(":")[2]
            return (
                f"Pause of {names.get(what, what)}",
                "Until they resume it" if value == "forever" else f"Until {value}",
            )
        case "suppression":
            return f"{_channel(rest)} address blocked", words.rule(value)
        case "digests":
            return f"{names.get(rest, rest)} together", words.rule(value)
    return words.rule(subject), value


def _cell(subject: str, names: Mapping[str, str]) -> str:
    """Return "Offers, E-mail" for "category:offers × channel:email"."""
    parts = [part.partition(":") for part in subject.split(" × ")]
    return ", ".join(_channel(key) if kind == "channel" else names.get(key, key) for kind, _, key in parts)


def _channel(key: str) -> str:
    return CHANNELS[key].name if key in CHANNELS else key
