"""A request to broadcast: its shape, and every fault of it at once."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Annotated, Any, Literal

from msgspec import Meta, Struct, field, structs

from notifications import audience, checking
from notifications.broadcasts import Request
from notifications.send_body import Payload, Time
from project.foundation import clock
from project.foundation.problems import Fault, InvalidRequest, TooLarge, not_available
from templates_app.models import Type

# A filter holds one value or a list of them for each field.
Filter = Annotated[
    dict[str, Any],
    Meta(description='{"locale": ["de"], "timezone": "Europe/Berlin", "attributes.plan": "pro"}: all must hold.'),
]

LocalTime = Annotated[
    str,
    Meta(
        pattern=r"^([01][0-9]|2[0-3]):[0-5][0-9]$",
        max_length=5,  # to a pattern's end a line end may follow
        description="00:00 to 23:59. Each person is told when their own clock next shows it, from `send_at` on.",
        examples=["09:00"],
    ),
]


class Audience(Struct, forbid_unknown_fields=True):
    """Exactly one of these."""

    topic: Annotated[str, Meta(min_length=1, max_length=100)] | None = None
    user_ids: Annotated[list[str], Meta(description=f"At most {audience.MAX_USER_IDS}.")] | None = None
    filter: Filter | None = None
    all: bool | None = None


class BroadcastBody(Struct, forbid_unknown_fields=True, kw_only=True):
    """An audience is told one thing."""

    type: Annotated[str, Meta(min_length=1, max_length=100)]
    payload: Payload
    audience: Audience
    send_at: Time | None = None
    priority: Literal["LOW", "MEDIUM", "HIGH"] | None = None
    name: Annotated[str, Meta(max_length=200)] | None = None
    local_time: LocalTime | None = None
    attachments: list[Any] | None = None


class _Draft(BroadcastBody, forbid_unknown_fields=False, kw_only=True):
    """What can be understood of a body with faults, so that the rest of it is checked as well."""

    type: str = ""
    payload: Payload = field(default_factory=Payload)
    audience: Audience = field(default_factory=Audience)


# Fields of the contract that this release takes only when they say nothing.
NOT_AVAILABLE = ("attachments",)


class AudienceTooLarge(TooLarge):
    title = "There are too many ids for one request."

    def __init__(self) -> None:
        super().__init__(
            f"A broadcast takes {audience.MAX_USER_IDS} ids and 1 MiB. For more people use a topic or a filter: a topic"
            " takes its subscribers in several calls, or from a CSV file."
        )


def check(data: Any, *, mode: str, caller_id: int | None) -> Request:
    """Check one parsed body. Raises InvalidRequest naming every fault, or AudienceTooLarge."""
    body, shape = checking.understood(data, BroadcastBody, _Draft)
    if len(body.audience.user_ids or ()) > audience.MAX_USER_IDS:
        raise AudienceTooLarge
    type_ = Type.objects.select_related("template").filter(key=body.type).first() if body.type else None
    whom = {kind: value for kind, value in structs.asdict(body.audience).items() if value is not None}
    if not any(f"{fault.pointer}/".startswith("/audience/") for fault in shape):
        shape += audience.faults(whom, "/audience")
    found = checking.all_faults(shape, _faults(body, type_))
    if found or type_ is None:
        raise InvalidRequest(errors=found)
    return Request(
        type=type_,
        payload=body.payload.stored(),
        audience=whom,
        mode=mode,
        caller_id=caller_id,
        name=(body.name or "").strip(),
        priority=body.priority,
        send_at=_utc(body.send_at),
        local_time=body.local_time or "",
    )


def _faults(body: BroadcastBody, type_: Type | None) -> Iterator[Fault]:
    if body.type and type_ is None:
        yield Fault("/type", "unknown_type", "There is no such type.")
    yield from checking.of_payload(body.payload, type_)
    strange = list(checking.of_years({"send_at": body.send_at}))
    yield from strange or checking.of_send_at(body.send_at, clock.now())
    for name in NOT_AVAILABLE:
        if getattr(body, name):
            yield not_available(f"/{name}")


def _utc(moment: datetime | None) -> datetime | None:
    return None if moment is None else moment.astimezone(UTC)
