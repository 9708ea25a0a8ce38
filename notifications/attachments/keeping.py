"""Contents of attachments that came with a request: kept with it, and for a while after it is over."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from uuid import UUID

from django.conf import settings
from django.db.models import Exists, OuterRef, QuerySet

from notifications.models import AttachmentContent, Notification
from project.foundation import ids


def rows(notification_id: UUID, contents: Mapping[UUID, str], *, send_at: datetime | None) -> list[AttachmentContent]:
    """Return what to store with a notification, in its transaction."""
    begins = ids.created_at(notification_id)
    keep_until = max(begins, send_at or begins) + timedelta(days=settings.ATTACHMENT_DAYS)
    return [
        AttachmentContent(id=id, notification_id=notification_id, content=content, keep_until=keep_until)
        for id, content in contents.items()
    ]


def old(now: datetime) -> "QuerySet[AttachmentContent]":
    """Return what has been kept for long enough, and whose notification is over."""
    still_open = Notification.objects.filter(id=OuterRef("notification_id"), status__in=Notification.OPEN)
    return AttachmentContent.objects.filter(~Exists(still_open), keep_until__lt=now)
