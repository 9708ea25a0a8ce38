from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import models
from django.db.models import Q

from project.foundation.encryption import EncryptedJSONField
from project.foundation.ids import new_id
from templates_app.models.type import Priority


class Mode(models.TextChoices):
    LIVE = "live", "Live"
    TEST = "test", "Test"


class Lane(models.IntegerChoices):
    """Lower goes first: work of one lane never waits behind a later one."""

    HIGH = 0, "High"
    NORMAL = 1, "Normal"
    BULK = 2, "Bulk"


class Notification(models.Model):
    """One accepted request to tell one user one thing. A history table: see project.foundation.partitions."""

    class Status(models.TextChoices):
        ACCEPTED = "accepted", "Accepted"
        SCHEDULED = "scheduled", "Scheduled"  # waits for a time
        PROCESSING = "processing", "Processing"  # planned, deliveries pending
        COMPLETED = "completed", "Completed"  # nothing pending, something sent or all skipped
        FAILED = "failed", "Failed"  # nothing pending, nothing succeeded, something failed
        CANCELLED = "cancelled", "Cancelled"
        EXPIRED = "expired", "Expired"

    OPEN = (Status.ACCEPTED, Status.SCHEDULED, Status.PROCESSING)  # not over yet

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    caller = models.ForeignKey(
        "notifications.Caller", on_delete=models.PROTECT, null=True, db_constraint=False, db_index=False
    )
    mode = models.CharField(max_length=4, choices=Mode)
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        db_constraint=False,
        db_index=False,
        related_name="notifications",
    )
    type = models.ForeignKey(
        "templates_app.Type", on_delete=models.PROTECT, db_constraint=False, db_index=False, related_name="+"
    )
    caller_notification_id = models.UUIDField(null=True, blank=True)  # the caller's own id, if it gave one
    priority = models.CharField(max_length=10, choices=Priority)
    lane = models.SmallIntegerField(choices=Lane)
    locale = models.CharField(max_length=35, default="", blank=True)  # "" = the person's
    broadcast = models.ForeignKey(
        "notifications.Broadcast",
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        db_constraint=False,
        db_index=False,
        related_name="notifications",
    )
    # {"title", "body", "link", "template_variables"}; null: its broadcast's. Read `content`.
    payload = EncryptedJSONField(null=True, blank=True)
    metadata = EncryptedJSONField(null=True, blank=True)  # the caller's own, given back as it came
    channels_preferred = models.JSONField(null=True, blank=True)  # null = the type's steps, else these alone
    occurred_at = models.DateTimeField(null=True, blank=True)  # the caller's `timestamp`; schedules nothing
    send_at = models.DateTimeField(null=True, blank=True)
    expires_at = models.DateTimeField(null=True, blank=True)
    template_version = models.ForeignKey(
        "templates_app.TemplateVersion",
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        db_constraint=False,
        db_index=False,
        related_name="+",
    )  # pinned when planned
    planned_at = models.DateTimeField(null=True, blank=True)
    # What was decided: for all who are alike, with the contact points that it names in this one's case; or, where
    # something else was decided for this one, in `decisions`. Read `decided`.
    shared_decisions = models.ForeignKey(
        "notifications.SharedDecisions",
        on_delete=models.DO_NOTHING,
        null=True,
        blank=True,
        db_constraint=False,
        db_index=False,
        related_name="+",
    )
    contact_points = models.JSONField(null=True, blank=True)
    decisions = models.JSONField(null=True, blank=True)
    status = models.CharField(max_length=12, choices=Status, default=Status.ACCEPTED)

    # The queue: a row is planning work while due_at is set, and free when its lease is absent or over.
    due_at = models.DateTimeField(null=True, blank=True)
    lease = models.UUIDField(null=True, blank=True)
    leased_until = models.DateTimeField(null=True, blank=True)
    recoveries = models.PositiveSmallIntegerField(default=0)  # leases that ran out: poison has many

    class Meta:
        ordering = ["-id"]
        indexes = [
            models.Index(fields=["lane", "due_at"], condition=Q(due_at__isnull=False), name="notification_due"),
            models.Index(fields=["user", "-id"], name="notification_by_user"),
            models.Index(fields=["caller", "mode", "-id"], name="notification_by_caller"),
            models.Index(fields=["broadcast"], condition=Q(broadcast__isnull=False), name="notification_by_broadcast"),
            models.Index(
                fields=["broadcast", "due_at"],
                condition=Q(broadcast__isnull=False, due_at__isnull=False),
                name="broadcast_unplanned",
            ),
        ]
        constraints = [
            models.CheckConstraint(
                condition=Q(due_at__isnull=True) | Q(status__in=["accepted", "scheduled", "processing"]),
                name="only_open_notifications_are_due",
            ),
        ]

    def __str__(self) -> str:
        return str(self.id)

    @property
    def content(self) -> dict[str, Any]:
        """What it says: {"title", "body", "link", "template_variables"}, its own or its broadcast's."""
        of = self.broadcast if self.payload is None else None
        found: dict[str, Any] | None = self.payload if of is None else of.payload
        return found or {}

    @property
    def decided(self) -> list[dict[str, Any]] | None:
        """What was decided, channel by channel; None until it is planned."""
        if self.decisions is not None or self.shared_decisions is None:
            return self.decisions
        return self.shared_decisions.told_of(self.contact_points or ())

    @property
    def public_id(self) -> UUID:
        """The id that its caller knows it by: the caller's own, if it gave one."""
        return self.caller_notification_id or self.id
