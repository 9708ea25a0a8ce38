"""What every provider is: options, one act, one outcome per message."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, ClassVar, Literal
from uuid import UUID

from msgspec import Struct, field

from notifications.providers.callbacks import Callback, NotGenuine, Receipt

OutcomeKind = Literal["accepted", "transient", "throttled", "recipient", "account", "unknown"]


class About(Struct, frozen=True):
    """What a message is about, for services that take more than its words."""

    notification_id: str = ""  # as its caller knows it
    type_key: str = ""
    category_key: str = ""
    user_id: str = ""
    priority: str = "MEDIUM"
    expires_at: datetime | None = None  # worthless after that
    locale: str = ""  # of the words that were chosen
    title: str = ""
    body: str = ""
    link: str = ""
    data: Mapping[str, Any] = field(default_factory=dict)  # the payload's template_variables
    badge: int | None = None  # push: what the person has not read


class File(Struct, frozen=True):
    """A file that goes with a mail."""

    filename: str  # clean: no folders, no control characters
    content_type: str
    content: bytes

    def __repr__(self) -> str:
        return f"File({self.filename!r}, {self.content_type!r}, {len(self.content)} bytes)"


class Message(Struct, frozen=True):
    """One rendered content on its way to one address."""

    delivery_id: UUID  # the same on every try: what a provider may use to know a repeat
    channel: str
    to: str  # the address as the contact point holds it; "" on in_app
    parts: Mapping[str, str]  # preferences.channels names those of a channel
    headers: Mapping[str, str] = field(default_factory=dict)  # mail only: List-Unsubscribe and the like
    secrets: tuple[str, ...] = ()  # webhook only: what signs it; two while one is replaced
    message_id: str = ""  # mail only: "" = notifications.mail makes it from the delivery's id
    about: About = field(default_factory=About)
    files: tuple[File, ...] = ()  # mail only

    def __repr__(self) -> str:
        return f"Message({self.delivery_id}, {self.channel!r})"  # neither the address nor the words nor what signs it


class Outcome(Struct, frozen=True):
    """What became of one message. Each kind has one reaction, whichever provider it came from."""

    kind: OutcomeKind
    provider_message_id: str = ""
    retry_after: float | None = None  # seconds, as the provider asked
    until: datetime | None = None
    error: str = ""  # in words, without addresses
    dead_address: str = ""  # why nobody may use this address any more, in a word: "dead_token"

    @classmethod
    def accepted(cls, provider_message_id: str = "") -> "Outcome":
        """The provider took it and will do the rest."""
        return cls("accepted", provider_message_id=provider_message_id)

    @classmethod
    def transient(cls, error: str, *, retry_after: float | None = None) -> "Outcome":
        """It was surely not taken, and may be when tried again."""
        return cls("transient", retry_after=retry_after, error=error)

    @classmethod
    def throttled(cls, error: str, *, until: datetime) -> "Outcome":
        """Too fast: nothing goes to this account before `until`."""
        return cls("throttled", until=until, error=error)

    @classmethod
    def recipient(cls, error: str, *, dead_address: str = "") -> "Outcome":
        """It can never be taken for this recipient. `dead_address`: nor will anything else; the address is disabled."""
        return cls("recipient", error=error, dead_address=dead_address)

    @classmethod
    def account(cls, error: str) -> "Outcome":
        """The account is refused: an operator must act, and no message is to blame."""
        return cls("account", error=error)

    @classmethod
    def unknown(cls, error: str) -> "Outcome":
        """The provider was called and its answer was lost: it may have been taken."""
        return cls("unknown", error=error)


@dataclass(frozen=True)
class NoOptions:
    """The options of a provider that needs none."""


class Provider:
    """The code that talks to one service. An instance serves one account in one process, all calls on the I/O loop.

    A subclass states its key, its channels and its options, and sends. It reads no settings and touches no models.
    """

    key: ClassVar[str]
    channels: ClassVar[tuple[str, ...]]
    Options: ClassVar[type] = NoOptions  # a frozen dataclass: it is the schema, see notifications.providers.options
    keeps_messages: ClassVar[bool] = False  # True: whoever records the outcomes keeps the messages in the outbox
    many_servers: ClassVar[bool] = False  # True: each address is a server, whose failures say nothing of the others
    reports: ClassVar[bool] = False  # True: the service calls /receipts/, and `verify` and `read_receipts` are written
    callback_url = ""  # where the service shall report to; set by whoever makes an instance

    def __init__(self, options: Any, *, timeout: float) -> None:
        self.options = options
        self.timeout = timeout  # seconds that one send_many may take

    async def send_many(self, messages: Sequence[Message]) -> list[Outcome]:
        """Send each message; return one outcome per message, in order, within `self.timeout`.

        What went wrong is an outcome, never an exception. A message that was surely not taken is `transient`; one that
        may have been taken is `unknown`.
        """
        raise TypeError(f"{type(self).__name__} does not say how it sends.")

    async def verify(self, callback: Callback) -> None:
        """Raise NotGenuine unless the request proves to come from the service, and to be at most five minutes old.

        What a service wants answered before it reports anything is answered here, once it is proven.
        """
        raise NotGenuine("This service reports nothing.")

    def once(self, callback: Callback) -> str:
        """Return what no two requests of the service have in common, under its signature; "": there is no such thing.

        A verified request that carries the same again is refused as a recording.
        """
        return ""

    def read_receipts(self, callback: Callback) -> list[Receipt]:
        """Return what a verified request reports. Raises ValueError when it makes no sense."""
        return []

    async def close(self) -> None:
        """Let go of kept connections, when the account has changed."""
        return None
