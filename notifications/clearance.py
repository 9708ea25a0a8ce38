"""What of a sub-batch may go out now: consent, expiry and cancellation are asked once more, an account is found.

Reading only, in a constant number of queries.
"""

import hashlib
import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cache
from typing import Any
from uuid import UUID

from django.conf import settings

from notifications import accounts, addressee, broadcast_stops, gathering, messages, outcomes, routing, timing
from notifications.accounts import Account
from notifications.models import Attempt, Broadcast, Delivery, InboxCounter, Mode, Notification
from notifications.plans import Written
from notifications.providers import phones
from notifications.providers.base import Message
from notifications.routing import Allotment, Destination, Share
from notifications.tracking import Change, Status
from preferences.decisions import CategoryFacts, ContactPointFacts, Facts, Person, decide_one
from preferences.loading import category_facts, load_people, look_again
from project.foundation import bulk, ids, json_text
from templates_app.models import Type
from templates_app.rendering import RenderError
from templates_app.variables import user_variables

logger = logging.getLogger(__name__)

POISON_AFTER = 3  # leases that ran out: whoever sends this row dies of it
_LOST = "The worker was lost while the provider was called"


@dataclass(frozen=True)
class Known:
    """What a sub-batch needs to know, loaded in a constant number of queries."""

    now: datetime
    notifications: Mapping[UUID, Notification]
    people: Mapping[int, Person]
    types: Mapping[int, Type]
    categories: Mapping[int, CategoryFacts]  # by type
    interrupted: Mapping[object, int | None]  # account by delivery whose worker was lost during the call
    unread: Mapping[int, int]  # what each person has not read in their inbox; on push alone
    planned: Written | None  # what the deliveries were planned by, where this process did it

    def as_planned(self, delivery: Delivery) -> bool:
        """Tell whether the rules would see what they saw when this was planned, moments ago."""
        return (
            self.planned is not None
            and self.people[delivery.user_id] is self.planned.people[delivery.user_id]
            and self.categories[delivery.type_id] == self.planned.categories[delivery.type_id]
        )


@dataclass(frozen=True)
class Ready:
    """A delivery that may go out, its message, and the try that will be on record."""

    delivery: Delivery
    caller_id: int | None
    share: Share
    message: Message
    attempt: Attempt
    resend_when_unknown: bool
    attached: Sequence[Mapping[str, Any]] = ()  # files that its mail wants, see notifications.attachments

    @property
    def account(self) -> Account:
        return self.share.account


@dataclass(frozen=True)
class Later:
    """A delivery for which no account has room yet. It is not tried, and nothing is counted."""

    delivery: Delivery
    wait: timedelta


@dataclass
class Sorted:
    """A sub-batch by what happens to its deliveries now."""

    ready: list[Ready] = field(default_factory=list)
    changes: list[Change] = field(default_factory=list)
    later: list[Later] = field(default_factory=list)
    tries: list[Attempt] = field(default_factory=list)  # over already: no provider was called

    @property
    def deliveries(self) -> list[Delivery]:
        return [*(item.delivery for item in self.ready), *(change.delivery for change in self.changes)]


def sort(batch: Sequence[Delivery], allotment: Allotment, now: datetime, *, planned: Written | None = None) -> Sorted:
    """Sort the sub-batch into what may go out now and what may not (any more, or yet), reading only.

    `planned`: what this process has just planned it by.
    """
    types = gathering.types({delivery.type_id for delivery in batch})
    known = Known(
        now=now,
        notifications=gathering.notifications(batch),
        people=_people({delivery.user_id for delivery in batch}, planned),
        types=types,
        categories={pk: category_facts(type_.category) for pk, type_ in types.items()},
        interrupted=_interrupted([delivery.id for delivery in batch if delivery.status == Status.SENDING]),
        unread=_unread({delivery.user_id for delivery in batch if delivery.channel == "push"}),
        planned=planned,
    )
    found = Sorted()
    for delivery in batch:
        match _decide(delivery, known, allotment):
            case Ready() as ready:
                found.ready.append(ready)
            case Change() as change:
                found.changes.append(change)
            case Later() as later:
                found.later.append(later)
    return found


def _people(pks: set[int], planned: Written | None) -> Mapping[int, Person]:
    if planned is None:
        return load_people(pks)
    return look_again({pk: planned.people[pk] for pk in pks})


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


def _decide(delivery: Delivery, known: Known, allotment: Allotment) -> Ready | Change | Later:
    type_ = known.types[delivery.type_id]
    # A phone that rang is not rung again on suspicion: an operator says what became of the call.
    resend = type_.category.unknown_outcome == "resend" and delivery.channel != "voice"
    if delivery.recoveries >= POISON_AFTER:
        return Change(delivery, Status.FAILED, dead=True, error="Sending this message ended its worker.")
    stopped = _stopped(delivery, known, type_)
    if delivery.status == Status.SENDING:  # its worker was lost, and may have sent it
        if not (resend or _kept(delivery, known, type_)):
            return Change(delivery, Status.UNKNOWN, error=f"{_LOST}.")
        if stopped is not None:
            return Change(delivery, Status.FAILED, error=f"{_LOST}, and it may not be sent again.")
    if stopped is not None and delivery.reason == outcomes.UNKNOWN_OUTCOME:  # it may have been sent: say neither
        return Change(delivery, Status.FAILED, error="The provider's answer was lost, and it may not be sent again.")
    if stopped is not None:
        return stopped
    if _broadcast_status(delivery, known) == Broadcast.Status.PAUSED:
        lost_at = known.interrupted.get(delivery.id)
        return Change(delivery, Status.HELD, reason=broadcast_stops.PAUSED, provider_account_id=lost_at)
    if delivery.status != Status.SENDING and (quiet := _quiet(delivery, known, type_)) is not None:
        return Change(delivery, Status.SCHEDULED, due_at=quiet, reason=timing.QUIET_HOURS)
    share = _share(delivery, known, type_, allotment)
    if share is None:
        return Change(delivery, Status.HELD, reason="account", error="No provider account can take this channel.")
    if isinstance(share, timedelta):
        return Later(delivery, share)
    if delivery.status == Status.SENDING:
        delivery.reason = outcomes.UNKNOWN_OUTCOME  # and stays in doubt, whatever this try comes to: written with that
    return _render(delivery, known, type_, share, resend)


