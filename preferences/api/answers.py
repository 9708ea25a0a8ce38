"""What the API of people and categories answers, as its OpenAPI description says it."""

from collections.abc import Iterable
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any

from msgspec import UNSET, Struct, UnsetType

from preferences import contact_points, primary_addresses, timing, webhook_secrets
from preferences.models import Category, ContactPoint, User
from project.foundation.problems import Problem


class UserAnswer(Struct):
    """`email` and `phone` are the primary addresses, or where there is none, the oldest ones."""

    user_id: str
    name: str | None
    email: str | None
    phone: str | None
    locale: str | None
    timezone: str | None
    attributes: dict[str, Any]
    created_at: datetime
    updated_at: datetime


class UserPage(Struct):
    results: list[UserAnswer]
    next: str | None


class ErasedAnswer(Struct):
    user_id: str
    erased_at: datetime


class ContactPointAnswer(Struct):
    id: str
    channel: str
    address: str  # masked
    label: str
    verified_at: datetime | None
    confirmed_at: datetime | None
    disabled_at: datetime | None
    disabled_reason: str | None
    created_at: datetime
    secret: str | UnsetType = UNSET  # of a new webhook, once


class ContactPointPage(Struct):
    results: list[ContactPointAnswer]
    next: str | None


class FaultAnswer(Struct):
    pointer: str
    code: str
    message: str


class BulkResult(Struct, omit_defaults=True):
    """One item of the request: what was done (200, 201), or what is wrong with it."""

    index: int
    status: int
    user_id: str | None = None
    code: str | None = None
    detail: str | None = None
    errors: list[FaultAnswer] = []


class BulkAnswer(Struct):
    results: list[BulkResult]


class CategoryAnswer(Struct):
    key: str
    name: str
    description: str
    kind: str
    required_channels: list[str]
    default_channels: dict[str, bool]
    overflow: str
    urgent: bool
    unknown_outcome: str
    approval: bool
    track_opens: bool
    track_clicks: bool
    double_opt_in: bool


class CategoryPage(Struct):
    results: list[CategoryAnswer]
    next: str | None


class CategoryPreferences(Struct):
    enabled: bool | None
    channels: dict[str, bool | None]
    digest: timing.Digest | None
    muted_until: str | None


class TypePreferences(Struct):
    muted_until: str | None


class PreferencesAnswer(Struct):
    """null = no explicit choice: the default applies."""

    channels: dict[str, bool | None]
    categories: dict[str, CategoryPreferences]
    types: dict[str, TypePreferences]
    muted_until: str | None
    quiet_hours: timing.QuietWish | None
    frequency_caps: list[timing.Cap]
    channel_priority: list[str]


class EffectiveChoice(Struct):
    """What applies, and why: `choice` is the person's own word on this very thing, `text` a sentence for them."""

    enabled: bool
    choice: bool | None
    locked: bool
    rule: str
    source: str
    text: str


class EffectiveCategory(Struct):
    name: str
    channels: dict[str, EffectiveChoice]
    muted_until: str | None


class EffectiveAnswer(Struct):
    """With `?effective=true`: what applies instead of what was chosen."""

    channels: dict[str, EffectiveChoice]
    categories: dict[str, EffectiveCategory]
    types: dict[str, TypePreferences]
    muted_until: str | None


def user(row: User, points: Iterable[ContactPoint]) -> UserAnswer:
    return UserAnswer(
        user_id=row.user_id,
        name=row.name or None,
        **primary_addresses.of(list(points)),
        locale=row.locale or None,
        timezone=row.timezone or None,
        attributes=row.attributes or {},
        created_at=row.created_at.astimezone(UTC),
        updated_at=row.updated_at.astimezone(UTC),
    )


def contact_point(row: ContactPoint, *, with_secret: bool = False) -> ContactPointAnswer:
    return ContactPointAnswer(
        id=str(row.id),
        channel=row.channel,
        address=contact_points.masked(row),
        label=row.label,
        verified_at=_utc(row.verified_at),
        confirmed_at=_utc(row.confirmed_at),
        disabled_at=_utc(row.disabled_at),
        disabled_reason=row.disabled_reason or None,
        created_at=row.created_at.astimezone(UTC),
        secret=webhook_secrets.current(row.secret) if with_secret and row.secret else UNSET,
    )


def category(row: Category) -> CategoryAnswer:
    return CategoryAnswer(**{name: getattr(row, name) for name in CategoryAnswer.__struct_fields__})


def bulk_problem(index: int, problem: Problem, pointer: str = "") -> BulkResult:
    """Return an item's problem; `pointer` is put before those of its faults."""
    errors = [FaultAnswer(**asdict(fault)) for fault in problem.errors]
    for error in errors:
        error.pointer = pointer + error.pointer
    return BulkResult(index, problem.status, code=problem.code, detail=problem.detail or problem.title, errors=errors)


def _utc(moment: datetime | None) -> datetime | None:
    return moment.astimezone(UTC) if moment else None
