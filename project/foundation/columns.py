"""Model values as the text that PostgreSQL reads, a whole column at a time: for COPY and for arrays.

The ORM prepares each value of each row by itself, which costs more than the server takes to store it. Here each field
is looked at once a process, and what is the same in all rows is written out once.
"""

import json
from collections.abc import Callable, Sequence
from datetime import datetime
from functools import cache
from operator import attrgetter, itemgetter
from typing import Any
from uuid import UUID

from django.db import connection, models
from psycopg.adapt import PyFormat, Transformer

from project.foundation import json_text
from project.foundation.encryption import EncryptedTextField

Write = Callable[[Any], str | None]
WriteAll = Callable[[Sequence[Any]], list[Any] | None]
Read = Callable[[Any], Any]

_number, _fields = attrgetter("int"), attrgetter("__dict__")


class Json(str):
    """JSON that is written out already, as the value of a JSONField: what many rows share is written out once."""

    __slots__ = ()


class Column:
    """One field of a model. `texts` is what PostgreSQL's input function for its type takes; None is NULL."""

    def __init__(self, field: Any) -> None:
        self.field = field
        self.name: str = field.attname
        self.quoted: str = connection.ops.quote_name(field.column)
        self.type: str = field.db_type(connection)  # of a foreign key: that of what it points to
        self._write, self._plain = _writer(field.target_field if field.is_relation else field)
        self._write_all = _writer_of_all(field, self._write)
        self._sealed = isinstance(field, EncryptedTextField)  # never one ciphertext for two rows
        self._hexadecimal = self._sealed or self._write is _binary
        self.set_when_saved = field if _sets_itself(field) else None

    def for_copy(self, texts: Sequence[str | None]) -> list[str]:
        """Return texts as the rows of COPY's text format have them."""
        if self._hexadecimal:
            texts = ["\\N" if text is None else "\\" + text for text in texts]  # its one backslash is doubled
        elif None in texts:
            texts = ["\\N" if text is None else text if self._plain else _in_copy(text) for text in texts]
        elif not self._plain:
            together = "".join(texts)  # type: ignore[arg-type]
            if "\\" in together or "\t" in together or "\n" in together or "\r" in together:
                texts = [_in_copy(text) for text in texts]  # type: ignore[arg-type]
        return texts  # type: ignore[return-value]

    def array(self, texts: Sequence[str | None]) -> str:
        """Return the column as one array literal."""
        if None in texts:
            write = str if self._plain else _in_array
            return "{" + ",".join(["NULL" if text is None else write(text) for text in texts]) + "}"
        if self._plain:
            return "{" + ",".join(texts) + "}"  # type: ignore[arg-type]
        together = '","'.join(texts)  # type: ignore[arg-type]
        if "\\" in together or together.count('"') > 2 * (len(texts) - 1):
            together = '","'.join(map(_escaped, texts))  # type: ignore[arg-type]
        return '{"' + together + '"}'

    def texts(self, rows: Sequence[models.Model]) -> list[str | None]:
        """Return the column's texts, one a row, or a single one where it is the same in all rows."""
        if self.set_when_saved is not None:
            return self.texts_of([self.set_when_saved.pre_save(row, row._state.adding) for row in rows])
        return self.texts_of([getattr(row, self.name) for row in rows])

    def texts_of(self, values: Sequence[Any]) -> list[str | None]:
        """Return the texts of values, or a single one where all are alike (sealed ones never are)."""
        first, write = values[0], self._write
        if values[-1] is first and self._are_all(values, first):
            return [None if first is None else write(first)]
        if (found := self._write_all(values)) is not None:
            return found
        return [None if value is None else write(value) for value in values]

    def _are_all(self, values: Sequence[Any], first: Any) -> bool:
        if first is None or self._plain or (type(first) is str and self._write is _text):
            return values.count(first) == len(values)  # identity is looked at first, and that is enough nearly always
        return not self._sealed and len(set(map(id, values))) == 1  # of JSON, 1 and true are equal and not the same


def texts_of_all(columns: Sequence[Column], rows: Sequence[models.Model]) -> list[list[str | None]]:
    """Return the texts of columns, as `Column.texts` does, at a third of what reading them one by one costs."""
    first, *others = columns
    if not others:
        return [first.texts(rows)]
    try:
        # Not by getattr: a foreign key's column has a descriptor, which is asked each time.
        read = itemgetter(*[column.name for column in columns])
        values = list(zip(*map(read, map(_fields, rows)), strict=True))
    except KeyError:  # deferred, or set by a default of the class
        return [column.texts(rows) for column in columns]
    return [
        column.texts_of(found) if column.set_when_saved is None else column.texts(rows)
        for column, found in zip(columns, values, strict=True)
    ]


