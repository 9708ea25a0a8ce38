"""Which partition the rows of a history table lie in, so that a statement can name that one.

Whatever a statement on the whole table might touch is locked, opened and made ready in each partition, for every
execution: for a hundred rows that is as much again as changing them. Only connections that are `prepared` know their
partitions. All others name the table, which is always right.
"""

import time
from bisect import bisect_right
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from weakref import WeakKeyDictionary

import psycopg
from django.db import connection

from project.foundation import ids
from project.foundation.partitions import next_month

_LOOK_AGAIN_SECONDS = 60.0
_PARTITIONS = r"""
SELECT parent.relname, part.relname FROM pg_inherits i
  JOIN pg_class part ON part.oid = i.inhrelid JOIN pg_class parent ON parent.oid = i.inhparent
 WHERE parent.relkind = 'p' AND part.relname ~ '_\d{4}_\d{2}$' AND pg_table_is_visible(part.oid)
"""


@dataclass(frozen=True)
class _Known:
    at: float  # time.monotonic()
    by_table: dict[str, list[tuple[str, str, str]]]  # the first id, the first that is beyond, the partition; in order


_known: "WeakKeyDictionary[psycopg.Connection[Any], _Known]" = WeakKeyDictionary()


def learn(raw: "psycopg.Connection[Any]") -> None:
    """Note which partitions there are, once a minute. Outside of transactions: what is noted has been committed.

    A partition is made and filled in one transaction, so that its rows lie in it as soon as anybody knows of it.
    """
    known = _known.get(raw)
    if known is not None and time.monotonic() < known.at + _LOOK_AGAIN_SECONDS:
        return
    by_table: dict[str, list[tuple[str, str, str]]] = {}
    for table, partition in raw.execute(_PARTITIONS):
        month = datetime.strptime(partition[-7:], "%Y_%m").replace(tzinfo=UTC)
        low, high = ids.first_id_at(month).hex, ids.first_id_at(next_month(month)).hex
        by_table.setdefault(table, []).append((low, high, partition))
    _known[raw] = _Known(time.monotonic(), {table: sorted(parts) for table, parts in by_table.items()})


def of(table: str, lowest: str, highest: str) -> str:
    """Return the partition of all ids from one to the other (32 hexadecimal digits), or the table: not in one, unknown.

    For a statement of this moment and this connection: partitions come and go.
    """
    raw = connection.connection
    known = _known.get(raw) if raw is not None else None
    parts = known.by_table.get(table) if known is not None else None
    if not parts:
        return table
    at = bisect_right(parts, (lowest, "g")) - 1
    return parts[at][2] if at >= 0 and highest < parts[at][1] else table
