"""What is wrong with a request to send: every fault at once, and nothing stored."""

import re
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime, timedelta
from typing import Any, TypeVar
from urllib.parse import urlsplit

import msgspec
from django.conf import settings
from django.db import connection
from msgspec import Struct

from notifications.attachments import body as attachments
from notifications.known_types import KnownType
from notifications.send_body import NOT_AVAILABLE, Draft, Payload, SendBody
from preferences import profiles
from preferences.channels import CHANNELS
from preferences.models import User
from project.foundation import bodies, bulk, clock, faults
from project.foundation.problems import Fault, InvalidRequest, Problem, StaffUser, not_available
from templates_app import schemas
from templates_app.models import Type

MAX_PAYLOAD_BYTES = 64 << 10
MAX_METADATA_BYTES = 16 << 10
FURTHEST = timedelta(days=366)
_YEARS = range(1970, 3000)
_NEVER = {"javascript", "data", "vbscript", "file"}
# Not all links that are right, but most of them; at a tenth of what it costs to take one apart.
_ORDINARY_LINK = re.compile(r"https?://[a-z0-9-]+(?:\.[a-z0-9-]+)*(?::[0-9]{1,5})?(?:[/?#][!-~]*)?")
# Of a user, what a request needs to know: the rest is sealed, and opened for nothing.
_PERSON = "SELECT id, user_id, is_staff FROM preferences_user WHERE erased_at IS NULL AND user_id"
_TYPE = "SELECT * FROM templates_app_type WHERE key"

Body = TypeVar("Body")
Row = TypeVar("Row", User, Type)
_encode = msgspec.json.Encoder().encode


class Checked(Struct, frozen=True):
    """A body without faults, with what its names stand for."""

    body: SendBody
    user: User | None  # its key, user_id and is_staff; None: the person is new and comes with the body's `user`
    type: Type


class _Read(Struct, frozen=True):
    """What could be understood of a body, and what is wrong with its shape."""

    body: SendBody
    shape: list[Fault]


def check(data: Any) -> Checked:
    """Check one parsed send body. Raises InvalidRequest naming every fault, or StaffUser. Two or three queries."""
    (result,) = check_many([data])
    if isinstance(result, Problem):
        raise result
    return result


def check_many(items: Sequence[Any], *, clean: bool = False) -> list[Checked | Problem]:
    """Check parsed send bodies, each for itself; return one result per item. As many queries as for one.

    `clean`: their strings are known to hold nothing that no database can.
    """
    read = _read_at_once(items) if clean else None
    if read is None:
        read = [_read(item, clean) for item in items]
    bodies_read = [one.body for one in read if not isinstance(one, Problem)]
    users = _by_name(User, "user_id", _PERSON, {body.user_id for body in bodies_read})
    types = _by_name(Type, "key", _TYPE, {body.type for body in bodies_read})
    now = clock.now() if any(body.send_at or body.expires_at for body in bodies_read) else None
    known = {key: KnownType(type_, schemas.validator(type_.schema)) for key, type_ in types.items()}
    return [one if isinstance(one, Problem) else _checked(one, users, known, now) for one in read]


def is_sound(body: SendBody, known: KnownType) -> bool:
    """Tell whether a body for a known type has no fault, whoever its user is.

    No query. A time or an attachment makes it False: those take the long way.
    """
    if body.user is not None or body.send_at is not None or body.expires_at is not None or body.attachments:
        return False
    variables = body.payload.template_variables or {}
    if known.validator is not None and not known.validator.is_valid(variables):
        return False
    return _says_something(body.payload, known.type) and (_is_plain(body) or not any(_of_meaning(body, None, None)))


