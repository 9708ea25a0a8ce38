"""The bodies of the API of people, preferences and categories."""

from typing import Annotated, Any, Literal

from msgspec import UNSET, Meta, Struct, UnsetType

from preferences import timing
from preferences.users import UserFields

Channel = Literal["email", "sms", "push", "web_push", "in_app", "webhook", "chat", "voice"]
Label = Annotated[str, Meta(max_length=100)]
ChannelChoices = dict[str, bool | None]
Until = Annotated[str, Meta(description='RFC 3339 time, or "forever"')]


class BulkUser(UserFields, kw_only=True, forbid_unknown_fields=True):
    user_id: str


class BulkUsers(Struct, forbid_unknown_fields=True):
    items: Annotated[list[BulkUser], Meta(min_length=1, max_length=1000)]


class NewContactPoint(Struct, forbid_unknown_fields=True):
    channel: Channel
    address: str | dict[str, Any]  # an object: a browser's push subscription
    label: Label | None = None


class ContactPointChanges(Struct, forbid_unknown_fields=True):
    """`disabled_at` null takes it back into use, a time takes it out of use now."""

    address: str | dict[str, Any] | UnsetType = UNSET
    label: Label | None | UnsetType = UNSET
    disabled_at: str | None | UnsetType = UNSET


class CategoryChoices(Struct, forbid_unknown_fields=True):
    enabled: bool | None | UnsetType = UNSET
    channels: ChannelChoices | None | UnsetType = UNSET
    digest: timing.Digest | None | UnsetType = UNSET  # gather what would come singly into one message a day
    muted_until: Until | None | UnsetType = UNSET


class TypeChoices(Struct, forbid_unknown_fields=True):
    muted_until: Until | None | UnsetType = UNSET


class Choices(Struct, forbid_unknown_fields=True):
    channels: ChannelChoices | None | UnsetType = UNSET
    categories: dict[str, CategoryChoices] | None | UnsetType = UNSET
    types: dict[str, TypeChoices] | None | UnsetType = UNSET
    muted_until: Until | None | UnsetType = UNSET
    quiet_hours: timing.QuietWish | None | UnsetType = UNSET
    frequency_caps: timing.Caps | None | UnsetType = UNSET
    channel_priority: timing.Order | None | UnsetType = UNSET


class CategoryBody(Struct, forbid_unknown_fields=True):
    """Absent and null mean the default."""

    name: Annotated[str, Meta(min_length=1, max_length=200)]
    description: Annotated[str, Meta(max_length=10_000)] | None = None
    kind: Literal["transactional", "marketing", "system"] | None = None
    required_channels: list[Channel] | None = None
    default_channels: dict[Channel, bool | None] | None = None
    overflow: Literal["digest", "drop"] | None = None
    urgent: bool | None = None
    unknown_outcome: Literal["hold", "resend"] | None = None
    approval: bool | None = None
    track_opens: bool | None = None
    track_clicks: bool | None = None
    # Only to e-mail addresses and phone numbers that their owner has confirmed.
    double_opt_in: bool | None = None
