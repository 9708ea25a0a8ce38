from django.conf import settings
from django.db import models
from django.db.models import Q

from notifications.models.notification import Lane, Mode
from preferences.channels import CHOICES
from project.foundation.encryption import EncryptedJSONField
from project.foundation.ids import new_id


class Delivery(models.Model):
    """One notification to one contact point. Only notifications.tracking writes `status`."""

    class Status(models.TextChoices):
        SCHEDULED = "scheduled", "Scheduled"  # waits for a time
        QUEUED = "queued", "Queued"
        HELD = "held", "Held"  # waits for an operator
        SENDING = "sending", "Sending"
        SENT = "sent", "Sent"
        DELIVERED = "delivered", "Delivered"
        OPENED = "opened", "Opened"
        CLICKED = "clicked", "Clicked"
        BOUNCED = "bounced", "Bounced"
        COMPLAINED = "complained", "Complained"
        FAILED = "failed", "Failed"
        SKIPPED = "skipped", "Skipped"
        CANCELLED = "cancelled", "Cancelled"
        EXPIRED = "expired", "Expired"
        UNKNOWN = "unknown", "Unknown"  # the provider was called and its answer was lost

    # project.foundation.ids.derived_id(notification_id, step, channel, contact_point_id)
    id = models.UUIDField(primary_key=True, editable=False)
    notification = models.ForeignKey(
        "notifications.Notification",
        on_delete=models.DO_NOTHING,
        db_constraint=False,
        db_index=False,
        related_name="deliveries",
    )
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, db_constraint=False, db_index=False, related_name="+"
    )
    type = models.ForeignKey(
        "templates_app.Type", on_delete=models.PROTECT, db_constraint=False, db_index=False, related_name="+"
    )
    broadcast = models.ForeignKey(
        "notifications.Broadcast",
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        db_constraint=False,
        db_index=False,
        related_name="deliveries",
    )
    mode = models.CharField(max_length=4, choices=Mode)
    lane = models.SmallIntegerField(choices=Lane)
    channel = models.CharField(max_length=20, choices=CHOICES)
    contact_point = models.ForeignKey(
        "preferences.ContactPoint",
        on_delete=models.DO_NOTHING,
        null=True,
        blank=True,
        db_constraint=False,
        db_index=False,
        related_name="+",
    )  # null: in_app, or skipped for want of one
    provider_account = models.ForeignKey(
        "notifications.ProviderAccount",
        on_delete=models.DO_NOTHING,
        null=True,
        blank=True,
        db_constraint=False,
        db_index=False,
        related_name="+",
    )  # of the latest attempt
    step = models.PositiveSmallIntegerField(default=0)
    status = models.CharField(max_length=12, choices=Status, default=Status.QUEUED)
    reason = models.CharField(max_length=40, default="", blank=True)  # of skipped, held, cancelled: see the docs
    dead = models.BooleanField(default=False)  # given up on: a dead letter
    attempts = models.PositiveSmallIntegerField(default=0)
    # Tries before the latest replay: the retry schedule starts anew after them.
    attempts_before = models.PositiveSmallIntegerField(default=0)
    provider_message_id = models.CharField(max_length=255, default="", blank=True)
    error = models.CharField(max_length=500, default="", blank=True)  # in words, without addresses
    expires_at = models.DateTimeField(null=True, blank=True)
    sent_at = models.DateTimeField(null=True, blank=True)
    delivered_at = models.DateTimeField(null=True, blank=True)
    opened_at = models.DateTimeField(null=True, blank=True)
    clicked_at = models.DateTimeField(null=True, blank=True)

    # The queue: a row is delivery work while due_at is set, and free when its lease is absent or over.
    due_at = models.DateTimeField(null=True, blank=True)
    lease = models.UUIDField(null=True, blank=True)
    leased_until = models.DateTimeField(null=True, blank=True)
    recoveries = models.PositiveSmallIntegerField(default=0)

    class Meta:
        ordering = ["id"]
        verbose_name_plural = "deliveries"
        indexes = [
            # With the id, which such look-ups name too, for the partition's sake: all of a broadcast share its time.
            models.Index(fields=["notification", "id"], name="delivery_by_notification"),
            models.Index(fields=["lane", "channel", "due_at"], condition=Q(due_at__isnull=False), name="delivery_due"),
            # While an account is waited for, its live rows lie there in their thousands, and test mode goes on.
            models.Index(
                fields=["lane", "channel", "due_at"],
                condition=Q(due_at__isnull=False, mode="test"),
                name="delivery_due_in_test",
            ),
            models.Index(
                fields=["provider_message_id"], condition=~Q(provider_message_id=""), name="delivery_by_provider_id"
            ),
            models.Index(fields=["-id"], condition=Q(dead=True), name="dead_letters"),
            # By reason and not by status, which changes so often that PostgreSQL could do no update in place (HOT).
            models.Index(
                fields=["channel", "lane", "id"],
                condition=Q(reason__in=["type_paused", "channel_paused", "account", "brake"]),
                name="delivery_held",
            ),
            models.Index(fields=["broadcast"], condition=Q(broadcast__isnull=False), name="delivery_by_broadcast"),
            models.Index(
                fields=["broadcast", "due_at"],
                condition=Q(broadcast__isnull=False, due_at__isnull=False),
                name="broadcast_waiting",
            ),
            models.Index(fields=["broadcast"], condition=Q(reason="broadcast_paused"), name="broadcast_held"),
        ]
        constraints = [
            models.CheckConstraint(
                condition=Q(due_at__isnull=True) | Q(status__in=["scheduled", "queued", "sending", "unknown"]),
                name="only_open_deliveries_are_due",
            ),
            models.CheckConstraint(condition=Q(dead=False) | Q(status="failed"), name="dead_letters_have_failed"),
            models.CheckConstraint(
                condition=~Q(status__in=["skipped", "held", "cancelled"]) | ~Q(reason=""), name="a_stop_has_a_reason"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.channel} {self.status}"


class Attempt(models.Model):
    """One try, on record before the provider is called. Open after its lease: the outcome is unknown."""

    class Outcome(models.TextChoices):
        OPEN = "open", "Open"
        ACCEPTED = "accepted", "Accepted"
        TRANSIENT = "transient", "Failed for now"
        THROTTLED = "throttled", "Throttled"
        RECIPIENT = "recipient", "Refused for this recipient"
        ACCOUNT = "account", "Refused for this account"
        UNKNOWN = "unknown", "Unknown"

    id = models.UUIDField(primary_key=True, editable=False)  # project.foundation.ids.new_beside(delivery_id)
    delivery = models.ForeignKey(
        Delivery, on_delete=models.DO_NOTHING, db_constraint=False, related_name="attempt_rows"
    )
    number = models.PositiveSmallIntegerField()
    provider_account = models.ForeignKey(
        "notifications.ProviderAccount",
        on_delete=models.DO_NOTHING,
        null=True,
        blank=True,
        db_constraint=False,
        db_index=False,
        related_name="+",
    )  # null: the built-in outbox of test mode, or the inbox
    started_at = models.DateTimeField()
    finished_at = models.DateTimeField(null=True, blank=True)
    outcome = models.CharField(max_length=12, choices=Outcome, default=Outcome.OPEN)
    error = models.CharField(max_length=500, default="", blank=True)
    message_hash = models.BinaryField(max_length=32, null=True, blank=True)  # SHA-256 of the rendered parts
    snapshot = EncryptedJSONField(null=True, blank=True)  # the user fields it was rendered from

    class Meta:
        ordering = ["id"]

    def __str__(self) -> str:
        return f"try {self.number}: {self.outcome}"


class Event(models.Model):
    """One line of a notification's timeline; of one delivery's where `delivery` is set."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    notification = models.ForeignKey(
        "notifications.Notification", on_delete=models.DO_NOTHING, db_constraint=False, related_name="events"
    )
    delivery = models.ForeignKey(
        Delivery,
        on_delete=models.DO_NOTHING,
        null=True,
        blank=True,
        db_constraint=False,
        db_index=False,
        related_name="events",
    )
    kind = models.CharField(max_length=40)  # "accepted", "planned", or a delivery's status
    at = models.DateTimeField()
    detail = models.CharField(max_length=500, default="", blank=True)  # a reason or an error, without addresses

    class Meta:
        ordering = ["at", "id"]

    def __str__(self) -> str:
        return self.kind
