from django.conf import settings
from django.db import models


class FrequencyCount(models.Model):
    """How many messages one of a person's caps has let through in one window. Kept a few days past its end."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+", db_index=False)
    cap = models.CharField(max_length=140)  # preferences.frequency_caps.name
    begins = models.DateTimeField(db_index=True)  # of the window
    count = models.PositiveIntegerField(default=0)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["user", "cap", "begins"], name="one_count_per_cap_and_window"),
        ]

    def __str__(self) -> str:
        return f"{self.cap}: {self.count}"
