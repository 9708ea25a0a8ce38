"""Inbox items past their time. Their people's counts are written anew in the same transaction."""

from datetime import datetime

from django.db import transaction

from notifications.inbox import feed
from notifications.models import InboxItem
from project.foundation import ids

_SIZE = 200  # items in one transaction: each of them may be of another person, who is counted anew


@transaction.atomic
def delete_some(bound: datetime) -> int:
    """Delete some items from before `bound`; return how many."""
    old = InboxItem.objects.filter(id__lt=ids.first_id_at(bound)).order_by("id")
    found = dict(old.values_list("id", "user_id")[:_SIZE])
    if not found:
        return 0
    people = set(found.values())
    standings = feed.lock(dict.fromkeys(people, 0))
    InboxItem.objects.filter(id__in=found).delete()
    for user_pk in sorted(people):
        feed.recount(user_pk, seq=standings[user_pk].seq)
    return len(found)
