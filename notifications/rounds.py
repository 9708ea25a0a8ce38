"""Going on until nothing is due: what a doorbell or the sweep sets off."""

import logging

from django.db import OperationalError
from django.db.models.functions import Now

from notifications import delivery, planning
from notifications.models import Delivery

logger = logging.getLogger(__name__)


def plan_all() -> int:
    """Plan batch after batch until nothing is due; return how many notifications were planned."""
    total = 0
    while count := planning.plan_due():
        total += count
    return total


def deliver_all(channel: str) -> int:
    """Deliver batch after batch of one channel until nothing is due; return how many deliveries were taken up."""
    total = 0
    while count := delivery.deliver_due(channel):
        total += count
    return total


def sweep() -> int:
    """Do whatever is due, on every channel, without any broker. A database that is away is met again next time."""
    try:
        total = plan_all()
        for channel in _channels_with_work():
            total += deliver_all(channel)
        return total
    except OperationalError:
        logger.warning("sweep.no_database")
        return 0


def _channels_with_work() -> list[str]:
    due = Delivery.objects.filter(due_at__lte=Now()).order_by()
    return sorted(set(due.values_list("channel", flat=True).distinct()))
