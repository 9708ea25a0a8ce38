"""Writing types."""

import re
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.db import transaction

from preferences.models import Category
from project.foundation import audit
from project.foundation.problems import Fault, InvalidRequest
from templates_app import schemas
from templates_app.models import Template, Type
from templates_app.models.type import Priority

KEY = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.:-]{0,99}")
SHORTEST, LONGEST = timedelta(seconds=1), timedelta(days=366)


@dataclass(frozen=True)
class Wanted:
    """What a type shall be. Category and template are keys."""

    name: str
    category: str
    template: str | None = None
    schema: dict[str, Any] | None = None
    priority: str = Priority.MEDIUM
    expires_after: timedelta | None = None


def save(key: str, wanted: Wanted, *, actor: str) -> tuple[Type, bool]:
    """Make or replace a type; return it and whether it is new. Raises InvalidRequest with every fault."""
    if found := faults(wanted):
        raise InvalidRequest(errors=found)
    with transaction.atomic():
        type_, created = Type.objects.update_or_create(
            key=key,
            defaults={
                "name": wanted.name,
                "category": Category.objects.get(key=wanted.category),
                "template": Template.objects.get(key=wanted.template) if wanted.template else None,
                "schema": wanted.schema,
                "priority": wanted.priority,
                "expires_after": wanted.expires_after,
            },
        )
        audit.record(actor, "type.created" if created else "type.changed", f"type:{key}")
    return type_, created


def faults(wanted: Wanted) -> list[Fault]:
    """Return all that keeps a type from being what is wanted."""
    found = [] if wanted.schema is None else schemas.check(wanted.schema, "/schema")
    if not Category.objects.filter(key=wanted.category).exists():
        found.append(Fault("/category", "unknown_category", "There is no such category."))
    if wanted.template and not Template.objects.filter(key=wanted.template).exists():
        found.append(Fault("/template", "unknown_template", "There is no such template."))
    if wanted.expires_after is not None and not SHORTEST <= wanted.expires_after <= LONGEST:
        found.append(Fault("/expires_after", "invalid_value", "It is between one second and 366 days."))
    return found
