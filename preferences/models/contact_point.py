from django.conf import settings
from django.db import models

from preferences.channels import CHOICES
from project.foundation.encryption import EncryptedTextField
from project.foundation.ids import new_id


class ContactPoint(models.Model):
    """One address of a person on one channel."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="contact_points")
    channel = models.CharField(max_length=20, choices=CHOICES)
    address = EncryptedTextField()  # normalised: see preferences.contact_points
    address_index = models.BinaryField(max_length=32)  # project.foundation.encryption.blind_index(channel, address)
    label = models.CharField(max_length=100, default="", blank=True)
    secret = EncryptedTextField(default="", blank=True)  # webhook only: signs what is sent to it
    verified_at = models.DateTimeField(null=True, blank=True)  # a service vouched for it, or its owner confirmed it
    confirmed_at = models.DateTimeField(null=True, blank=True)  # its owner did, by a link or a code sent to it
    disabled_at = models.DateTimeField(null=True, blank=True)
    disabled_reason = models.CharField(max_length=100, default="", blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["id"]
        constraints = [
            models.UniqueConstraint(fields=["user", "channel", "address_index"], name="one_contact_point_per_address"),
            models.CheckConstraint(
                condition=models.Q(disabled_at__isnull=True) | ~models.Q(disabled_reason=""),
                name="disabled_contact_point_has_a_reason",
            ),
        ]
        indexes = [models.Index(fields=["address_index"], name="contact_point_by_address")]

    def __str__(self) -> str:
        return f"{self.channel} of {self.user_id}"
