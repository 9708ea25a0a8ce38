from django.conf import settings
from django.db import models


class Erasure(models.Model):
    """A person who was erased lately: what was still under way then is looked for again. Gone when all is found."""

    user = models.OneToOneField(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, primary_key=True, related_name="+")
    looks = models.PositiveSmallIntegerField(default=0)  # so far
    due_at = models.DateTimeField(db_index=True)  # the next one

    def __str__(self) -> str:
        return f"of {self.user_id}"
