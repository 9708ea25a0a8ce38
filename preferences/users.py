"""People as their callers tell of them: one by one or a thousand at once, safe to repeat and to race."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.db import transaction
from msgspec import UNSET, Struct, UnsetType

from preferences import primary_addresses
from preferences.models import User
from preferences.profiles import clean
from project.foundation import bulk
from project.foundation.problems import InvalidRequest, Problem, StaffUser

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


def upsert(user_id: str, fields: UserFields) -> tuple[User, bool]:
    """Create or change one user; return it and whether it is new. Raises InvalidRequest with all faults, StaffUser."""
    (result,) = upsert_many([(user_id, fields)])
    if isinstance(result, Problem):
        raise result
    return result.user, result.created


def upsert_many(items: Sequence[tuple[str, UserFields]]) -> list[Upserted | Problem]:
    """Create or change many users in one transaction; return one result per item, in their order.

    A bad item is answered with its problem and spoils no other; of two items with one user_id the later is laid over
    the earlier. On PostgreSQL the number of statements does not depend on the number of items.
    """
    cleaned = [clean(user_id, _given(fields)) for user_id, fields in items]
    merged: dict[str, dict[str, Any]] = {}
    for (user_id, _), (values, faults) in zip(items, cleaned, strict=True):
        if not faults:
            merged.setdefault(user_id, {}).update(values)
    with transaction.atomic():
        users, created = _lock_or_create(merged)
        own = {user_id: values for user_id, values in merged.items() if not users[user_id].is_staff}
        _change({user_id: values for user_id, values in own.items() if user_id not in created}, users)
        primary_addresses.replace({users[user_id].pk: values for user_id, values in own.items()})
    results: list[Upserted | Problem] = []
    for (user_id, _), (_, faults) in zip(items, cleaned, strict=True):
        if faults:
            results.append(InvalidRequest(errors=faults))
        elif user_id not in own:
            results.append(StaffUser())
        else:
            results.append(Upserted(users[user_id], user_id in created))
            created.discard(user_id)  # a second item of the same user changed what the first one made
    return results


def find_pks(user_ids: Sequence[str]) -> dict[str, int]:
    """Return the keys of those of the people that exist and are not erased, by user_id. One query."""
    found = User.objects.filter(user_id__in=set(user_ids), erased_at=None)
    return dict(found.values_list("user_id", "pk"))


def _given(fields: UserFields) -> dict[str, Any]:
    given = {name: getattr(fields, name) for name in UserFields.__struct_fields__}
    return {name: value for name, value in given.items() if not isinstance(value, UnsetType)}


def _lock_or_create(wanted: Mapping[str, dict[str, Any]]) -> tuple[dict[str, User], set[str]]:
    """Return all wanted users, locked, by user_id, and the ids of those that are new."""
    users = _locked(wanted)
    new = {user_id: User(user_id=user_id) for user_id in sorted(wanted.keys() - users.keys())}
    if not new:
        return users, set()
    for user_id, user in new.items():
        _assign(user, wanted[user_id])
        user.set_unusable_password()
    User.objects.bulk_create(new.values(), ignore_conflicts=True)
    stored = _locked(new)
    # An unusable password is random, so it tells whose insert won when two calls raced for one new user.
    created = {user_id for user_id, user in stored.items() if user.password == new[user_id].password}
    return users | stored, created


def _locked(user_ids: Iterable[str]) -> dict[str, User]:
    # Always in one order, so that two overlapping calls wait for each other instead of deadlocking.
    rows = User.objects.select_for_update(no_key=True).filter(user_id__in=list(user_ids)).order_by("user_id")
    return {user.user_id: user for user in rows}


def _change(changes: Mapping[str, dict[str, Any]], users: Mapping[str, User]) -> None:
    changed = [users[user_id] for user_id, values in changes.items() if _assign(users[user_id], values)]
    bulk.update(changed, [*_STORED, "filterable", "updated_at"])


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
