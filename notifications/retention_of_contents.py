"""What was said goes before the history of it: payloads, metadata, and what was read of a person for each try.

History is too long to be searched for what is still to be emptied, so a mark remembers how far we are. It goes by ids,
which carry their time. What is under way when the mark passes is remembered, and emptied once it is over.
"""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from django.db import transaction
from django.db.models import Q

from notifications.models import Attempt, Delivery, Notification, RetentionMark
from project.foundation import ids

_SIZE = 1000  # notifications in one transaction
_MARK = "contents"


@transaction.atomic
def empty_some(bound: datetime) -> int:
    """Empty the next notifications from before `bound` and move the mark; return how many were passed or emptied."""
    RetentionMark.objects.get_or_create(name=_MARK, defaults={"reached": UUID(int=0)})
    mark = RetentionMark.objects.select_for_update(skip_locked=True).filter(name=_MARK).first()
    if mark is None:  # another worker is at it
        return 0
    over = _over([UUID(id) for id in mark.left])
    rows = Notification.objects.filter(id__gt=mark.reached, id__lt=ids.first_id_at(bound)).order_by("id")
    passed = list(rows.values_list("id", "status")[:_SIZE])
    if not passed and not over:
        return 0
    _empty([*over, *(id for id, status in passed if status not in Notification.OPEN)])
    left = [id for id in mark.left if UUID(id) not in set(over)]
    mark.left = left + [str(id) for id, status in passed if status in Notification.OPEN]
    mark.reached = passed[-1][0] if passed else mark.reached
    mark.save(update_fields=["reached", "left"])
    return len(over) + len(passed)


def _over(left: Sequence[UUID]) -> list[UUID]:
    """Return which of those that were under way are so no more: ended, or gone with their part of history."""
    under_way = Notification.objects.filter(id__in=left, status__in=Notification.OPEN)
    still = set(under_way.values_list("id", flat=True)) if left else ()
    return [id for id in left if id not in still]


def _empty(notifications: Sequence[UUID]) -> None:
    """Empty these, without writing a row that is empty already. They are not sent again: there is nothing to say."""
    if not notifications:
        return
    told = Notification.objects.filter(id__in=notifications)
    told.filter(Q(payload__isnull=False) | Q(metadata__isnull=False)).update(payload=None, metadata=None)
    low, high = ids.time_bounds(list(notifications))
    deliveries = Delivery.objects.filter(notification_id__in=notifications, id__gte=low, id__lt=high)
    deliveries.filter(dead=True).update(dead=False)
    tries = Attempt.objects.filter(delivery_id__in=deliveries.values("id"), id__gte=low, id__lt=high)
    tries.filter(snapshot__isnull=False).update(snapshot=None)