def of_payload(payload: Payload, type_: Type | None) -> Iterator[Fault]:
    """Yield what is wrong with a payload for a type; null: for any."""
    if len(_encode(payload)) > MAX_PAYLOAD_BYTES:
        yield Fault("/payload", "too_large", f"A payload may have {MAX_PAYLOAD_BYTES} bytes.")
    if payload.link and (message := _link_fault(payload.link)):
        yield Fault("/payload/link", "invalid_link", message)
    if type_ is None:
        return
    yield from schemas.faults(type_.schema, payload.template_variables or {}, "/payload/template_variables")
    if not _says_something(payload, type_):
        yield Fault("/payload/title", "required", "This type has no template, so a title or a body is needed.")


def understood(data: Any, schema: type[Body], draft: type[Body], *, clean: bool = False) -> tuple[Body, list[Fault]]:
    """Return what can be understood of a body, and the faults of its shape. Raises InvalidRequest when nothing can."""
    try:
        return bodies.check(data, schema, clean=clean), []
    except InvalidRequest as problem:
        shape = list(problem.errors)
        try:
            return msgspec.convert(faults.without(data, shape), draft), shape
        except msgspec.ValidationError:
            raise problem from None


def all_faults(shape: list[Fault], further: Iterable[Fault]) -> list[Fault]:
    """Return the faults of the shape and those of the meaning that do not merely follow from them, one per place."""
    return faults.one_per_place(shape + [fault for fault in further if not _follows(fault, shape)])


def _read_at_once(items: Sequence[Any]) -> "list[_Read | Problem] | None":
    """Return what clean bodies say; None when there is a fault in one of them."""
    try:
        return [_Read(body, []) for body in msgspec.convert(items, list[SendBody])]
    except (msgspec.ValidationError, UnicodeEncodeError):
        return None


def _read(data: Any, clean: bool) -> "_Read | Problem":
    try:
        return _Read(*understood(data, SendBody, Draft, clean=clean))
    except InvalidRequest as problem:
        return problem


def _by_name(model: type[Row], name: str, sql: str, wanted: set[str]) -> dict[str, Row]:
    wanted.discard("")
    if not wanted:
        return {}
    if connection.vendor == "postgresql":
        rows = bulk.select(model, f"{sql} = ANY(%s)", [list(wanted)])
    else:
        rows = bulk.select(model, f"{sql} IN ({', '.join(['%s'] * len(wanted))})", list(wanted))
    return {getattr(row, name): row for row in rows}


def _checked(
    read: "_Read", users: dict[str, User], types: dict[str, KnownType], now: datetime | None
) -> Checked | Problem:
    body = read.body
    user, known = users.get(body.user_id), types.get(body.type)
    if user is not None and known is not None and not read.shape and is_sound(body, known):
        return Checked(body, user, known.type)
    return _judged(read, user, None if known is None else known.type, now)


def _judged(read: "_Read", user: User | None, type_: Type | None, now: datetime | None) -> Checked | Problem:
    found = all_faults(read.shape, _faults(read.body, user, type_, now))
    if found or type_ is None:
        return InvalidRequest(errors=found)
    if read.body.user is not None and user is not None and user.is_staff:
        return StaffUser()
    return Checked(read.body, user, type_)


def _faults(body: SendBody, user: User | None, type_: Type | None, now: datetime | None) -> Iterator[Fault]:
    yield from _of_user(body, user)
    if body.type and type_ is None:
        yield Fault("/type", "unknown_type", "There is no such type.")
    yield from _of_meaning(body, type_, now)


def _is_plain(body: SendBody) -> bool:
    """Tell at a glance that a body that neither schedules nor attaches anything has no fault; False: unsure."""
    for name in NOT_AVAILABLE:
        if getattr(body, name):
            return False
    link, channels = body.payload.link, body.channels_preferred
    return (
        body.locale is None
        and (body.metadata is None or len(_encode(body.metadata)) <= MAX_METADATA_BYTES)
        and (body.timestamp is None or body.timestamp.year in _YEARS)
        and (not channels or CHANNELS.keys() >= set(channels))
        and (not link or _ORDINARY_LINK.fullmatch(link) is not None)
        and len(_encode(body.payload)) <= MAX_PAYLOAD_BYTES
    )


