"""Read what decisions need, for many people at once: the number of queries does not depend on the number of people."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import connection

from preferences import addresses, loading_at_once
from preferences.consent import WISHES
from preferences.decisions import CategoryFacts, ContactPointFacts, Muted, Person
from preferences.loading_at_once import Stored
from preferences.models import Category, ContactPoint, Mute, Preference, Suppression, User

_FIELDS = ("id", "user_id", "name", "locale", "timezone", "attributes", "erased_at", "link_generation", *WISHES)


def load_people(user_pks: Iterable[int]) -> dict[int, Person]:
    """Return the people behind these keys, by key; unknown keys are absent.

    One statement on PostgreSQL, five elsewhere, whatever the number; and one more there while blind index keys are
    rotated, for what an address is suppressed under may be another key's than what it is stored under.
    """
    return _load(list(user_pks), {})


def look_again(people: Mapping[int, Person]) -> dict[int, Person]:
    """Load those people once more: the very object given for whom nothing has changed, a new one for whom it has.

    The statements are those of `load_people`; on PostgreSQL, unless keys are rotated, only what has changed is opened
    and read. Who is gone is absent.
    """
    return _load(list(people), people)


def _load(pks: list[int], known: Mapping[int, Person]) -> dict[int, Person]:
    if connection.vendor != "postgresql":
        return _people(_load_apart(pks))
    rows = loading_at_once.rows(pks, _FIELDS)
    if len(settings.BLIND_INDEX_KEYS) > 1:
        return _people([loading_at_once.stored(row, _FIELDS) for row in rows])
    return {row[0]: _known(known.get(row[0]), row) or _made_of(row) for row in rows}


def _known(person: Person | None, row: tuple[Any, ...]) -> Person | None:
    return person if person is not None and person.made_of == row else None


def _made_of(row: tuple[Any, ...]) -> Person:
    person = _person(loading_at_once.stored(row, _FIELDS), {})
    object.__setattr__(person, "made_of", row)
    return person


def _people(found: Sequence[Stored]) -> dict[int, Person]:
    """Return people whose suppressions are still to be looked up, under every blind index key."""
    suppressed = _suppressed((id, channel, address) for each in found for id, channel, address, *_ in each.points)
    return {each.fields[0]: _person(each, suppressed) for each in found}


def _person(stored: Stored, suppressed: Mapping[UUID, str]) -> Person:
    pk, user_id, name, locale, timezone, attributes, erased_at, generation, *wishes = stored.fields
    return Person(
        pk=pk,
        user_id=user_id,
        name=name,
        locale=locale,
        timezone=timezone,
        attributes=attributes or {},
        erased=erased_at is not None,
        choices=stored.choices,
        mutes=tuple(stored.mutes),
        contact_points=tuple([_point(point, suppressed) for point in stored.points]),
        quiet_hours=wishes[0],
        frequency_caps=tuple(wishes[1]),
        channel_priority=tuple(wishes[2]),
        digests=wishes[3],
        digest_at=wishes[4],
        link_generation=generation,
    )


def _point(stored: tuple[Any, ...], suppressed: Mapping[UUID, str]) -> ContactPointFacts:
    id, channel, address, secret, verified, disabled, disabled_reason, reason = stored
    reason = reason or suppressed.get(id, "")
    return ContactPointFacts(
        id=id,
        channel=channel,
        address=address,
        usable=not (disabled or reason),
        suppressed=reason,
        disabled_reason=disabled_reason if disabled else "",
        verified=verified,
        secret=secret,
    )


def load_person(user_pk: int) -> Person:
    """Return one person. Raises KeyError when there is no such user."""
    return load_people([user_pk])[user_pk]


def load_categories() -> dict[int, CategoryFacts]:
    """Return what every category says, by primary key, in the order people read them. One query."""
    return {category.pk: category_facts(category) for category in Category.objects.all()}


def category_facts(category: Category) -> CategoryFacts:
    return CategoryFacts(
        key=category.key,
        name=category.name,
        required=frozenset(category.required_channels),
        defaults=category.default_channels,
        urgent=category.urgent,
        double_opt_in=category.double_opt_in,
        gathers_overflow=category.overflow == Category.Overflow.DIGEST,
    )


def choices(user_pk: int) -> dict[tuple[str, str], bool]:
    """Return one person's explicit choices as `Person.choices` has them. One query."""
    return _choices([user_pk]).get(user_pk, {})


def _load_apart(pks: list[int]) -> list[Stored]:
    choices, mutes, points = _choices(pks), _mutes(pks), _contact_points(pks)
    rows = User.objects.filter(pk__in=pks).values_list(*_FIELDS)
    return [Stored([pk, *rest], points[pk], choices[pk], mutes[pk]) for pk, *rest in rows]


def _choices(pks: list[int]) -> dict[int, dict[tuple[str, str], bool]]:
    found: dict[int, dict[tuple[str, str], bool]] = defaultdict(dict)
    rows = Preference.objects.filter(user_id__in=pks).values_list("user_id", "category__key", "channel", "enabled")
    for pk, category, channel, enabled in rows:
        found[pk][(category or "", channel)] = enabled
    return found


def _mutes(pks: list[int]) -> dict[int, list[Muted]]:
    found: dict[int, list[Muted]] = defaultdict(list)
    rows = Mute.objects.filter(user_id__in=pks).values_list("user_id", "category__key", "type_key", "until")
    for pk, category, type_key, until in rows.order_by("id"):
        found[pk].append(Muted(category or "", type_key, until))
    return found


def _contact_points(pks: list[int]) -> dict[int, list[tuple[Any, ...]]]:
    """Oldest first, so that a person's first address stays their first."""
    found: dict[int, list[tuple[Any, ...]]] = defaultdict(list)
    rows = ContactPoint.objects.filter(user_id__in=pks).order_by("id")
    names = ("user_id", "id", "channel", "address", "secret", "confirmed_at", "disabled_at", "disabled_reason")
    for pk, id, channel, address, secret, confirmed_at, disabled_at, reason in rows.values_list(*names):
        point = (id, channel, address, secret, confirmed_at is not None, disabled_at is not None, reason, "")
        found[pk].append(point)
    return found


def _suppressed(points: Iterable[tuple[UUID, str, str]]) -> dict[UUID, str]:
    """Return the reason per suppressed contact point, tried under every blind index key. One query."""
    ids: dict[tuple[str, bytes], list[UUID]] = defaultdict(list)
    for id, channel, address in points:
        for index in addresses.indexes(channel, address):
            ids[(channel, index)].append(id)
    rows = Suppression.objects.filter(address_index__in=[index for _, index in ids])
    return {
        id: reason
        for channel, index, reason in rows.values_list("channel", "address_index", "reason")
        for id in ids.get((channel, bytes(index)), ())
    }
