"""Deleting a great many rows: some at a time, in transactions of their own, by any number of workers at once."""

from typing import Any

from django.db import transaction
from django.db.models import QuerySet

SIZE = 1000  # rows: milliseconds on a table that others read and write


def delete_some(rows: "QuerySet[Any]", *, size: int = SIZE) -> int:
    """Delete up to `size` of these rows; return how many were found. What another worker is deleting is left to it."""
    with transaction.atomic():
        keys = list(rows.order_by().select_for_update(skip_locked=True).values_list("pk", flat=True)[:size])
        if keys:
            rows.model._default_manager.filter(pk__in=keys).delete()
    return len(keys)
