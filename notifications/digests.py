"""The daily digest: what was not told by itself, told together once on each local date.

A digest is a notification of the type DAILY_DIGEST, made with the first thing that waits for it and due at the
person's time of day; then it goes the way of all others. Whoever gathers for it and whoever tells it locks its row,
so that nothing is gathered for a digest that was told already.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime, timedelta
from uuid import UUID

from django.conf import settings
from django.db import transaction

from notifications import timing
from notifications.acceptance import LANES
from notifications.models import Delivery, Digest, DigestItem, Notification
from notifications.plans import Plan
from preferences.decisions import Person
from preferences.models import Category
from project.foundation import bulk, ids
from templates_app.models import Type

KEPT = timedelta(days=9)

_Key = tuple[int, str]  # user, mode


def gather(plans: Iterable[Plan], now: datetime) -> None:
    """Note what the plans leave to a digest, inside the transaction that stores them. No statement without any."""
    waiting: list[tuple[_Key, Delivery]] = []
    people: dict[_Key, Person] = {}
    for plan in plans:
        for delivery in plan.deliveries:
            if delivery.reason == timing.DIGESTED and plan.person is not None:
                key = (plan.person.pk, plan.notification.mode)
                people[key] = plan.person
                waiting.append((key, delivery))
    if waiting:
        digests = _open(people, now)
        items = [
            DigestItem(id=each.id, digest=digests[key], notification_id=each.notification_id, channel=each.channel)
            for key, each in waiting
        ]
        DigestItem.objects.bulk_create(items)


def close(notification_ids: Sequence[UUID], now: datetime) -> dict[UUID, list[DigestItem]]:
    """Return what is to be told in those notifications that are digests; nothing more is gathered for them.

    Repeat-safe: a planner that dies afterwards leaves the same to the next.
    """
    with transaction.atomic():
        rows = Digest.objects.select_for_update().filter(id__in=notification_ids).order_by("user_id", "mode", "day")
        found = [digest.id for digest in rows]
        Digest.objects.filter(id__in=found, closed_at=None).update(closed_at=now)
    items: dict[UUID, list[DigestItem]] = {id: [] for id in found}
    for item in DigestItem.objects.filter(digest_id__in=found).order_by("notification_id", "id"):
        items[item.digest_id].append(item)
    return items


def take_back(notification_id: UUID) -> list[UUID]:
    """Take what waits of a notification out of its digest, inside the caller's transaction; return the deliveries."""
    items = DigestItem.objects.filter(notification_id=notification_id)
    digests = set(items.values_list("digest_id", flat=True))
    still_open = Digest.objects.select_for_update().filter(id__in=digests, closed_at=None).order_by("user_id", "mode")
    waiting = items.filter(digest_id__in=[digest.id for digest in still_open])
    taken = list(waiting.values_list("id", flat=True))
    waiting.delete()
    return taken


def forget_before(now: datetime) -> None:
    """Delete the rights to digests of days long gone, and with them what these gathered."""
    Digest.objects.filter(day__lt=(now - KEPT).date()).delete()


def type_() -> Type:
    """Return the type of digests, made where it is missing."""
    found = Type.objects.filter(key=timing.DAILY_DIGEST).first()
    if found is not None:
        return found
    category, _ = Category.objects.get_or_create(
        key="digests", defaults={"name": "Daily digest", "description": timing.DIGESTS_HOLD, "kind": "system"}
    )
    return Type.objects.get_or_create(
        key=timing.DAILY_DIGEST, defaults={"name": "Daily digest", "category": category, "priority": "MEDIUM"}
    )[0]


def _open(people: Mapping[_Key, Person], now: datetime) -> dict[_Key, Digest]:
    """Return the next digest of each person that is still to be told, locked, made where it is missing."""
    days = {key: timing.digest_day(person, now, settings.DIGEST_AT) for key, person in people.items()}
    found: dict[_Key, Digest] = {}
    made: list[Digest] = []
    while days:
        fresh = {
            key: Digest(id=ids.new_id(), user_id=key[0], mode=key[1], day=day) for key, day in sorted(days.items())
        }
        Digest.objects.bulk_create(fresh.values(), ignore_conflicts=True)
        for digest in _locked(days):
            key = (digest.user_id, digest.mode)
            if digest.closed_at is None and days.get(key) == digest.day:
                found[key] = digest
                made += [digest] if digest.id == fresh[key].id else []
        # One that was told already, because the person moved their time of day: the next day's, then.
        days = {key: day + timedelta(days=1) for key, day in days.items() if key not in found}
    if made:
        _schedule(made, people)
    return found


def _locked(days: Mapping[_Key, date]) -> list[Digest]:
    users, modes = {user for user, _ in days}, {mode for _, mode in days}
    rows = Digest.objects.select_for_update().filter(user_id__in=users, mode__in=modes, day__in=set(days.values()))
    return list(rows.order_by("user_id", "mode", "day"))


def _schedule(digests: Sequence[Digest], people: Mapping[_Key, Person]) -> None:
    """Make the notifications that will tell these digests."""
    told_as, rows = type_(), []
    for digest in digests:
        due_at = timing.digest_moment(people[digest.user_id, digest.mode], digest.day, settings.DIGEST_AT)
        row = Notification(
            id=digest.id,
            user_id=digest.user_id,
            type=told_as,
            mode=digest.mode,
            priority=told_as.priority,
            lane=LANES[told_as.priority],
            payload={},
            status=Notification.Status.SCHEDULED,
            send_at=due_at,
            due_at=due_at,
        )
        rows.append(row)
    bulk.insert(rows)


def by_channel(items: Iterable[DigestItem]) -> dict[UUID, list[str]]:
    """Return on which channels each notification waits, by its id, in the order in which they were made."""
    found: dict[UUID, list[str]] = defaultdict(list)
    for item in items:
        if item.channel not in found[item.notification_id]:
            found[item.notification_id].append(item.channel)
    return found
