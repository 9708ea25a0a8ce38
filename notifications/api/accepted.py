"""What a caller reads of a request that was accepted."""

from datetime import datetime
from functools import lru_cache
from uuid import UUID

import msgspec
from django.urls import get_script_prefix, reverse

from notifications.models import Notification
from project.foundation import ids

_NO_ID = UUID(int=0)


class Links(msgspec.Struct, gc=False):
    self: str


class AcceptedBody(msgspec.Struct):
    """What became of a request to send."""

    notification_id: UUID  # the caller's own, if it gave one
    status: str
    user_id: str
    type: str
    priority: str
    mode: str
    created_at: datetime
    send_at: datetime | None
    links: Links


def answer(notification: Notification) -> AcceptedBody:
    """Return the answer, made of what never changes, so that a repeat is answered with the same words."""
    return AcceptedBody(
        notification_id=notification.public_id,
        status="accepted" if notification.send_at is None else "scheduled",
        user_id=notification.user.user_id,
        type=notification.type.key,
        priority=notification.priority,
        mode=notification.mode,
        created_at=ids.created_at(notification.id),
        send_at=notification.send_at,
        links=links(notification.public_id),
    )


def links(public_id: UUID) -> Links:
    return Links(self=path_before_id() + str(public_id))


def path_before_id() -> str:
    """Return what stands before a notification's id in its path."""
    return _path_before_id(get_script_prefix())


@lru_cache(maxsize=8)
def _path_before_id(prefix: str) -> str:
    """`prefix` is where the site is mounted."""
    return reverse("notifications:notification", args=[_NO_ID]).removesuffix(str(_NO_ID))
