from django.core.validators import MaxValueValidator, MinValueValidator
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
    # Accounts of one order share its messages by weight.
    weight = models.PositiveSmallIntegerField(
        default=1, db_default=1, validators=[MinValueValidator(1), MaxValueValidator(1000)]
    )
    countries = models.JSONField(default=list, db_default=[], blank=True)  # ["DE", "AT"], sms and voice; [] = all
    categories = models.JSONField(default=list, db_default=[], blank=True)  # categories' keys; [] = all
    enabled = models.BooleanField(default=True)
    rate_limit = models.CharField(max_length=20, default="", blank=True)  # "100/s"; "" = none
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        ordering = ["channel", "order", "name"]

    def __str__(self) -> str:
        return self.name