def _of_meaning(body: SendBody, type_: Type | None, now: datetime | None) -> Iterator[Fault]:
    yield from _of_channels(body.channels_preferred or [])
    yield from of_payload(body.payload, type_)
    yield from _of_times(body, now)
    try:
        profiles.locale(body.locale)
    except profiles.Invalid as error:
        yield Fault("/locale", error.code, str(error))
    if body.metadata and len(_encode(body.metadata)) > MAX_METADATA_BYTES:
        yield Fault("/metadata", "too_large", f"It may have {MAX_METADATA_BYTES} bytes.")
    yield from attachments.faults(body.attachments or [])
    for name in NOT_AVAILABLE:
        if getattr(body, name):
            yield not_available(f"/{name}")


def _says_something(payload: Payload, type_: Type) -> bool:
    return type_.template_id is not None or bool(payload.title or payload.body)


def _of_user(body: SendBody, user: User | None) -> Iterator[Fault]:
    if body.user is not None:
        given = msgspec.structs.asdict(body.user)
        for fault in profiles.clean(body.user_id, {n: v for n, v in given.items() if v is not msgspec.UNSET})[1]:
            inside = not fault.pointer.startswith("/user_id")
            if inside or body.user_id:
                yield Fault(f"/user{fault.pointer}" if inside else fault.pointer, fault.code, fault.message)
    elif body.user_id and user is None:
        yield Fault("/user_id", "unknown_user", "There is no such user. Give `user` to create one.")


def _of_channels(channels: list[str]) -> Iterator[Fault]:
    for index, channel in enumerate(channels):
        if channel not in CHANNELS:
            message = f"There is no such channel. It must be one of {', '.join(CHANNELS)}."
            yield Fault(f"/channels_preferred/{index}", "unknown_channel", message)


def _link_fault(link: str) -> str:
    if not link.isprintable() or " " in link:  # no other space is printable
        return "A link holds no spaces or control characters."
    try:
        parts = urlsplit(link)
    except ValueError:
        return "This is not a URL."
    if parts.scheme in {"http", "https"}:
        return "" if parts.hostname else "A link names a host, like https://example.com/."
    if parts.scheme in set(settings.LINK_SCHEMES) - _NEVER:
        return ""
    return "A link begins with https://, http:// or the scheme of an app that this installation knows."


def _of_times(body: SendBody, now: datetime | None) -> Iterator[Fault]:
    given = {name: getattr(body, name) for name in ("timestamp", "send_at", "expires_at")}
    strange = list(of_years(given))
    yield from strange
    if strange or now is None:
        return
    yield from of_send_at(body.send_at, now)
    if body.expires_at is not None and body.expires_at <= _start(body, now):
        yield Fault("/expires_at", "invalid_value", "It is over before it begins.")


def of_years(times: dict[str, datetime | None]) -> Iterator[Fault]:
    """Yield a fault for each time that lies outside any calendar we keep."""
    for name, moment in times.items():
        if moment is not None and moment.year not in _YEARS:
            yield Fault(f"/{name}", "invalid_value", f"The year is not between {_YEARS[0]} and {_YEARS[-1]}.")


def of_send_at(send_at: datetime | None, now: datetime) -> Iterator[Fault]:
    if send_at is not None and send_at > now + FURTHEST:
        yield Fault("/send_at", "invalid_value", f"It is more than {FURTHEST.days} days away.")


def _start(body: SendBody, now: datetime) -> datetime:
    return now if body.send_at is None else max(now, body.send_at)


def _follows(fault: Fault, shape: list[Fault]) -> bool:
    """Tell whether a fault is only there because a fault of the shape took its place, or what lay around it, away."""
    return any(
        f"{fault.pointer}/".startswith(f"{other.pointer}/")
        or (fault.code == "required" and other.pointer.startswith(f"{fault.pointer}/"))
        for other in shape
    )
