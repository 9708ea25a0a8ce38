from django.conf import settings
from django.db import models

from project.foundation.ids import new_id


class PreferenceLink(models.Model):
    """A link to somebody's settings that a service asked for. The link itself is signed, and not kept."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="preference_links")
    expires_at = models.DateTimeField()
    revoked_at = models.DateTimeField(null=True, blank=True)
    made_by = models.CharField(max_length=255)  # as in the audit trail

    class Meta:
        ordering = ["-id"]

    def __str__(self) -> str:
        return f"until {self.expires_at}"
