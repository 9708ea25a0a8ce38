"""The shape of a request to send: what every way in takes, and nothing about whether it makes sense."""

from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from msgspec import Meta, Struct, field

from notifications.attachments.body import MOST, Attachment
from preferences.users import UserFields

Time = Annotated[datetime, Meta(tz=True)]


class Payload(Struct, forbid_unknown_fields=True):
    """What is said. `template_variables` must satisfy the type's schema; the whole has at most 64 KiB."""

    title: Annotated[str, Meta(max_length=500)] | None = None
    body: str | None = None
    link: Annotated[str, Meta(max_length=2048)] | None = None
    template_variables: dict[str, Any] | None = None

    def stored(self) -> dict[str, Any]:
        """Return the form in which it is kept and read: every name is there."""
        return {
            "title": self.title or "",
            "body": self.body or "",
            "link": self.link or "",
            "template_variables": self.template_variables or {},
        }


class SendBody(Struct, forbid_unknown_fields=True, kw_only=True):
    """One user is told one thing."""

    user_id: Annotated[str, Meta(min_length=1, max_length=255)]
    type: Annotated[str, Meta(min_length=1, max_length=100)]
    payload: Payload
    notification_id: UUID | None = None
    channels_preferred: (
        Annotated[
            list[Annotated[str, Meta(max_length=20)]],
            Meta(max_length=20, description="Replaces the type's own choice of channels; empty counts as absent."),
        ]
        | None
    ) = None
    priority: Literal["LOW", "MEDIUM", "HIGH"] | None = None
    timestamp: Annotated[Time, Meta(description="When it happened. Kept, and schedules nothing.")] | None = None
    send_at: Time | None = None
    expires_at: Time | None = None
    locale: Annotated[str, Meta(max_length=35)] | None = None
    metadata: Annotated[dict[str, Any], Meta(description="Given back as it came; at most 16 KiB.")] | None = None
    user: UserFields | None = None
    digest_key: str | None = None
    attachments: (
        Annotated[list[Attachment], Meta(max_length=MOST, description="Files that go with the mail; 10 MiB together.")]
        | None
    ) = None


class Draft(SendBody, forbid_unknown_fields=False, kw_only=True):
    """What can be understood of a body with faults, so that the rest of it is checked as well."""

    user_id: str = ""
    type: str = ""
    payload: Payload = field(default_factory=Payload)


# Fields of the contract that this release takes only when they say nothing.
NOT_AVAILABLE = ("digest_key",)
