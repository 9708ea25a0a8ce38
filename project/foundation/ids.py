"""UUIDv7 keys (RFC 9562 §5.7): they carry their time, so history sorts, pages and partitions by id alone."""

import hashlib
from collections.abc import Callable
from datetime import UTC, datetime
from uuid import UUID, SafeUUID

import uuid_utils

_RANDOM_BITS = 80
_TIME = (1 << 128) - (1 << _RANDOM_BITS)
_VERSION_AND_VARIANT = 0x7 << 76 | 0x2 << 62  # RFC 9562 §4
_FREE = (1 << _RANDOM_BITS) - 1 & ~(0xF << 76) & ~(0x3 << 62)

_new = object.__new__
_set_int, _set_safety = UUID.__dict__["int"].__set__, UUID.__dict__["is_safe"].__set__
_UNKNOWN = SafeUUID.unknown


def of_int(value: int) -> UUID:
    """Return `UUID(int=value)` at half its cost: for values that are sure to have 128 bits."""
    id = _new(UUID)
    _set_int(id, value)
    _set_safety(id, _UNKNOWN)
    return id


def text(id: UUID) -> str:
    """Return `str(id)` at two thirds of its cost."""
    return str(uuid_utils.UUID(int=id.int))


def new_id() -> UUID:
    """Return a new UUIDv7, rising within this process."""
    return of_int(uuid_utils.uuid7().int)


def created_at(id: UUID) -> datetime:
    """Return the moment an id of ours was made, to the millisecond."""
    return datetime.fromtimestamp((id.int >> _RANDOM_BITS) / 1000, tz=UTC)


def first_id_at(moment: datetime) -> UUID:
    """Return the lowest id of `moment`: the bound for "created at or after" and for partitions."""
    return UUID(int=int(moment.timestamp() * 1000) << _RANDOM_BITS)


def time_bounds(ids: list[UUID]) -> tuple[UUID, UUID]:
    """Return the half-open range [low, high) of all ids that share a millisecond with one of `ids` or lie between.

    Ids derived from these fall inside it, so a query can name the partitions it needs. `ids` must not be empty.
    """
    milliseconds = [id.int >> _RANDOM_BITS for id in ids]
    return UUID(int=min(milliseconds) << _RANDOM_BITS), UUID(int=(max(milliseconds) + 1) << _RANDOM_BITS)


def derived_id(origin: UUID, *parts: object) -> UUID:
    """Return the one id that `origin` and `parts` always give, in the millisecond of `origin`.

    It is unique across partitions by itself: planning the same delivery twice gives the same key.
    """
    texts = [text(part) if type(part) is UUID else str(part) for part in parts]
    hashed = hashlib.sha256("\x1f".join([text(origin), *texts]).encode())
    digest = int.from_bytes(hashed.digest()[:10], "big")
    return of_int(origin.int & _TIME | digest & _FREE | _VERSION_AND_VARIANT)


def deriver(origin: UUID, first: UUID) -> Callable[[int], UUID]:
    """Return `derived_id(origin, first, last)` as a function of its last part, for many that differ in that alone."""
    begun = hashlib.sha256(f"{text(origin)}\x1f{text(first)}\x1f".encode())
    time = origin.int & _TIME | _VERSION_AND_VARIANT

    def derived(last: int) -> UUID:
        hashed = begun.copy()
        hashed.update(b"%d" % last)
        return of_int(time | int.from_bytes(hashed.digest()[:10], "big") & _FREE)

    return derived


def new_beside(origin: UUID) -> UUID:
    """Return a new id in the millisecond of `origin`, and so in its partition: the rest of it is random."""
    return of_int(origin.int & _TIME | uuid_utils.uuid4().int & _FREE | _VERSION_AND_VARIANT)
