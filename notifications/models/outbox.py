from django.conf import settings
from django.db import models

from notifications.models.notification import Mode
from preferences.channels import CHOICES
from project.foundation.encryption import EncryptedJSONField, EncryptedTextField
from project.foundation.ids import new_id


class OutboxMessage(models.Model):
    """What would have been sent: by the outbox provider, and by every channel in test mode. Kept seven days."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    notification_id = models.UUIDField(db_index=True)
    delivery_id = models.UUIDField(unique=True)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    caller = models.ForeignKey("notifications.Caller", on_delete=models.SET_NULL, null=True, related_name="+")
    mode = models.CharField(max_length=4, choices=Mode)
    channel = models.CharField(max_length=20, choices=CHOICES)
    to = EncryptedTextField(default="")
    headers = EncryptedJSONField(default=dict)  # mail only
    parts = EncryptedJSONField(default=dict)
    attachments = EncryptedJSONField(null=True, blank=True)  # [{"filename", "content_type", "size"}]; null: none
    created_at = models.DateTimeField()

    class Meta:
        ordering = ["-id"]

    def __str__(self) -> str:
        return f"{self.get_channel_display()} to {self.user}"
