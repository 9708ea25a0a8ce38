"""Topics: lists that people join, kept by the services that know why."""

from collections.abc import Sequence
from dataclasses import dataclass

from django.db import transaction

from preferences import users
from preferences.models import Topic, TopicSubscription
from project.foundation import audit


@dataclass(frozen=True)
class Changed:
    """What a change of a list did: how many joined or left, and whom nobody knows."""

    count: int
    unknown_user_ids: list[str]


@transaction.atomic
def put(key: str, name: str, *, actor: str) -> tuple[Topic, bool]:
    """Create or rename a topic; return it and whether it is new."""
    topic, created = Topic.objects.update_or_create(key=key, defaults={"name": name})
    audit.record(actor, "topic.created" if created else "topic.changed", f"topic:{key}")
    return topic, created


@transaction.atomic
def subscribe(topic: Topic, user_ids: Sequence[str]) -> Changed:
    """Let people join; who is on the list already stays on it. A constant number of statements on PostgreSQL."""
    known = users.find_pks(user_ids)
    there = set(topic.subscriptions.filter(user_id__in=known.values()).values_list("user_id", flat=True))
    joining = [pk for pk in known.values() if pk not in there]
    rows = [TopicSubscription(topic=topic, user_id=pk) for pk in sorted(joining)]
    TopicSubscription.objects.bulk_create(rows, ignore_conflicts=True)  # another call may have been quicker
    return Changed(len(joining), _unknown(user_ids, known))


@transaction.atomic
def unsubscribe(topic: Topic, user_ids: Sequence[str]) -> Changed:
    """Take people off the list. Two statements."""
    known = users.find_pks(user_ids)
    count, _ = topic.subscriptions.filter(user_id__in=known.values()).delete()
    return Changed(count, _unknown(user_ids, known))


def _unknown(user_ids: Sequence[str], known: dict[str, int]) -> list[str]:
    return [user_id for user_id in dict.fromkeys(user_ids) if user_id not in known]
