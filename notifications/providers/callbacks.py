"""What a service reports to us: its request as a provider sees it, and the receipts a provider reads from it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cached_property
from typing import Literal
from urllib.parse import parse_qsl, urlsplit
from uuid import UUID

MAX_AGE = timedelta(minutes=5)  # of a signed request: an older one may be a recording

Kind = Literal[
    "sent",
    "deferred",  # still trying
    "delivered",
    "opened",
    "clicked",
    "bounced",  # the address did not take it; `permanent`: and never will
    "failed",  # it went no further, for no fault of the address
    "complained",
    "stop",  # the person asks for no more on this channel
    "start",  # … for more after all
    "help",
]


class NotGenuine(Exception):
    """The request does not prove that it comes from the service, or proves it too late. The message says why."""

    def __init__(self, why: str, *, unsigned: bool = False) -> None:
        super().__init__(why)
        self.unsigned = unsigned  # there was no proof at all


@dataclass(frozen=True)
class Callback:
    """One request of a service to `POST /receipts/{provider}/{account}/`."""

    url: str  # as the service knows it: public, with its query
    headers: Mapping[str, str]  # names in lower case
    body: bytes = field(repr=False)

    @cached_property
    def query(self) -> list[tuple[str, str]]:
        return parse_qsl(urlsplit(self.url).query, keep_blank_values=True)

    @cached_property
    def form(self) -> list[tuple[str, str]]:
        """The parameters of a form, in their order; none when the body is something else."""
        if not self.headers.get("content-type", "").lower().startswith("application/x-www-form-urlencoded"):
            return []
        try:
            return parse_qsl(self.body.decode(), keep_blank_values=True, max_num_fields=1000)
        except (UnicodeDecodeError, ValueError) as error:
            raise NotGenuine("The body is not a form.") from error


@dataclass(frozen=True, slots=True)
class Receipt:
    """One thing that a service reports, of one message or from one address."""

    event_id: str  # the same whenever the same thing is reported again, and only then
    kind: Kind
    at: datetime | None = None  # when it happened, as the service says; None: it does not
    delivery_id: UUID | None = None  # ours, where the service gives it back
    provider_message_id: str = ""
    detail: str = ""  # why, without addresses
    address: str = field(default="", repr=False)  # of whom, where the service names it
    permanent: bool = False
    machine: bool = False  # opened or clicked by a program: no person has seen it
    answered: bool = False  # stop, start, help: the service has answered the person itself


def require_fresh(at: datetime, *, now: datetime | None = None) -> None:
    """Raise NotGenuine when a request signed at `at` is older, or from further ahead, than MAX_AGE."""
    if abs((now or datetime.now(tz=UTC)) - at) > MAX_AGE:
        raise NotGenuine("The request was signed too long ago.")


def delivery_id(text: str) -> UUID | None:
    """Return a delivery's id that we gave a service along, or None when it is nothing of the kind."""
    try:
        return UUID(text)
    except ValueError:
        return None