@cache
def reader(field: Any) -> Read | None:
    """Return how a field's value is made of what the driver gives; None: it is that already."""
    if isinstance(field, models.JSONField):
        return json_text.read if field.decoder is None else lambda text: json.loads(text, cls=field.decoder)
    if hasattr(field, "from_db_value"):
        return lambda value: field.from_db_value(value, None, connection)
    return bytes if isinstance(field, models.BinaryField) else None


def _sets_itself(field: Any) -> bool:
    """Tell whether saving may change the value: `auto_now` and the like."""
    if isinstance(field, models.DateField | models.TimeField):
        return bool(field.auto_now or field.auto_now_add)
    return type(field).pre_save is not models.Field.pre_save


def _writer(field: Any) -> tuple[Write, bool]:
    """Return how a field's values are written, and whether that never needs quoting."""
    if isinstance(field, EncryptedTextField):
        return lambda value: "\\x" + field.get_prep_value(value).hex(), False
    kind = type(field)
    if kind is models.JSONField:
        return (_json if field.encoder is None else _adapted(field)), False
    return _WRITERS.get(kind, (_adapted(field), False))


def _writer_of_all(field: Any, write: Write) -> WriteAll:
    """Return how a field's values are written together: with None as the answer where they are not of one kind."""
    if isinstance(field, EncryptedTextField):
        return lambda values: None if None in values else ["\\x" + sealed.hex() for sealed in field.sealed_all(values)]
    kinds, written = _OF_ONE_KIND.get(write, (set(), list))
    return lambda values: written(values) if kinds >= set(map(type, values)) else None


def _uuid(value: Any) -> str:
    return f"{(value if type(value) is UUID else UUID(str(value))).int:032x}"


def _integer(value: Any) -> str:
    return str(int(value))


def _boolean(value: Any) -> str:
    return "t" if value else "f"


def _text(value: Any) -> str:
    return value if type(value) is str else str(value)


def _moment(value: Any) -> str:
    if type(value) is not datetime or value.tzinfo is None:
        raise TypeError(f"{value!r} is no moment with a time zone.")
    return value.isoformat()


def _binary(value: Any) -> str:
    return "\\x" + bytes(value).hex()


def _json(value: Any) -> str:
    return value if type(value) is Json else json_text.write(value)


_WRITERS: dict[type, tuple[Write, bool]] = {
    models.UUIDField: (_uuid, True),
    models.DateTimeField: (_moment, True),
    models.BooleanField: (_boolean, True),
    models.CharField: (_text, False),
    models.SlugField: (_text, False),
    models.TextField: (_text, False),
    models.BinaryField: (_binary, False),
    **dict.fromkeys(
        (
            models.AutoField,
            models.BigAutoField,
            models.SmallIntegerField,
            models.PositiveSmallIntegerField,
            models.IntegerField,
            models.PositiveIntegerField,
            models.BigIntegerField,
        ),
        (_integer, True),
    ),
}


_OF_ONE_KIND: dict[Write, tuple[set[type], Callable[[Sequence[Any]], list[str]]]] = {
    _uuid: ({UUID}, lambda values: ("%032x," * len(values) % tuple(map(_number, values)))[:-1].split(",")),
    _integer: ({int}, lambda values: list(map(str, values))),
    _text: ({str}, list),
    _binary: ({bytes}, lambda values: ["\\x" + value.hex() for value in values]),
    _json: ({dict, list}, json_text.write_all),
}


def _adapted(field: Any) -> Write:
    """Return how whatever else is written: as the ORM and psycopg would."""

    def write(value: Any) -> str | None:
        prepared = field.get_db_prep_save(value, connection)
        if prepared is None:
            return None
        dumped = Transformer(connection.connection).get_dumper(prepared, PyFormat.TEXT).dump(prepared)
        return None if dumped is None else bytes(dumped).decode()

    return write


def _in_copy(text: str) -> str:
    return text.replace("\\", "\\\\").replace("\t", "\\t").replace("\n", "\\n").replace("\r", "\\r")


def _in_array(text: str) -> str:
    return f'"{_escaped(text)}"'


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"')
