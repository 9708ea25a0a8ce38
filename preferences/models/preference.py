from django.conf import settings
from django.db import models
from django.db.models import Q

from preferences.channels import CHOICES


class Preference(models.Model):
    """One explicit choice: yes or no. No row means no choice, and the default applies.

    category and channel set: that cell. Category alone: the whole category. Channel alone: the whole channel.
    """

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="preferences")
    category = models.ForeignKey("preferences.Category", on_delete=models.CASCADE, null=True, blank=True)
    channel = models.CharField(max_length=20, choices=CHOICES, default="", blank=True)
    enabled = models.BooleanField()
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["user", "category", "channel"],
                condition=Q(category__isnull=False),
                name="one_choice_per_category_and_channel",
            ),
            models.UniqueConstraint(
                fields=["user", "channel"], condition=Q(category__isnull=True), name="one_choice_per_channel"
            ),
            models.CheckConstraint(
                condition=Q(category__isnull=False) | ~Q(channel=""), name="choice_is_about_something"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.category or 'all'} × {self.channel or 'all'}: {'yes' if self.enabled else 'no'}"


class Mute(models.Model):
    """Silence until a time: of everything, of a category, or of a type (by its key). `until` null = until undone."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="mutes")
    category = models.ForeignKey("preferences.Category", on_delete=models.CASCADE, null=True, blank=True)
    type_key = models.CharField(max_length=100, default="", blank=True)
    until = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["user", "category"], condition=Q(category__isnull=False), name="one_mute_per_category"
            ),
            models.UniqueConstraint(
                fields=["user", "type_key"], condition=Q(category__isnull=True), name="one_mute_per_type"
            ),
            models.CheckConstraint(condition=Q(category__isnull=True) | Q(type_key=""), name="mute_is_of_one_thing"),
        ]

    def __str__(self) -> str:
        return f"{self.type_key or self.category or 'everything'} until {self.until or 'undone'}"
