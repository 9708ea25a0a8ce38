"""Categories: what people may opt out of, as a service or an operator sets them up."""

from typing import Any

from django.db import transaction

from preferences.models import Category
from project.foundation import audit

_HOLDS = {Category.Kind.MARKETING}  # what may go out twice does no harm, except where people never asked for it


def put(key: str, values: dict[str, Any], *, actor: str) -> tuple[Category, bool]:
    """Create or replace a category; what `values` does not name gets its default. Return it and whether it is new."""
    outcomes = Category.UnknownOutcome
    unknown_outcome = outcomes.HOLD if values.get("kind") in _HOLDS else outcomes.RESEND
    defaults = {field.name: field.get_default() for field in Category._meta.concrete_fields if not field.primary_key}
    values = defaults | {"unknown_outcome": unknown_outcome} | values | {"key": key}
    with transaction.atomic():
        category, created = Category.objects.update_or_create(key=key, defaults=values)
        action = "category.created" if created else "category.changed"
        audit.record(actor, action, f"category:{key}", fields=sorted(values))
    return category, created