def _kept(delivery: Delivery, known: Known, type_: Type) -> bool:
    """Tell whether it goes to the outbox, which takes a message twice without harm."""
    if delivery.mode == Mode.TEST:
        return True
    usable = accounts.usable(delivery.channel)
    destination = _destination(delivery, known, type_, by_country=any(account.countries for account in usable))
    first = next((account for account in usable if routing.serves(account, destination)), None)
    return first is not None and first.keeps_messages


def _share(delivery: Delivery, known: Known, type_: Type, allotment: Allotment) -> Share | timedelta | None:
    if delivery.mode == Mode.TEST:
        return Share(accounts.of_test_mode(delivery.channel), settings.FLUSH_SIZE)
    in_doubt = delivery.provider_account_id if delivery.reason == outcomes.UNKNOWN_OUTCOME else None
    destination = _destination(delivery, known, type_, by_country=allotment.route.by_country)
    return allotment.take(destination, pinned=known.interrupted.get(delivery.id, in_doubt))


def _destination(delivery: Delivery, known: Known, type_: Type, *, by_country: bool) -> Destination:
    point = _contact_point(delivery, known.people[delivery.user_id]) if by_country else None
    return Destination(delivery.id, type_.category.key, phones.country(point.address) if point else "")


def _quiet(delivery: Delivery, known: Known, type_: Type) -> datetime | None:
    """Return when it may go, where quiet hours have begun or were made longer since it was planned."""
    person = known.people[delivery.user_id]
    end = timing.quiet_until(person, known.categories[type_.pk], delivery.channel, known.now)
    if end is None or delivery.reason == outcomes.UNKNOWN_OUTCOME:  # it may have been sent: let it be known soon
        return None
    return timing.release_at(person, end, delivery.id, settings.QUIET_HOURS_JITTER)


def _stopped(delivery: Delivery, known: Known, type_: Type) -> Change | None:
    if delivery.expires_at is not None and delivery.expires_at <= known.now:
        return Change(delivery, Status.EXPIRED)
    if _broadcast_status(delivery, known) == Broadcast.Status.CANCELLED:
        return Change(delivery, Status.CANCELLED, reason="by_caller")
    return _recheck(delivery, known, type_)


def _broadcast_status(delivery: Delivery, known: Known) -> str | None:
    broadcast = known.notifications[delivery.notification_id].broadcast
    return broadcast.status if broadcast is not None else None


def _recheck(delivery: Delivery, known: Known, type_: Type) -> Change | None:
    """Ask consent once more: what the person or an operator said since planning counts."""
    if known.as_planned(delivery):
        return None
    notification, person = known.notifications[delivery.notification_id], known.people[delivery.user_id]
    point = _contact_point(delivery, person)
    if delivery.contact_point_id and point is None and not person.erased:
        return Change(delivery, Status.CANCELLED, reason="opted_out", error="The address was removed.")
    facts = Facts(
        person,
        known.categories[type_.pk],
        known.now,
        type_.key,
        tuple(notification.channels_preferred or ()),
        addressee.of(notification, type_),
    )
    verdict = decide_one(facts, delivery.channel, point)
    if verdict.allowed:
        return None
    return Change(delivery, Status.CANCELLED, reason="erased" if verdict.rule == "erased" else "opted_out")


def _contact_point(delivery: Delivery, person: Person) -> ContactPointFacts | None:
    return next((point for point in person.contact_points if point.id == delivery.contact_point_id), None)


def _render(delivery: Delivery, known: Known, type_: Type, share: Share, resend: bool) -> Ready | Change:
    notification, person = known.notifications[delivery.notification_id], known.people[delivery.user_id]
    try:
        point, badge = _contact_point(delivery, person), known.unread.get(delivery.user_id)
        message = messages.compose(delivery, notification, person, type_, point, badge=badge)
    except RenderError as error:
        return Change(delivery, Status.FAILED, dead=True, error=f"render: {error}")
    except Exception as error:
        logger.exception("delivery.render_failed", extra={"delivery": str(delivery.id)})
        return Change(delivery, Status.FAILED, dead=True, error=f"render: {type(error).__name__}")
    attempt = _attempt(delivery, share.account, message, person, known.now)
    attached = notification.content.get("attachments") or () if delivery.channel == "email" else ()
    return Ready(delivery, notification.caller_id, share, message, attempt, resend, attached)


def _attempt(delivery: Delivery, account: Account, message: Message, person: Person, now: datetime) -> Attempt:
    text = json_text.write([message.to, sorted(message.parts.items())])
    return bulk.like(
        _blank(),
        # By the lease too: a try that does not count gives its number to the next.
        id=ids.derived_id(delivery.id, "attempt", delivery.attempts + 1, delivery.lease),
        delivery_id=delivery.id,
        number=delivery.attempts + 1,
        provider_account_id=account.id,
        started_at=now,
        message_hash=hashlib.sha256(text.encode(errors="replace")).digest(),
        snapshot=user_variables(person),
    )


@cache
def _blank() -> Attempt:
    return Attempt()
