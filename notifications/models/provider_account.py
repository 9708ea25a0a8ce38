from django.db import models

from preferences.channels import CHOICES
from project.foundation.encryption import EncryptedJSONField


class ProviderAccount(models.Model):
    """The configuration of one provider: credentials, order, limits."""

    name = models.SlugField(max_length=100, unique=True)
    provider = models.CharField(max_length=40)  # key of a class in settings.NOTIFICATION_PROVIDERS
    channel = models.CharField(max_length=20, choices=CHOICES)
    options = EncryptedJSONField(default=dict, blank=True)
    order = models.PositiveSmallIntegerField(default=10)  # ascending: the first that is usable is taken
    enabled = models.BooleanField(default=True)
    rate_limit = models.CharField(max_length=20, default="", blank=True)  # "100/s"; "" = none
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        ordering = ["channel", "order", "name"]

    def __str__(self) -> str:
        return self.name
