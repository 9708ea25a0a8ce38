from django.db import models

from preferences.channels import CHOICES


class AnsweredText(models.Model):
    """When a number was last told that its stop, start or call for help was heard: it is told so once a day."""

    channel = models.CharField(max_length=20, choices=CHOICES)
    address_index = models.BinaryField(max_length=32)  # a keyed fingerprint: nobody can tell whose it is
    kind = models.CharField(max_length=20)  # "stop", "start", "help"
    at = models.DateTimeField(db_index=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["address_index", "kind"], name="one_answered_text_per_kind"),
        ]

    def __str__(self) -> str:
        return self.kind
