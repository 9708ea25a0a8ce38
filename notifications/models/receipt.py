from django.db import models
from django.db.models import Q

from project.foundation.encryption import EncryptedJSONField, EncryptedTextField
from project.foundation.ids import new_id


class ReceiptCall(models.Model):
    """One verified request of a provider, as it came: what its receipts were read from."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    account = models.ForeignKey("notifications.ProviderAccount", on_delete=models.CASCADE, related_name="+")
    headers = EncryptedJSONField(default=dict)  # those that prove it
    body = EncryptedTextField()

    class Meta:
        ordering = ["-id"]

    def __str__(self) -> str:
        return f"of {self.account}"


class ReceiptRecord(models.Model):
    """One thing a provider reported, on record so that it counts once. Parked while we do not know what it is about."""

    class Result(models.TextChoices):
        PARKED = "parked", "Waits for its delivery"
        MOVED = "moved", "Moved its delivery"
        NOTED = "noted", "Moved nothing"  # overtaken, repeated or for the timeline alone
        UNMATCHED = "unmatched", "About nothing we know"
        TAKEN = "taken", "About an address"  # stop, start, help

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    account = models.ForeignKey("notifications.ProviderAccount", on_delete=models.CASCADE, related_name="+")
    event_id = models.CharField(max_length=255)  # the provider's, a hash of it where it is longer
    call = models.ForeignKey(
        ReceiptCall, on_delete=models.DO_NOTHING, null=True, db_constraint=False, db_index=False, related_name="+"
    )  # forgotten earlier than this
    kind = models.CharField(max_length=20)  # notifications.providers.callbacks.Kind
    at = models.DateTimeField()  # as the provider says, else when it came
    delivery_id = models.UUIDField(null=True, blank=True)
    provider_message_id = models.CharField(max_length=255, default="", blank=True)
    detail = models.CharField(max_length=500, default="", blank=True)  # without addresses
    address = EncryptedTextField(default="", blank=True)  # normalised; "" where the provider names none
    permanent = models.BooleanField(default=False)
    machine = models.BooleanField(default=False)
    result = models.CharField(max_length=10, choices=Result, default=Result.PARKED)

    # Work while due_at is set: what is parked is looked for again, a stop or a call for help is answered.
    due_at = models.DateTimeField(null=True, blank=True)
    tries = models.PositiveSmallIntegerField(default=0)

    class Meta:
        ordering = ["-id"]
        constraints = [models.UniqueConstraint(fields=["account", "event_id"], name="one_receipt_per_event")]
        indexes = [
            models.Index(fields=["due_at"], condition=Q(due_at__isnull=False), name="receipt_due"),
            models.Index(fields=["delivery_id"], name="receipt_by_delivery"),
        ]

    def __str__(self) -> str:
        return self.kind


class UsedToken(models.Model):
    """What one verified request carried that no other may: kept while its signature would still be believed."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    account = models.ForeignKey("notifications.ProviderAccount", on_delete=models.CASCADE, related_name="+")
    digest = models.CharField(max_length=64)  # SHA-256, in hexadecimal

    class Meta:
        constraints = [models.UniqueConstraint(fields=["account", "digest"], name="one_request_per_token")]

    def __str__(self) -> str:
        return f"of {self.account}"
