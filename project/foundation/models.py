from django.db import models

from project.foundation.encryption import EncryptedTextField
from project.foundation.ids import new_id


class AuditEvent(models.Model):
    """One administrative act: who did what to what. Written in the act's own transaction, never changed."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    actor = models.CharField(max_length=255)  # "key:<caller>", "staff:<user_id>", "user:<key>", "link:<id>", "system"
    action = models.CharField(max_length=100)  # "template.published"
    target = models.CharField(max_length=255)  # "template:order_shipped"; people by their key here: "user:17"
    detail = models.JSONField(default=dict, blank=True)  # never personal data: names of fields, not their values
    ip = EncryptedTextField(default="", blank=True)

    class Meta:
        indexes = [
            models.Index(fields=["target", "-id"], name="audit_by_target"),
            models.Index(fields=["actor", "-id"], name="audit_by_actor"),
        ]
        ordering = ["-id"]
        permissions = [("export_auditevent", "Can download the audit trail")]

    def __str__(self) -> str:
        return f"{self.actor} {self.action} {self.target}"
