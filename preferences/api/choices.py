"""A preferences document that a caller sent, turned into choices and mutes, or into all its faults."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from django.apps import apps
from django.conf import settings
from msgspec import UNSET

from preferences import consent
from preferences.api.schemas import Choices
from preferences.api.times import is_time, read_time
from preferences.channels import CHANNELS
from preferences.consent import FOREVER, Choice, Silence
from preferences.models import Category, User
from project.foundation import bodies, faults
from project.foundation.problems import Fault, InvalidRequest, not_available

_NOT_BUILT = ("quiet_hours", "frequency_caps", "channel_priority")
_NOT_BUILT_IN_CATEGORIES = ("digest",)


@dataclass(frozen=True)
class Wanted:
    choices: list[Choice]
    silences: list[Silence]


def read(data: Any, user: User) -> Wanted:
    """Return what the document says. Raises InvalidRequest with every fault, LockedPreference where that is all."""
    found: list[Fault] = []
    data, missing = _without_unbuilt(data)
    found += missing
    try:
        body = bodies.check(data, Choices)
    except InvalidRequest as error:
        raise InvalidRequest(
            errors=faults.one_per_place([*error.errors, *found, *_times(data), *_channels(data)])
        ) from None
    categories = {category.key: category for category in Category.objects.filter(key__in=body.categories or ())}
    found += [*_channels(data), *_times(data), *_unknown(body, categories, user)]
    wanted = _wanted(body, categories) if not found else None
    if wanted is None:
        known = [choice for choice in _choices(body, categories) if choice.channel in CHANNELS]
        raise InvalidRequest(errors=found + consent.refusals(user, known))
    return wanted


def _without_unbuilt(data: Any) -> tuple[Any, list[Fault]]:
    """Return the document without the fields of later releases, and a fault for each that says something."""
    if not isinstance(data, dict):
        return data, []
    found = [not_available(faults.join("", name)) for name in _NOT_BUILT if data.get(name)]
    data = {name: value for name, value in data.items() if name not in _NOT_BUILT}
    if isinstance(categories := data.get("categories"), dict):
        data["categories"] = dict(categories)
        for key, value in categories.items():
            if isinstance(value, dict):
                place = faults.join("/categories", key)
                found += [not_available(f"{place}/{name}") for name in _NOT_BUILT_IN_CATEGORIES if value.get(name)]
                data["categories"][key] = {k: v for k, v in value.items() if k not in _NOT_BUILT_IN_CATEGORIES}
    return data, found


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
    return Wanted(list(_choices(body, categories)), silences)


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
