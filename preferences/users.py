"""People as their callers tell of them: one by one or a thousand at once, safe to repeat and to race."""

import secrets
from collections.abc import Iterable, Mapping, Sequence, Set
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.contrib.auth.hashers import UNUSABLE_PASSWORD_PREFIX
from django.db import transaction
from msgspec import UNSET, Struct, UnsetType

from preferences import primary_addresses
from preferences.models import User
from preferences.profiles import clean
from project.foundation import bulk
from project.foundation.problems import Fault, InvalidRequest, Problem, StaffUser

_STORED = ("name", "locale", "timezone", "attributes")


class UserFields(Struct, forbid_unknown_fields=True):
    """What a caller may say of a user. An absent field stays as it is, null clears it, `attributes` replaces all."""

    name: str | None | UnsetType = UNSET
    email: str | None | UnsetType = UNSET
    phone: str | None | UnsetType = UNSET
    locale: str | None | UnsetType = UNSET
    timezone: str | None | UnsetType = UNSET
    attributes: dict[str, Any] | None | UnsetType = UNSET


@dataclass(frozen=True)
class Upserted:
    """What became of one item."""

    user: User
    created: bool
    changed: bool  # whether anything is other than it was; of a new user always


Items = Sequence[tuple[str, UserFields]]
Wanted = dict[str, dict[str, Any]]  # user_id → the fields in the form they are stored in


def upsert(user_id: str, fields: UserFields) -> tuple[User, bool]:
    """Create or change one user; return it and whether it is new. Raises InvalidRequest with all faults, StaffUser."""
    (result,) = upsert_many([(user_id, fields)])
    if isinstance(result, Problem):
        raise result
    return result.user, result.created


def upsert_many(items: Items, *, adds_attributes: bool = False) -> list[Upserted | Problem]:
    """Create or change many users in one transaction; return one result per item, in their order.

    A bad item is answered with its problem and spoils no other; of two items with one user_id the later is laid over
    the earlier. With `adds_attributes` the attributes are laid over those that are there, and None removes one.
    On PostgreSQL the number of statements does not depend on the number of items.
    """
    faults, wanted = _cleaned(items, adds_attributes)
    with transaction.atomic():
        users, created = _lock_or_create(wanted, adds_attributes)
        own, too_long = _of_people(wanted, users, adds_attributes)
        changed = _change({user_id: values for user_id, values in own.items() if user_id not in created}, users)
        moved = primary_addresses.replace({users[user_id].pk: values for user_id, values in own.items()})
    changed |= created | {user_id for user_id in own if users[user_id].pk in moved}
    return _results(items, faults, too_long, {user_id: users[user_id] for user_id in own}, created, changed)


def preview_many(items: Items, *, adds_attributes: bool = False) -> list[Upserted | Problem]:
    """Return what `upsert_many` would answer now. Two queries, no locks, and nothing is written."""
    faults, wanted = _cleaned(items, adds_attributes)
    users = {user.user_id: user for user in User.objects.filter(user_id__in=list(wanted))}
    created = wanted.keys() - users.keys()
    own, too_long = _of_people({key: wanted[key] for key in wanted if key in users}, users, adds_attributes)
    changed = {user_id for user_id, values in own.items() if _assign(users[user_id], values)}
    moved = primary_addresses.would_move({users[user_id].pk: values for user_id, values in own.items()})
    changed |= created | {user_id for user_id in own if users[user_id].pk in moved}
    found = {user_id: users[user_id] for user_id in own} | {user_id: User(user_id=user_id) for user_id in created}
    return _results(items, faults, too_long, found, created, changed)


def find_pks(user_ids: Sequence[str]) -> dict[str, int]:
    """Return the keys of those of the people that exist and are not erased, by user_id. One query."""
    found = User.objects.filter(user_id__in=set(user_ids), erased_at=None)
    return dict(found.values_list("user_id", "pk"))


def _cleaned(items: Items, adds: bool) -> tuple[list[list[Fault]], Wanted]:
    """Return the faults of each item, and what the good ones say of each user together."""
    faults: list[list[Fault]] = []
    wanted: Wanted = {}
    for user_id, fields in items:
        values, wrong = clean(user_id, _given(fields))
        faults.append(wrong)
        if not wrong:
            earlier = wanted.setdefault(user_id, {})
            if adds and "attributes" in values:
                values["attributes"] = earlier.get("attributes", {}) | values["attributes"]
            earlier.update(values)
    return faults, wanted


