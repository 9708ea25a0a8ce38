"""Types as acceptance needs them, kept by each process, never trusted: the statement that uses one checks its version.

PostgreSQL only: a row's version is where it lies and which transaction wrote it (ctid, xmin), both new at every change.
"""

from typing import Any

from django.db.models.expressions import RawSQL
from msgspec import Struct

from templates_app import schemas
from templates_app.models import Type

_MOST = 10_000
_known: dict[str, "KnownType"] = {}


class KnownType(Struct, frozen=True):
    """`validator` has is_valid(variables), and null takes all. `version` is (ctid, xmin)."""

    type: Type
    validator: Any
    version: tuple[str, str] = ("", "")


def get(key: str) -> KnownType | None:
    """Return a type as this process knows it; None when there is none. One query the first time."""
    found = _known.get(key)
    return _load(key) if found is None else found


def forget(key: str) -> None:
    """Read this type anew when it is next used: its version was not that of the row."""
    _known.pop(key, None)


def _load(key: str) -> KnownType | None:
    version = RawSQL("ARRAY[templates_app_type.ctid::text, templates_app_type.xmin::text]", ())
    row = Type.objects.annotate(version=version).filter(key=key).first()
    if row is None:
        return None
    place, writer = row.version
    if len(_known) >= _MOST:
        _known.clear()
    _known[key] = found = KnownType(row, schemas.validator(row.schema), (place, writer))
    return found
