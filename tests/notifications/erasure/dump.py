"""The database as a thief with the keys would read it: every cell in clear, and every sealed one opened."""

import base64
import json
import zlib
from collections.abc import Iterator
from typing import Any

from django.apps import apps
from django.core import signing
from django.db import connection

from project.foundation.encryption import CannotDecrypt, EncryptedTextField, decrypt


def found(needles: list[str]) -> dict[str, set[str]]:
    """Return where each of these texts stands, in any case: {"table.column": {needle, …}}."""
    places: dict[str, set[str]] = {}
    for table, column, text in cells():
        lowered = text.casefold()
        for needle in needles:
            if needle.casefold() in lowered:
                places.setdefault(f"{table}.{column}", set()).add(needle)
    return places


def cells() -> Iterator[tuple[str, str, str]]:
    """Yield (table, column, text) of everything that is stored, in every form in which it can be read."""
    for table, columns, rows in _tables():
        for row in rows:
            for column, value in zip(columns, row, strict=True):
                for text in _readings(table, column, value):
                    yield table, column, text


def _tables() -> Iterator[tuple[str, list[str], Any]]:
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
        else:
            cursor.execute("SELECT name FROM sqlite_master WHERE type = 'table'")
        for (table,) in cursor.fetchall():
            yield (
                (table, *_copied(cursor, table)) if connection.vendor == "postgresql" else (table, *_all(cursor, table))
            )


def _copied(cursor: Any, table: str) -> tuple[list[str], Any]:
    """Return what `pg_dump` would write, partition by partition; bytes are `\\x…` in it."""
    cursor.execute("SELECT attname FROM pg_attribute WHERE attrelid = %s::regclass AND attnum > 0", [table])
    columns = [name for (name,) in cursor.fetchall() if not name.startswith("........")]
    cursor.execute("SELECT relkind = 'p' FROM pg_class WHERE oid = %s::regclass", [table])
    if cursor.fetchone()[0]:
        return columns, []  # its partitions are tables, too
    with cursor.copy(f'COPY "{table}" TO STDOUT') as copying:
        text = b"".join(bytes(block) for block in copying).decode()
    return columns, [line.split("\t") for line in text.splitlines()]


def _all(cursor: Any, table: str) -> tuple[list[str], Any]:
    cursor.execute(f'SELECT * FROM "{table}"')
    return [column[0] for column in cursor.description], cursor.fetchall()


def _readings(table: str, column: str, value: Any) -> Iterator[str]:
    if isinstance(value, str) and value.startswith("\\\\x"):
        value = bytes.fromhex(value[3:])
    if isinstance(value, bytes | memoryview):
        yield from _opened(table, column, bytes(value))
        value = bytes(value).decode("latin-1")
    yield str(value)
    if (table, column) == ("django_session", "session_data"):
        yield str(signing.loads(value, salt="django.contrib.sessions.SessionStore", serializer=_Json))


def _opened(table: str, column: str, sealed: bytes) -> Iterator[str]:
    for name in _sealed_names().get(column, ()):
        try:
            text = decrypt(sealed, field=name)
        except CannotDecrypt:
            continue
        yield text
        for part in _strings(text):
            yield from _unpacked(part)


def _strings(text: str) -> Iterator[str]:
    """Yield the strings in a JSON text, or the text itself."""
    try:
        waiting = [json.loads(text)]
    except ValueError:
        waiting = [text]
    while waiting:
        value = waiting.pop()
        if isinstance(value, dict):
            waiting += [*value, *value.values()]
        elif isinstance(value, list):
            waiting += value
        elif isinstance(value, str):
            yield value


def _unpacked(text: str) -> Iterator[str]:
    """Yield what lies in files and tokens: base64, and parts of it between dots."""
    for part in text.split("."):
        try:
            packed = base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))
        except ValueError:
            continue
        yield packed.decode("latin-1")
        if packed.startswith(b"\x78"):
            yield zlib.decompress(packed).decode("latin-1")


def _sealed_names() -> dict[str, list[str]]:
    names: dict[str, list[str]] = {}
    for model in apps.get_models():
        for field in model._meta.concrete_fields:
            if isinstance(field, EncryptedTextField):
                names.setdefault(str(field.column), []).append(field.sealed_name)
    return names


class _Json(signing.JSONSerializer):
    def loads(self, data: bytes) -> Any:
        return json.loads(data)
