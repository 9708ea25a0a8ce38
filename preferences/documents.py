"""A person's preferences as one document: what they chose, or what applies to them and why."""

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

from preferences.channels import CHANNELS
from preferences.consent import FOREVER
from preferences.decisions import CategoryFacts, Facts, Person, consent


def chosen(person: Person, categories: Iterable[CategoryFacts], now: datetime) -> dict[str, Any]:
    """Return the explicit choices; null = none, the default applies. Storing it again changes nothing."""
    until = _running_mutes(person, now)
    return {
        "channels": {channel: person.choices.get(("", channel)) for channel in CHANNELS},
        "categories": {
            category.key: {
                "enabled": person.choices.get((category.key, "")),
                "channels": {channel: person.choices.get((category.key, channel)) for channel in CHANNELS},
                "digest": person.digests.get(category.key),
                "muted_until": until.get((category.key, "")),
            }
            for category in categories
        },
        "types": {key: {"muted_until": text} for (_, key), text in sorted(until.items()) if key},
        "muted_until": until.get(("", "")),
        "quiet_hours": person.quiet_hours or None,
        "frequency_caps": list(person.frequency_caps),
        "channel_priority": list(person.channel_priority),
    }


def effective(person: Person, categories: Iterable[CategoryFacts], now: datetime) -> dict[str, Any]:
    """Return what applies now, with the rule that decided and a sentence. Addresses play no part."""
    until = _running_mutes(person, now)
    return {
        "channels": {channel: _channel(person, channel) for channel in CHANNELS},
        "categories": {
            category.key: {
                "name": category.name,
                "channels": {channel: _cell(Facts(person, category, now), channel) for channel in CHANNELS},
                "muted_until": until.get((category.key, "")),
            }
            for category in categories
        },
        "types": {key: {"muted_until": text} for (_, key), text in sorted(until.items()) if key},
        "muted_until": until.get(("", "")),
    }


def _channel(person: Person, channel: str) -> dict[str, Any]:
    choice = person.choices.get(("", channel))
    enabled = CHANNELS[channel].default if choice is None else choice
    rule, source = ("channel_default", "channel") if choice is None else ("channel", "person")
    words = CHANNELS[channel].words
    default = f"By default you get {'' if enabled else 'no '}{words}, and you have not chosen otherwise."
    text = default if choice is None else f"You turned {words} {'on' if choice else 'off'}."
    return {
        "enabled": enabled,
        "choice": choice,
        "locked": False,
        "rule": rule,
        "source": source,
        "text": text,
    }


def _cell(facts: Facts, channel: str) -> dict[str, Any]:
    verdict = consent(facts, channel)
    return {
        "enabled": verdict.allowed,
        "choice": facts.person.choices.get((facts.category.key, channel)),
        "locked": verdict.rule == "required",
        "rule": verdict.rule,
        "source": verdict.source,
        "text": verdict.text,
    }


def _running_mutes(person: Person, now: datetime) -> dict[tuple[str, str], str]:
    return {
        (mute.category, mute.type_key): time_text(mute.until) if mute.until else FOREVER
        for mute in person.mutes
        if mute.until is None or mute.until > now
    }


def time_text(moment: datetime) -> str:
    """Return a moment as RFC 3339 in UTC."""
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z")
