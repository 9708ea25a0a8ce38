"""Everything that is known of a person, as one JSON document, written while it is read.

The document is made of sections, each a list of objects, one object a line. Rooms name theirs in
settings.EXPORT_SECTIONS. All of it is as it stood at one moment, and only a few hundred rows are in memory at a time.
"""

from collections.abc import Callable, Generator, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any, TypeVar
from uuid import UUID

from django.conf import settings
from django.db.models import Field, ForeignKey, Model, QuerySet
from django.utils.module_loading import import_string

from preferences.documents import time_text
from preferences.models import User
from project.foundation import clock, json_text
from project.foundation.snapshots import snapshot

FORMAT = "carillon.person.1"
BATCH = 200  # rows read at once

Row = dict[str, Any]
R = TypeVar("R", bound=Model)


@dataclass(frozen=True)
class Section:
    """One list of the document.

    `tables`: which it tells of, and of each the columns that it leaves out, with the reason. All others are told, and
    those that a table gets later too.
    """

    name: str
    rows: "Callable[[User, Teller], Iterable[Row]]"
    tables: Mapping[str, Mapping[str, str]]  # {"preferences.ContactPoint": {"secret": "why"}}


@dataclass
class Teller:
    """Turns rows into what is told of them. One an export: it keeps the keys of categories, types and the like."""

    left_out: Mapping[str, Mapping[str, str]]
    _keys: dict[type[Model], dict[Any, str]] = field(default_factory=dict)

    def __call__(self, row: Model) -> Row:
        """Return a row's columns but for those left out and the person, in plain values; what it names, by its key."""
        silent = self.left_out[row._meta.label]
        columns = [each for each in row._meta.concrete_fields if each.name not in silent and not _is_person(each)]
        return {each.name: self._value(row, each) for each in columns}

    def _value(self, row: Model, column: "Field[Any, Any]") -> Any:
        value = getattr(row, column.attname)
        model = column.related_model if isinstance(column, ForeignKey) else None
        if value is not None and isinstance(model, type) and (name := _key_of(model)):
            return self._known(model, name).get(value)
        return plain(value)

    def _known(self, model: type[Model], name: str) -> dict[Any, str]:
        if model not in self._keys:
            self._keys[model] = dict(model._default_manager.values_list("pk", name))
        return self._keys[model]


def sections() -> list[Section]:
    """Return all sections, in the order in which they are told."""
    return [section for path in settings.EXPORT_SECTIONS for section in import_string(path)]


def document(user_pk: int) -> Generator[bytes, None, None]:
    """Yield the document, a line at a time. It is whole if it ends with `"complete": true`."""
    with snapshot():
        user, every = User.objects.get(pk=user_pk), sections()
        tell = Teller({label: silent for section in every for label, silent in section.tables.items()})
        head = {"format": FORMAT, "made_at": time_text(clock.now()), "user_id": user.user_id}
        yield f"{json_text.write(head)[:-1]},\n".encode()
        for section in every:
            yield from _list(section.name, section.rows(user, tell))
        yield b'"complete":true}\n'


def read(rows: "QuerySet[R]") -> Iterator[R]:
    """Yield rows as the database gives them, BATCH at a time."""
    return rows.iterator(chunk_size=BATCH)


def own(model: type[Model]) -> "Callable[[User, Teller], Iterable[Row]]":
    """Return what tells every row of a table that is the person's, the oldest first."""
    return lambda user, tell: map(tell, read(model._default_manager.filter(user=user).order_by("pk")))


def batches(rows: Iterable[R]) -> Iterator[list[R]]:
    """Yield rows in lists of BATCH."""
    held: list[R] = []
    for row in rows:
        held.append(row)
        if len(held) == BATCH:
            yield held
            held = []
    if held:
        yield held


def plain(value: Any) -> Any:
    """Return a value as JSON has it. Of staff only that it was staff: their names are theirs."""
    if isinstance(value, datetime):
        return time_text(value)
    if isinstance(value, str) and value.startswith("staff:"):
        return "staff"
    return str(value) if isinstance(value, UUID | date) else value


def _list(name: str, rows: Iterable[Row]) -> Iterator[bytes]:
    begin = f'"{name}":['
    for row in rows:
        yield f"{begin}\n{json_text.write(row)}".encode()
        begin = ","
    yield b"],\n" if begin == "," else f"{begin}],\n".encode()


def _is_person(column: "Field[Any, Any]") -> bool:
    return column.related_model is User


def _key_of(model: type[Model]) -> str:
    """Return the field by which people know a row of a small table: its unique key or name."""
    found = (each.name for each in model._meta.concrete_fields if each.name in ("key", "name") and each.unique)
    return next(found, "")
