from django.conf import settings
from django.db import models
from django.db.models import Q

from project.foundation.encryption import EncryptedJSONField


class InboxCounter(models.Model):
    """How a person's inbox stands: written in each change's own transaction, which holds this row until it commits."""

    user = models.OneToOneField(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, primary_key=True, related_name="inbox_counter"
    )
    seq = models.BigIntegerField(default=0)  # the number of its latest change: each takes the next
    unread = models.IntegerField(default=0)  # of what is not archived, as are the other two
    unseen = models.IntegerField(default=0)
    total = models.IntegerField(default=0)

    def __str__(self) -> str:
        return f"{self.user_id}: {self.seq}"


class InboxItem(models.Model):
    """What the in-app inbox shows. Its id is that of its in_app delivery."""

    id = models.UUIDField(primary_key=True, editable=False)
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, db_index=False, related_name="inbox_items"
    )
    notification_id = models.UUIDField()
    seq = models.BigIntegerField()  # of its latest change
    type_key = models.CharField(max_length=100)
    category = models.ForeignKey("preferences.Category", on_delete=models.PROTECT, related_name="+")
    priority = models.CharField(max_length=10)
    content = EncryptedJSONField()  # {"title", "body", "link", "actions": [{"label", "url", "primary"}]}
    why = models.CharField(max_length=300, default="", blank=True)  # "Why am I getting this?", in words
    created_at = models.DateTimeField()
    seen_at = models.DateTimeField(null=True, blank=True)
    read_at = models.DateTimeField(null=True, blank=True)
    archived_at = models.DateTimeField(null=True, blank=True)
    snoozed_until = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-id"]
        indexes = [
            models.Index(fields=["user", "-id"], name="inbox_by_user"),
            models.Index(fields=["user", "seq"], name="inbox_changes"),
            models.Index(
                fields=["user"], condition=Q(read_at__isnull=True, archived_at__isnull=True), name="inbox_unread"
            ),
        ]

    def __str__(self) -> str:
        return str(self.content.get("title") or self.type_key)
