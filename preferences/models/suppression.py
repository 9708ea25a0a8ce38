from django.db import models

from preferences.channels import CHOICES


class Suppression(models.Model):
    """An address nobody may use, kept as a fingerprint only, so that it outlives the person's erasure."""

    class Reason(models.TextChoices):
        BOUNCE = "bounce", "Hard bounce"
        COMPLAINT = "complaint", "Complaint"
        STOP = "stop", "Asked to stop"
        ERASED = "erased", "Erased"
        OPERATOR = "operator", "Set by an operator"

    channel = models.CharField(max_length=20, choices=CHOICES)
    address_index = models.BinaryField(max_length=32)
    reason = models.CharField(max_length=20, choices=Reason)
    # They asked to stop, too: that stays when the other reason is gone.
    stopped = models.BooleanField(default=False, db_default=False)
    source = models.CharField(max_length=40, default="", db_default="", blank=True)  # as in the ledger: "receipt", …
    actor = models.CharField(max_length=255, default="", db_default="", blank=True)  # as in the audit trail
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["channel", "address_index"], name="one_suppression_per_address"),
        ]

    def __str__(self) -> str:
        return f"{self.channel}: {self.reason}"
