from django.db import models


class TroubledAddress(models.Model):
    """A webhook that has failed since some time and not worked in between. Written by notifications.address_health."""

    # Without a constraint: a worker may still write for an address that was removed a moment ago.
    contact_point = models.OneToOneField(
        "preferences.ContactPoint",
        on_delete=models.CASCADE,
        primary_key=True,
        db_constraint=False,
        related_name="trouble",
    )
    failing_since = models.DateTimeField()

    def __str__(self) -> str:
        return f"trouble of contact point {self.contact_point_id}"
