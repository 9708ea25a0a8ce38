from django.conf import settings
from django.db import models
from django.db.models.functions import Now

from project.foundation.ids import new_id


class AddressConfirmation(models.Model):
    """One question to an address whether its owner wants it used, by a link or a code. Answered once, or never."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    # It stays when the address is removed: whoever adds that again has asked it so often all the same.
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+", null=True)
    contact_point = models.ForeignKey(
        "preferences.ContactPoint", on_delete=models.SET_NULL, related_name="confirmations", null=True
    )
    address_index = models.BinaryField(max_length=32)  # what was asked about: an address changed since is another one
    code_hash = models.BinaryField(max_length=32, null=True, blank=True)  # null: by link
    tries = models.PositiveSmallIntegerField(default=0)  # of codes
    created_at = models.DateTimeField(db_default=Now())
    expires_at = models.DateTimeField(db_index=True)
    used_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-id"]
        indexes = [models.Index(fields=["address_index", "created_at"], name="confirmations_by_address")]

    def __str__(self) -> str:
        return f"until {self.expires_at}"
