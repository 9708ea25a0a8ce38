"""Driving the pipeline by hand: what workers do, at once and in this process."""

from datetime import timedelta

from django.db.models import F

from notifications import rounds
from notifications.models import Delivery, Notification


def run_until_idle() -> None:
    """Plan and deliver until nothing is due."""
    while rounds.sweep():
        continue


def let_time_pass(wait: timedelta) -> None:
    """Bring every due time and every lease nearer by `wait`, as if the clock had moved on."""
    for model in (Notification, Delivery):
        model.objects.filter(due_at__isnull=False).update(due_at=F("due_at") - wait)
        model.objects.filter(leased_until__isnull=False).update(leased_until=F("leased_until") - wait)
