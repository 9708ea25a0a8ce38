from django.db import models

from notifications.models.notification import Mode
from project.foundation.encryption import EncryptedJSONField


class IdempotencyRecord(models.Model):
    """What a request with an Idempotency-Key was answered, kept in the transaction that did its work."""

    # Without a constraint, whose check would lock the caller's one row for every request.
    caller = models.ForeignKey("notifications.Caller", on_delete=models.CASCADE, related_name="+", db_constraint=False)
    mode = models.CharField(max_length=4, choices=Mode)
    route = models.CharField(max_length=200)  # "POST /notifications/send"
    key = models.CharField(max_length=255)
    body_hash = models.BinaryField(max_length=32)  # SHA-256 of the canonical JSON without `timestamp`
    status = models.PositiveSmallIntegerField()
    body = EncryptedJSONField()
    created_at = models.DateTimeField(auto_now_add=True, db_index=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["caller", "mode", "route", "key"], name="one_answer_per_idempotency_key"),
        ]

    def __str__(self) -> str:
        return f"{self.route} {self.key}"


class CallerNotificationId(models.Model):
    """A caller's own notification_id beside ours, narrow, so that history can be dropped by partition."""

    caller = models.ForeignKey("notifications.Caller", on_delete=models.CASCADE, related_name="+", db_constraint=False)
    mode = models.CharField(max_length=4, choices=Mode)
    key = models.UUIDField()
    notification_id = models.UUIDField()
    body_hash = models.BinaryField(max_length=32)
    created_at = models.DateTimeField(auto_now_add=True, db_index=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["caller", "mode", "key"], name="one_notification_per_caller_id"),
        ]

    def __str__(self) -> str:
        return str(self.key)
