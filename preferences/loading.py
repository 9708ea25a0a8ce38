"""Read what decisions need, for many people at once: the number of queries does not depend on the number of people."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from uuid import UUID

from django.conf import settings
from django.db import connection
from msgspec.structs import replace

from preferences import addresses, loading_at_once
from preferences.decisions import CategoryFacts, ContactPointFacts, Muted, Person
from preferences.loading_at_once import Row
from preferences.models import Category, ContactPoint, Mute, Preference, Suppression, User


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
        return _with_suppressions(_load_apart(pks))
    found, read = loading_at_once.rows(pks), loading_at_once.reader()
    if len(settings.BLIND_INDEX_KEYS) > 1:
        return _with_suppressions({pk: read(rows) for pk, rows in found.items()})
    return {pk: _known(known.get(pk), rows) or read(rows) for pk, rows in found.items()}


def _known(person: Person | None, rows: list[Row]) -> Person | None:
    return person if person is not None and person.made_of == rows else None


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


def _load_apart(pks: list[int]) -> dict[int, Person]:
    choices, mutes, points = _choices(pks), _mutes(pks), _contact_points(pks)
    return {
        user.pk: Person(
            pk=user.pk,
            user_id=user.user_id,
            name=user.name,
            locale=user.locale,
            timezone=user.timezone,
            attributes=user.attributes or {},
            erased=user.erased_at is not None,
            choices=choices[user.pk],
            mutes=tuple(mutes[user.pk]),
            contact_points=tuple(points[user.pk]),
            quiet_hours=user.quiet_hours,
            frequency_caps=tuple(user.frequency_caps),
            channel_priority=tuple(user.channel_priority),
            digests=user.digests,
            digest_at=user.digest_at,
            link_generation=user.link_generation,
        )
        for user in User.objects.filter(pk__in=pks)
    }


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


def _contact_points(pks: list[int]) -> dict[int, list[ContactPointFacts]]:
    """Oldest first, so that a person's first address stays their first."""
    found: dict[int, list[ContactPointFacts]] = defaultdict(list)
    for point in ContactPoint.objects.filter(user_id__in=pks).order_by("id"):
        disabled = point.disabled_at is not None
        facts = ContactPointFacts(
            id=point.id,
            channel=point.channel,
            address=point.address,
            usable=not disabled,
            disabled_reason=point.disabled_reason if disabled else "",
            verified=point.confirmed_at is not None,
            secret=point.secret,
        )
        found[point.user_id].append(facts)
    return found


def _with_suppressions(people: dict[int, Person]) -> dict[int, Person]:
    """Return the people with what their addresses are suppressed under by any blind index key. One query."""
    ids: dict[tuple[str, bytes], list[UUID]] = defaultdict(list)
    for person in people.values():
        for point in person.contact_points:
            for index in addresses.indexes(point.channel, point.address):
                ids[(point.channel, index)].append(point.id)
    rows = Suppression.objects.filter(address_index__in=[index for _, index in ids])
    reasons = {
        id: reason
        for channel, index, reason in rows.values_list("channel", "address_index", "reason")
        for id in ids.get((channel, bytes(index)), ())
    }
    return {pk: _suppressed(person, reasons) if reasons else person for pk, person in people.items()}


def _suppressed(person: Person, reasons: Mapping[UUID, str]) -> Person:
    points = [
        replace(point, usable=False, suppressed=reasons[point.id])
        if point.id in reasons and not point.suppressed
        else point
        for point in person.contact_points
    ]
    return person.but(contact_points=tuple(points))
