from django.db import models
from django.db.models import Q

from notifications.models.notification import Mode
from project.foundation.encryption import EncryptedJSONField
from project.foundation.ids import new_id
from templates_app.models.type import Priority


class Broadcast(models.Model):
    """One request to tell an audience. It keeps what is said once; its notifications are narrow and inherit it."""

    class Status(models.TextChoices):
        SCHEDULED = "scheduled", "Scheduled"  # waits for `send_at`
        MATERIALISING = "materialising", "Finding its audience"
        RUNNING = "running", "Running"
        PAUSED = "paused", "Paused"
        COMPLETED = "completed", "Completed"  # everybody was planned for, and nothing is pending
        CANCELLED = "cancelled", "Cancelled"

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    caller = models.ForeignKey("notifications.Caller", on_delete=models.PROTECT, null=True, blank=True)
    mode = models.CharField(max_length=4, choices=Mode)
    name = models.CharField(max_length=200, default="", blank=True)  # for the people who look after it
    type = models.ForeignKey("templates_app.Type", on_delete=models.PROTECT, related_name="+")
    template_version = models.ForeignKey(
        "templates_app.TemplateVersion", on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )  # pinned when accepted; null: the standard layout
    payload = EncryptedJSONField()  # {"title", "body", "link", "template_variables"}
    priority = models.CharField(max_length=10, choices=Priority)
    # {"topic": key} | {"filter": {…}} | {"all": true} | {"user_ids": <how many>}: who they are, the audience says
    audience = models.JSONField()
    send_at = models.DateTimeField(null=True, blank=True)
    # "09:00": each person is told when their own clock next shows it, from `send_at` on. "" = everybody at once.
    local_time = models.CharField(max_length=5, default="", db_default="", blank=True)
    status = models.CharField(max_length=14, choices=Status)

    total = models.PositiveIntegerField(null=True, blank=True)  # people in the audience; null until materialised
    # Everybody up to this user's key has their notification. It moves in the transaction that writes those.
    reached = models.BigIntegerField(default=0)
    noted = models.PositiveIntegerField(default=0)  # people up to `reached`
    # With a local time, people are told in turns, by when that is for them. `reached` counts within this one.
    turn = models.DateTimeField(null=True, blank=True)
    origin = models.UUIDField(null=True, blank=True)  # the ids of its notifications are derived from this one
    # Somebody began to plan the next people then. What is still there after a moment, they did not live to finish.
    planning_since = models.DateTimeField(null=True, blank=True)
    started_at = models.DateTimeField(null=True, blank=True)
    finished_at = models.DateTimeField(null=True, blank=True)

    # A row is work while due_at is set. Whoever holds its lock works on it, so it needs no lease.
    due_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-id"]
        indexes = [
            models.Index(fields=["due_at"], condition=Q(due_at__isnull=False), name="broadcast_due"),
        ]
        constraints = [
            models.CheckConstraint(
                condition=Q(status__in=["scheduled", "materialising", "paused", "cancelled"]) | Q(total__isnull=False),
                name="a_running_broadcast_has_its_audience",
            ),
        ]

    def __str__(self) -> str:
        return self.name or f"{self.type}"


class AudienceMember(models.Model):
    """One person of a broadcast's audience, written once: a segment that changes later changes nothing here.

    Plain columns, since a million rows are written in one statement.
    """

    pk = models.CompositePrimaryKey("broadcast_id", "user_id")
    broadcast_id = models.UUIDField()
    user_id = models.BigIntegerField()
    tell_at = models.DateTimeField(null=True, blank=True)  # null: with all the others

    class Meta:
        indexes = [
            models.Index(
                fields=["broadcast_id", "tell_at", "user_id"], condition=Q(tell_at__isnull=False), name="audience_turn"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.user_id} of {self.broadcast_id}"
