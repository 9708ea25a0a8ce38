from django.conf import settings
from django.db import models

from project.foundation.encryption import EncryptedTextField
from project.foundation.ids import new_id


class ConsentRecord(models.Model):
    """One line of the ledger: who changed what from what to what, and how we know. The database refuses changes.

    But a line of a person who was erased keeps the choice and loses who made it from where.
    """

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="consent_records")
    subject = models.CharField(max_length=255)  # "category:offers × channel:email", "mute:all"
    old = models.CharField(max_length=255)  # "yes", "no", "unset", a time, quiet hours in words
    new = models.CharField(max_length=255)
    source = models.CharField(max_length=40)  # "api", "settings_page", "one_click", "admin", "inbox"
    actor = models.CharField(max_length=255)  # as in the audit trail
    ip = EncryptedTextField(default="", blank=True, null=True)  # null: its person was erased
    agent = models.CharField(max_length=255, default="", blank=True)
    wording = models.CharField(max_length=40, default="", blank=True)  # version of the text the person saw

    class Meta:
        ordering = ["-id"]
        permissions = [("export_consentrecord", "Can download the consent ledger")]
        indexes = [models.Index(fields=["user", "-id"], name="consent_by_user")]

    def __str__(self) -> str:
        return f"{self.subject}: {self.old} → {self.new}"
