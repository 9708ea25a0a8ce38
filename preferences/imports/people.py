"""Rows that are people: the same as `POST /users/bulk` takes, with a column for each attribute."""

from collections.abc import Sequence
from typing import Any

from msgspec import UNSET

from preferences import profiles, users
from preferences.consent import Origin
from preferences.imports.columns import Shape
from preferences.imports.outcome import Outcome, Row
from preferences.users import UserFields
from project.foundation.problems import Fault, InvalidRequest, Problem

_ATTRIBUTE = "attributes."
_FIELDS = ("name", "email", "phone", "locale", "timezone")


class People:
    """An empty cell leaves what is there, or empties it where the row clears. Other attributes stay."""

    shape = Shape(("user_id",), _FIELDS, prefix=_ATTRIBUTE, longest=profiles.MAX_ATTRIBUTE_NAME)

    def check(self, rows: Sequence[Row]) -> list[Outcome]:
        return [_outcome(each) for each in users.preview_many([_item(row) for row in rows], adds_attributes=True)]

    def write(self, rows: Sequence[Row], origin: Origin) -> list[Outcome]:
        return [_outcome(each) for each in users.upsert_many([_item(row) for row in rows], adds_attributes=True)]


def _item(row: Row) -> tuple[str, UserFields]:
    said = {name: text for name, text in row.cells.items() if text.strip() or row.clears}
    fields: dict[str, Any] = {name: said[name].strip() or None for name in _FIELDS if name in said}
    attributes = {
        name.removeprefix(_ATTRIBUTE): text.strip() or None
        for name, text in said.items()
        if name.startswith(_ATTRIBUTE)
    }
    return row.cells["user_id"], UserFields(**fields, attributes=attributes or UNSET)


def _outcome(result: users.Upserted | Problem) -> Outcome:
    if isinstance(result, InvalidRequest):
        return result.errors
    if isinstance(result, Problem):
        return [Fault("/user_id", result.code, "This is a member of staff: files do not change them.")]
    if result.created:
        return "new"
    return "changed" if result.changed else "unchanged"
