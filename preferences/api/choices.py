"""A preferences document that a caller sent, turned into choices and mutes, or into all its faults."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from django.apps import apps
from django.conf import settings
from msgspec import UNSET

from preferences import consent, timing
from preferences.api.schemas import Choices
from preferences.api.times import is_time, read_time
from preferences.channels import CHANNELS
from preferences.consent import FOREVER, Choice, Silence, Wish
from preferences.models import Category, User
from project.foundation import bodies, faults
from project.foundation.problems import Fault, InvalidRequest


@dataclass(frozen=True)
class Wanted:
    choices: list[Choice]
    silences: list[Silence]
    wishes: list[Wish]


def read(data: Any, user: User) -> Wanted:
    """Return what the document says. Raises InvalidRequest with every fault, LockedPreference where that is all."""
    try:
        body = bodies.check(data, Choices)
    except InvalidRequest as error:
        raise InvalidRequest(errors=faults.one_per_place([*error.errors, *_times(data), *_channels(data)])) from None
    categories = {category.key: category for category in Category.objects.filter(key__in=_named(body))}
    found = [*_channels(data), *_times(data), *_unknown(body, categories, user), *_ill_timed(body, categories)]
    wanted = _wanted(body, categories) if not found else None
    if wanted is None:
        known = [choice for choice in _choices(body, categories) if choice.channel in CHANNELS]
        raise InvalidRequest(errors=found + consent.refusals(user, known))
    return wanted


def _channels(data: Any) -> Iterator[Fault]:
    """Yield a fault for every name that is no channel, also in a document that has other faults."""
    for pointer, place in _parts(data):
        channels = place.get("channels")
        for name in channels if isinstance(channels, dict) else ():
            if name not in CHANNELS:
                message = f"There is no such channel. There are: {', '.join(CHANNELS)}."
                yield Fault(faults.join(f"{pointer}/channels", name), "unknown_channel", message)


def _times(data: Any) -> Iterator[Fault]:
    for pointer, place in _parts(data):
        until = place.get("muted_until")
        if isinstance(until, str) and until != FOREVER and not is_time(until):
            yield Fault(f"{pointer}/muted_until", "invalid_time", 'A time is RFC 3339 with a zone, "forever" or null.')


def _parts(data: Any) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield the document itself and everything in it that has channels or a mute, with the pointer of each."""
    if not isinstance(data, dict):
        return
    yield "", data
    for name in ("categories", "types"):
        for key, value in data[name].items() if isinstance(data.get(name), dict) else ():
            if isinstance(value, dict):
                yield faults.join(f"/{name}", key), value


def _unknown(body: Choices, categories: dict[str, Category], user: User) -> Iterator[Fault]:
    for key in body.categories or ():
        if key not in categories:
            yield Fault(faults.join("/categories", key), "unknown_category", "There is no such category.")
    if body.types:
        # What is muted already may be given back, also when its type is gone.
        known = set(user.mutes.filter(type_key__in=body.types).values_list("type_key", flat=True))
        known |= set(_types().filter(key__in=body.types).values_list("key", flat=True))
        for key in body.types:
            if key not in known:
                yield Fault(faults.join("/types", key), "unknown_type", "There is no such type.")


def _named(body: Choices) -> set[str]:
    """Return the keys of the categories that a document speaks of."""
    return {*(body.categories or ()), *(cap.category for cap in body.frequency_caps or () if cap.category)}


def _ill_timed(body: Choices, categories: dict[str, Category]) -> Iterator[Fault]:
    yield from timing.faults_of_quiet(body.quiet_hours or None)
    yield from timing.faults_of_caps(body.frequency_caps or None, categories)
    yield from timing.faults_of_order(body.channel_priority or None)


def _types() -> Any:
    # Types live in a room above this one: named in settings, as AUTH_USER_MODEL is.
    return apps.get_model(settings.MUTABLE_TYPES)._default_manager


def _wanted(body: Choices, categories: dict[str, Category]) -> Wanted:
    silences = [_silence(body.muted_until)] if body.muted_until is not UNSET else []
    for key, part in (body.categories or {}).items():
        if part.muted_until is not UNSET:
            silences.append(_silence(part.muted_until, category=categories[key]))
    for key, type_part in (body.types or {}).items():
        if type_part.muted_until is not UNSET:
            silences.append(_silence(type_part.muted_until, type_key=key))
    return Wanted(list(_choices(body, categories)), silences, list(_wishes(body)))


def _wishes(body: Choices) -> Iterator[Wish]:
    if body.quiet_hours is not UNSET:
        yield Wish("quiet_hours", timing.stored_quiet(body.quiet_hours))
    if body.frequency_caps is not UNSET:
        yield Wish("frequency_caps", timing.stored_caps(body.frequency_caps))
    if body.channel_priority is not UNSET:
        yield Wish("channel_priority", body.channel_priority or [])
    for key, part in (body.categories or {}).items():
        if part.digest is not UNSET:
            yield Wish("digests", part.digest, member=key)


def _choices(body: Choices, categories: dict[str, Category]) -> Iterator[Choice]:
    for channel, enabled in (body.channels or {}).items():
        yield Choice(enabled, channel=channel, pointer=f"/channels/{channel}")
    for key, part in (body.categories or {}).items():
        if (category := categories.get(key)) is None:
            continue
        if part.enabled is not UNSET:
            yield Choice(part.enabled, category, pointer=f"/categories/{key}/enabled")
        for channel, enabled in (part.channels or {}).items():
            yield Choice(enabled, category, channel, f"/categories/{key}/channels/{channel}")


def _silence(text: Any, *, category: Category | None = None, type_key: str = "") -> Silence:
    until = read_time(text) if text not in (None, FOREVER) else text
    return Silence(until, category, type_key)
