"""The bodies and answers of the inbox routes. What is not built yet is not in them."""

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from msgspec import Meta, Struct


class ActionAnswer(Struct):
    label: str
    url: str | None
    primary: bool
    completed: bool


class ItemAnswer(Struct):
    id: UUID
    seq: int
    type: str
    category: str
    title: str
    body: str
    link: str | None
    actions: list[ActionAnswer]
    priority: str
    created_at: datetime
    seen_at: datetime | None
    read_at: datetime | None
    archived_at: datetime | None
    snoozed_until: datetime | None
    why: str


class InboxPage(Struct):
    results: list[ItemAnswer]
    next: str | None
    seq: int


class CountsAnswer(Struct):
    unread: int
    unseen: int
    total: int


class FilterAnswer(Struct):
    filter: str
    count: int


class AllCountsAnswer(CountsAnswer):
    seq: int
    filters: list[FilterAnswer]


class AllMarkedAnswer(Struct):
    changed: int
    counts: CountsAnswer
    seq: int


class Nothing(Struct, forbid_unknown_fields=True):
    """An empty body, or {}."""


class Click(Struct, forbid_unknown_fields=True):
    """`action`: the index of the action that was clicked; without it, the item itself."""

    action: Annotated[int, Meta(ge=0, le=100)] | None = None


class WhichItems(Struct, forbid_unknown_fields=True):
    """Those of one category; without it, all."""

    category: Annotated[str, Meta(max_length=100)] | None = None


class Quiet(Struct, forbid_unknown_fields=True):
    """`until`: a time (RFC 3339); null or "forever" = until undone in the notification settings."""

    scope: Literal["type", "category"]
    until: str | None = None


class QuietAnswer(Struct):
    scope: str
    key: str
    until: str
