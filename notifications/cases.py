"""What is known of a sub-batch: now, in a constant number of queries, or when this process planned it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from msgspec import Struct

from notifications import gathering
from notifications.models import Attempt, Broadcast, Delivery, InboxCounter, Notification
from notifications.plans import Written
from notifications.tracking import Status
from preferences.decisions import CategoryFacts, ContactPointFacts, Person
from preferences.loading import category_facts, load_people, look_again
from templates_app.models import Type


@dataclass(frozen=True)
class Known:
    """What a sub-batch needs to know, loaded in a constant number of queries."""

    now: datetime
    notifications: Mapping[UUID, Notification]
    people: Mapping[int, Person]
    types: Mapping[int, Type]
    categories: Mapping[int, CategoryFacts]  # by type
    resends: Mapping[int, bool]  # by type: a try goes again of which nobody knows what became
    interrupted: Mapping[object, int | None]  # account by delivery whose worker was lost during the call
    unread: Mapping[int, int]  # what each person has not read in their inbox; on push alone
    agreed: bool  # the rules have just been asked about exactly this


class Case(Struct, frozen=True):
    """One delivery, and what is known of it. Kept apart, since asking Django's rows for it costs ten times as much."""

    delivery: Delivery
    channel: str
    notification: Notification
    broadcast_status: str | None  # None: it is of no broadcast
    person: Person
    point: ContactPointFacts | None
    type: Type
    category: CategoryFacts
    resend: bool  # when it is unknown what became of a try


def case(delivery: Delivery, known: Known) -> Case:
    notification, person = known.notifications[delivery.notification_id], known.people[delivery.user_id]
    type_id, point_id, broadcast = delivery.type_id, delivery.contact_point_id, notification.broadcast
    point = None
    for each in person.contact_points:
        if each.id == point_id:
            point = each
            break
    return Case(
        delivery=delivery,
        channel=delivery.channel,
        notification=notification,
        broadcast_status=broadcast.status if broadcast is not None else None,
        person=person,
        point=point,
        type=known.types[type_id],
        category=known.categories[type_id],
        # A phone that rang is not rung again on suspicion: an operator says what became of the call.
        resend=known.resends[type_id] and delivery.channel != "voice",
    )


def now_of(batch: Sequence[Delivery], now: datetime) -> Known:
    """Read what is known of a sub-batch now."""
    notifications, people = gathering.notifications(batch), load_people({delivery.user_id for delivery in batch})
    types = gathering.types({delivery.type_id for delivery in batch})
    return _known(batch, notifications, people, types, now, agreed=False)


def as_planned(batch: Sequence[Delivery], planned: Written, now: datetime) -> Known:
    """Return what this process has just planned it by: true while that `holds`."""
    return _known(batch, planned.notifications, planned.people, planned.types, now, agreed=True)


def holds(batch: Sequence[Delivery], planned: Written) -> bool:
    """Ask consent, categories and broadcasts once more; tell whether all are as they were when this was planned."""
    wanted = {delivery.user_id: planned.people[delivery.user_id] for delivery in batch}
    people = look_again(wanted)
    if any((found := people.get(pk)) is not person and found != person for pk, person in wanted.items()):
        return False
    types = gathering.types({delivery.type_id for delivery in batch})
    if any(not gathering.alike(type_, planned.types[pk]) for pk, type_ in types.items()):
        return False
    broadcasts = gathering.broadcasts({delivery.broadcast_id for delivery in batch})
    return all(broadcast.status == Broadcast.Status.RUNNING for broadcast in broadcasts.values())


def _known(
    batch: Sequence[Delivery],
    notifications: Mapping[UUID, Notification],
    people: Mapping[int, Person],
    types: Mapping[int, Type],
    now: datetime,
    *,
    agreed: bool,
) -> Known:
    return Known(
        now=now,
        notifications=notifications,
        people=people,
        types=types,
        categories={pk: category_facts(type_.category) for pk, type_ in types.items()},
        resends={pk: type_.category.unknown_outcome == "resend" for pk, type_ in types.items()},
        interrupted=_interrupted([delivery.id for delivery in batch if delivery.status == Status.SENDING]),
        unread=_unread({delivery.user_id for delivery in batch if delivery.channel == "push"}),
        agreed=agreed,
    )


def _interrupted(delivery_ids: Sequence[UUID]) -> dict[object, int | None]:
    if not delivery_ids:
        return {}
    # Unknown already: whoever took it over had to put it back for want of room.
    lost = [Attempt.Outcome.OPEN, Attempt.Outcome.UNKNOWN]
    tries = Attempt.objects.filter(delivery_id__in=delivery_ids, outcome__in=lost).order_by("started_at")
    return dict(tries.values_list("delivery_id", "provider_account_id"))


def _unread(people: set[int]) -> dict[int, int]:
    """Return how much is unread in the inboxes of these people, without those who never had anything in it."""
    if not people:
        return {}
    return dict(InboxCounter.objects.filter(user_id__in=people).values_list("user_id", "unread"))
