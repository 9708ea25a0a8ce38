"""What is wrong with a request to send: every fault at once, and nothing stored."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

import msgspec
from django.conf import settings

from notifications.send_body import NOT_AVAILABLE, Draft, SendBody
from preferences import profiles
from preferences.channels import CHANNELS
from preferences.models import User
from project.foundation import bodies, clock, faults
from project.foundation.problems import Fault, InvalidRequest, StaffUser, not_available
from templates_app import schemas
from templates_app.models import Type

MAX_PAYLOAD_BYTES = 64 << 10
MAX_METADATA_BYTES = 16 << 10
FURTHEST = timedelta(days=366)
_YEARS = range(1970, 3000)
_NEVER = {"javascript", "data", "vbscript", "file"}


@dataclass(frozen=True)
class Checked:
    """A body without faults, with what its names stand for."""

    body: SendBody
    user: User | None  # None: the person is new and comes with the body's `user`
    type: Type


def check(data: Any) -> Checked:
    """Check one parsed send body. Raises InvalidRequest naming every fault, or StaffUser. Two or three queries."""
    shape: list[Fault] = []
    try:
        body = bodies.check(data, SendBody)
    except InvalidRequest as problem:
        shape += problem.errors
        try:
            body = msgspec.convert(faults.without(data, shape), Draft)
        except msgspec.ValidationError:
            raise problem from None
    user = User.objects.filter(user_id=body.user_id, erased_at=None).first() if body.user_id else None
    type_ = Type.objects.filter(key=body.type).first() if body.type else None
    found = shape + [fault for fault in _faults(body, user, type_) if not _follows(fault, shape)]
    if found or type_ is None:
        raise InvalidRequest(errors=faults.one_per_place(found))
    if body.user is not None and user is not None and user.is_staff:
        raise StaffUser
    return Checked(body, user, type_)


def _faults(body: SendBody, user: User | None, type_: Type | None) -> Iterator[Fault]:
    yield from _of_user(body, user)
    if body.type and type_ is None:
        yield Fault("/type", "unknown_type", "There is no such type.")
    yield from _of_channels(body.channels_preferred or [])
    yield from _of_payload(body, type_)
    yield from _of_times(body)
    try:
        profiles.locale(body.locale)
    except profiles.Invalid as error:
        yield Fault("/locale", error.code, str(error))
    if body.metadata and len(msgspec.json.encode(body.metadata)) > MAX_METADATA_BYTES:
        yield Fault("/metadata", "too_large", f"It may have {MAX_METADATA_BYTES} bytes.")
    for name in NOT_AVAILABLE:
        if getattr(body, name):
            yield not_available(f"/{name}")


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


def _of_payload(body: SendBody, type_: Type | None) -> Iterator[Fault]:
    payload = body.payload
    if len(msgspec.json.encode(payload)) > MAX_PAYLOAD_BYTES:
        yield Fault("/payload", "too_large", f"A payload may have {MAX_PAYLOAD_BYTES} bytes.")
    if payload.link and (message := _link_fault(payload.link)):
        yield Fault("/payload/link", "invalid_link", message)
    if type_ is None:
        return
    yield from schemas.faults(type_.schema, payload.template_variables or {}, "/payload/template_variables")
    if type_.template_id is None and not (payload.title or payload.body):
        yield Fault("/payload/title", "required", "This type has no template, so a title or a body is needed.")


def _link_fault(link: str) -> str:
    if not link.isprintable() or any(character.isspace() for character in link):
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


def _of_times(body: SendBody) -> Iterator[Fault]:
    given = {name: getattr(body, name) for name in ("timestamp", "send_at", "expires_at")}
    strange = [name for name, moment in given.items() if moment is not None and moment.year not in _YEARS]
    for name in strange:
        yield Fault(f"/{name}", "invalid_value", f"The year is not between {_YEARS[0]} and {_YEARS[-1]}.")
    if strange or (body.send_at is None and body.expires_at is None):
        return
    now = clock.now()
    if body.send_at is not None and body.send_at > now + FURTHEST:
        yield Fault("/send_at", "invalid_value", f"It is more than {FURTHEST.days} days away.")
    if body.expires_at is not None and body.expires_at <= _start(body, now):
        yield Fault("/expires_at", "invalid_value", "It is over before it begins.")


def _start(body: SendBody, now: datetime) -> datetime:
    return now if body.send_at is None else max(now, body.send_at)


def _follows(fault: Fault, shape: list[Fault]) -> bool:
    """Tell whether a fault is only there because a fault of the shape took its place, or what lay around it, away."""
    return any(
        f"{fault.pointer}/".startswith(f"{other.pointer}/")
        or (fault.code == "required" and other.pointer.startswith(f"{fault.pointer}/"))
        for other in shape
    )
