"""What is wrong with a request to send: every fault at once, and nothing stored."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, TypeVar
from urllib.parse import urlsplit

import msgspec
from django.conf import settings
from django.db.models import QuerySet

from notifications.attachments import body as attachments
from notifications.known_types import KnownType
from notifications.send_body import NOT_AVAILABLE, Draft, Payload, SendBody
from preferences import profiles
from preferences.channels import CHANNELS
from preferences.models import User
from project.foundation import bodies, clock, faults
from project.foundation.problems import Fault, InvalidRequest, Problem, StaffUser, not_available
from templates_app import schemas
from templates_app.models import Type

MAX_PAYLOAD_BYTES = 64 << 10
MAX_METADATA_BYTES = 16 << 10
FURTHEST = timedelta(days=366)
_YEARS = range(1970, 3000)
_NEVER = {"javascript", "data", "vbscript", "file"}

Body = TypeVar("Body")
Row = TypeVar("Row", User, Type)


@dataclass(frozen=True)
class Checked:
    """A body without faults, with what its names stand for."""

    body: SendBody
    user: User | None  # None: the person is new and comes with the body's `user`
    type: Type


@dataclass(frozen=True)
class _Read:
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
    read = [_read(item, clean) for item in items]
    bodies_read = [one for one in read if not isinstance(one, Problem)]
    users = _by_name(User.objects.filter(erased_at=None), "user_id", {one.body.user_id for one in bodies_read})
    types = _by_name(Type.objects.all(), "key", {one.body.type for one in bodies_read})
    now = clock.now() if any(one.body.send_at or one.body.expires_at for one in bodies_read) else None
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
    return next(_of_meaning(body, None, None), None) is None and _says_something(body.payload, known.type)


def of_payload(payload: Payload, type_: Type | None) -> Iterator[Fault]:
    """Yield what is wrong with a payload for a type; null: for any."""
    if len(msgspec.json.encode(payload)) > MAX_PAYLOAD_BYTES:
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


def _read(data: Any, clean: bool) -> "_Read | Problem":
    try:
        return _Read(*understood(data, SendBody, Draft, clean=clean))
    except InvalidRequest as problem:
        return problem


def _by_name(rows: "QuerySet[Row]", name: str, wanted: set[str]) -> dict[str, Row]:
    wanted.discard("")
    return {getattr(row, name): row for row in rows.filter(**{f"{name}__in": wanted})} if wanted else {}


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


def _of_meaning(body: SendBody, type_: Type | None, now: datetime | None) -> Iterator[Fault]:
    yield from _of_channels(body.channels_preferred or [])
    yield from of_payload(body.payload, type_)
    yield from _of_times(body, now)
    try:
        profiles.locale(body.locale)
    except profiles.Invalid as error:
        yield Fault("/locale", error.code, str(error))
    if body.metadata and len(msgspec.json.encode(body.metadata)) > MAX_METADATA_BYTES:
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
