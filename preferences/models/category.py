from django.db import models


class Category(models.Model):
    """What people may opt out of."""

    class Kind(models.TextChoices):
        TRANSACTIONAL = "transactional", "Transactional"
        MARKETING = "marketing", "Marketing"
        SYSTEM = "system", "System"

    class Overflow(models.TextChoices):
        DIGEST = "digest", "Gather in the daily digest"
        DROP = "drop", "Drop"

    class UnknownOutcome(models.TextChoices):
        HOLD = "hold", "Wait for an operator"
        RESEND = "resend", "Send again"

    key = models.SlugField(max_length=100, unique=True)
    name = models.CharField(max_length=200)
    description = models.TextField(default="", blank=True)  # shown to people on their settings page
    kind = models.CharField(max_length=20, choices=Kind, default=Kind.TRANSACTIONAL)
    required_channels = models.JSONField(default=list, blank=True)  # ["email"]: cannot be opted out of
    default_channels = models.JSONField(default=dict, blank=True)  # {"email": true, "sms": false}: rule 8
    overflow = models.CharField(max_length=10, choices=Overflow, default=Overflow.DIGEST)
    urgent = models.BooleanField(default=False)  # breaks through quiet hours
    unknown_outcome = models.CharField(max_length=10, choices=UnknownOutcome, default=UnknownOutcome.RESEND)
    approval = models.BooleanField(default=False)
    track_opens = models.BooleanField(default=True)
    track_clicks = models.BooleanField(default=True)
    # Only to e-mail addresses and phone numbers that their owner has confirmed (double opt-in).
    double_opt_in = models.BooleanField(default=False, db_default=False)

    class Meta:
        ordering = ["name"]
        verbose_name_plural = "categories"
        constraints = [
            models.CheckConstraint(
                condition=models.Q(kind__in=["transactional", "marketing", "system"]), name="category_kind_is_known"
            ),
        ]

    def __str__(self) -> str:
        return self.name
