from typing import Any

from django.db import models
from django.db.models import Q

from preferences.channels import CHOICES


class Immutable(Exception):
    """What was published is what people were told: it can be followed by a new version, not changed."""


class TemplateVersion(models.Model):
    """One state of a template: the draft while `published_at` is null, immutable from then on."""

    template = models.ForeignKey("templates_app.Template", on_delete=models.CASCADE, related_name="versions")
    number = models.PositiveIntegerField()  # 1, 2, 3 … within the template
    author = models.CharField(max_length=255, default="", blank=True)  # actor, as in the audit trail
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)
    published_at = models.DateTimeField(null=True, blank=True)
    published_by = models.CharField(max_length=255, default="", blank=True)

    class Meta:
        ordering = ["-number"]
        constraints = [
            models.UniqueConstraint(fields=["template", "number"], name="version_number_is_its_own"),
            models.UniqueConstraint(
                fields=["template"], condition=Q(published_at__isnull=True), name="one_draft_per_template"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.template} v{self.number}"

    def save(self, *args: Any, **kwargs: Any) -> None:
        _refuse_if_published(self.pk)
        super().save(*args, **kwargs)

    def delete(self, *args: Any, **kwargs: Any) -> tuple[int, dict[str, int]]:
        _refuse_if_published(self.pk)
        return super().delete(*args, **kwargs)


class Content(models.Model):
    """What a version says on one channel in one locale."""

    version = models.ForeignKey(TemplateVersion, on_delete=models.CASCADE, related_name="contents")
    channel = models.CharField(max_length=20, choices=CHOICES)
    locale = models.CharField(max_length=35)  # BCP 47
    parts = models.JSONField(default=dict)  # {"subject": "<Liquid>", "html": …}: as the author wrote it
    compiled = models.JSONField(
        default=dict, blank=True
    )  # made at publish: layout, inlined CSS, text part; still Liquid

    class Meta:
        ordering = ["channel", "locale"]
        constraints = [
            models.UniqueConstraint(fields=["version", "channel", "locale"], name="one_content_per_channel_and_locale"),
        ]

    def __str__(self) -> str:
        return f"{self.channel} ({self.locale})"

    def save(self, *args: Any, **kwargs: Any) -> None:
        _refuse_if_published(self.version_id)
        super().save(*args, **kwargs)

    def delete(self, *args: Any, **kwargs: Any) -> tuple[int, dict[str, int]]:
        _refuse_if_published(self.version_id)
        return super().delete(*args, **kwargs)


def _refuse_if_published(version_id: int | None) -> None:
    if version_id and TemplateVersion.objects.filter(pk=version_id, published_at__isnull=False).exists():
        raise Immutable(f"Version {version_id} is published.")
