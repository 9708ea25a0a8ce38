from django.db import models


class Priority(models.TextChoices):
    LOW = "LOW", "Low"
    MEDIUM = "MEDIUM", "Medium"
    HIGH = "HIGH", "High"


class Type(models.Model):
    """What happened (`ORDER_CONFIRMATION`): its category, its template and the schema of its variables."""

    key = models.CharField(max_length=100, unique=True)
    name = models.CharField(max_length=200)
    category = models.ForeignKey("preferences.Category", on_delete=models.PROTECT, related_name="types")
    template = models.ForeignKey(
        "templates_app.Template", on_delete=models.PROTECT, null=True, blank=True, related_name="types"
    )
    schema = models.JSONField(null=True, blank=True)  # JSON Schema of payload.template_variables; null = anything
    priority = models.CharField(max_length=10, choices=Priority, default=Priority.MEDIUM)
    expires_after = models.DurationField(null=True, blank=True)  # from a delivery's first due time; null = 24 h

    class Meta:
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name
