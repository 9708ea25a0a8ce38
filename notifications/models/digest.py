from django.conf import settings
from django.db import models

from notifications.models.notification import Mode


class Digest(models.Model):
    """The right to one daily digest: of one person, in one mode, on one local date. Its id is its notification's."""

    id = models.UUIDField(primary_key=True, editable=False)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+", db_index=False)
    mode = models.CharField(max_length=4, choices=Mode)
    day = models.DateField(db_index=True)  # of the person's own calendar
    closed_at = models.DateTimeField(null=True, blank=True)  # nothing is gathered for it any more

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["user", "mode", "day"], name="one_digest_per_person_and_day"),
        ]

    def __str__(self) -> str:
        return f"{self.user_id}, {self.day}"


class DigestItem(models.Model):
    """One delivery that waits to be told in a digest. Its id is the delivery's."""

    id = models.UUIDField(primary_key=True, editable=False)
    digest = models.ForeignKey(Digest, on_delete=models.CASCADE, related_name="items")
    notification_id = models.UUIDField(db_index=True)
    channel = models.CharField(max_length=20)

    class Meta:
        ordering = ["id"]

    def __str__(self) -> str:
        return f"{self.channel} {self.id}"