def _given(fields: UserFields) -> dict[str, Any]:
    given = {name: getattr(fields, name) for name in UserFields.__struct_fields__}
    return {name: value for name, value in given.items() if not isinstance(value, UnsetType)}


def _of_people(wanted: Wanted, users: Mapping[str, User], adds: bool) -> tuple[Wanted, dict[str, list[Fault]]]:
    """Return what is wanted of people, not of staff, and the faults of those whose attributes became too many."""
    own = {user_id: values for user_id, values in wanted.items() if not users[user_id].is_staff}
    if not adds:
        return own, {}
    own = {user_id: _laid_over(users[user_id], values) for user_id, values in own.items()}
    faults = {user_id: clean(user_id, _attributes_of(values))[1] for user_id, values in own.items()}
    too_long = {user_id: wrong for user_id, wrong in faults.items() if wrong}
    return {user_id: values for user_id, values in own.items() if user_id not in too_long}, too_long


def _laid_over(user: User, values: dict[str, Any]) -> dict[str, Any]:
    if "attributes" not in values:
        return values
    given = values["attributes"]
    gone = {name for name, value in given.items() if value is None}
    attributes = {name: value for name, value in (user.attributes | given).items() if name not in gone}
    return values | {"attributes": attributes}


def _attributes_of(values: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in values.items() if name == "attributes"}


def _results(
    items: Items,
    faults: Sequence[list[Fault]],
    too_long: Mapping[str, list[Fault]],
    users: Mapping[str, User],
    created: Set[str],
    changed: Set[str],
) -> list[Upserted | Problem]:
    results: list[Upserted | Problem] = []
    seen: set[str] = set()
    for (user_id, _), wrong in zip(items, faults, strict=True):
        if wrong or user_id in too_long:
            results.append(InvalidRequest(errors=wrong or too_long[user_id]))
        elif user_id not in users:
            results.append(StaffUser())
        else:
            # A second item of the same user changed what the first one made.
            new = user_id in created and user_id not in seen
            results.append(Upserted(users[user_id], new, user_id in changed))
            seen.add(user_id)
    return results


def _lock_or_create(wanted: Wanted, adds: bool) -> tuple[dict[str, User], set[str]]:
    """Return all wanted users, locked, by user_id, and the ids of those that are new."""
    users = _locked(wanted)
    new = {user_id: User(user_id=user_id) for user_id in sorted(wanted.keys() - users.keys())}
    if not new:
        return users, set()
    for user_id, user in new.items():
        _assign(user, _laid_over(user, wanted[user_id]) if adds else wanted[user_id])
        # As `set_unusable_password` makes it, whose forty choices cost as much as all the rest of a row.
        user.password = f"{UNUSABLE_PASSWORD_PREFIX}{secrets.token_urlsafe(30)}"
    User.objects.bulk_create(new.values(), ignore_conflicts=True)
    stored = _locked(new)
    # An unusable password is random, so it tells whose insert won when two calls raced for one new user.
    created = {user_id for user_id, user in stored.items() if user.password == new[user_id].password}
    return users | stored, created


def _locked(user_ids: Iterable[str]) -> dict[str, User]:
    # Always in one order, so that two overlapping calls wait for each other instead of deadlocking.
    rows = User.objects.select_for_update(no_key=True).filter(user_id__in=list(user_ids)).order_by("user_id")
    return {user.user_id: user for user in rows}


def _change(changes: Mapping[str, dict[str, Any]], users: Mapping[str, User]) -> set[str]:
    changed = [users[user_id] for user_id, values in changes.items() if _assign(users[user_id], values)]
    bulk.update(changed, [*_STORED, "filterable", "updated_at"])
    return {user.user_id for user in changed}


def _assign(user: User, values: Mapping[str, Any]) -> bool:
    """Set the stored fields on the instance; tell whether any of them is different now."""
    before = [getattr(user, name) for name in _STORED]
    for name in _STORED:
        if name in values:
            setattr(user, name, values[name])
    if "attributes" in values:
        listed = settings.FILTERABLE_ATTRIBUTES
        user.filterable = {name: values["attributes"][name] for name in listed if name in values["attributes"]}
    return before != [getattr(user, name) for name in _STORED]
