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

from django.conf import settings
from msgspec import Struct

from notifications import accounts, addressee, broadcast_stops, cases, messages, outcomes, routing, timing
from notifications.accounts import Account
from notifications.cases import Case, Known
from notifications.models import Attempt, Broadcast, Delivery, Mode
from notifications.plans import Written
from notifications.providers import phones
from notifications.providers.base import Message
from notifications.routing import Allotment, Destination, Share
from notifications.tracking import Change, Status
from preferences.decisions import Facts, decide_one
from project.foundation import bulk, ids, json_text
from templates_app.rendering import RenderError
from templates_app.variables import user_variables

logger = logging.getLogger(__name__)

POISON_AFTER = 3  # leases that ran out: whoever sends this row dies of it
_LOST = "The worker was lost while the provider was called"


class Ready(Struct, frozen=True):
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


class Later(Struct, frozen=True):
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


def sort(batch: Sequence[Delivery], allotment: Allotment, now: datetime) -> Sorted:
    """Sort the sub-batch into what may go out now and what may not (any more, or yet), reading only."""
    return _sort(batch, allotment, cases.now_of(batch, now))


def sort_as_planned(batch: Sequence[Delivery], allotment: Allotment, now: datetime, planned: Written) -> Sorted:
    """Do the same with what this process has planned, by what it was planned by: true while that `cases.holds`."""
    return _sort(batch, allotment, cases.as_planned(batch, planned, now))


def _sort(batch: Sequence[Delivery], allotment: Allotment, known: Known) -> Sorted:
    found = Sorted()
    for delivery in batch:
        match _decide(cases.case(delivery, known), known, allotment):
            case Ready() as ready:
                found.ready.append(ready)
            case Change() as change:
                found.changes.append(change)
            case Later() as later:
                found.later.append(later)
    return found


def _decide(case: Case, known: Known, allotment: Allotment) -> Ready | Change | Later:
    delivery = case.delivery
    if delivery.recoveries >= POISON_AFTER:
        return Change(delivery, Status.FAILED, dead=True, error="Sending this message ended its worker.")
    stopped = _stopped(case, known)
    if delivery.status == Status.SENDING:  # its worker was lost, and may have sent it
        if not (case.resend or _kept(case)):
            return Change(delivery, Status.UNKNOWN, error=f"{_LOST}.")
        if stopped is not None:
            return Change(delivery, Status.FAILED, error=f"{_LOST}, and it may not be sent again.")
    if stopped is not None and delivery.reason == outcomes.UNKNOWN_OUTCOME:  # it may have been sent: say neither
        return Change(delivery, Status.FAILED, error="The provider's answer was lost, and it may not be sent again.")
    if stopped is not None:
        return stopped
    if case.broadcast_status == Broadcast.Status.PAUSED:
        lost_at = known.interrupted.get(delivery.id)
        return Change(delivery, Status.HELD, reason=broadcast_stops.PAUSED, provider_account_id=lost_at)
    if delivery.status != Status.SENDING and (quiet := _quiet(case, known)) is not None:
        return Change(delivery, Status.SCHEDULED, due_at=quiet, reason=timing.QUIET_HOURS)
    share = _share(case, known, allotment)
    if share is None:
        return Change(delivery, Status.HELD, reason="account", error="No provider account can take this channel.")
    if isinstance(share, timedelta):
        return Later(delivery, share)
    if delivery.status == Status.SENDING:
        delivery.reason = outcomes.UNKNOWN_OUTCOME  # and stays in doubt, whatever this try comes to: written with that
    return _render(case, known, share)


def _kept(case: Case) -> bool:
    """Tell whether it goes to the outbox, which takes a message twice without harm."""
    if case.delivery.mode == Mode.TEST:
        return True
    usable = accounts.usable(case.channel)
    destination = _destination(case, by_country=any(account.countries for account in usable))
    first = next((account for account in usable if routing.serves(account, destination)), None)
    return first is not None and first.keeps_messages


def _share(case: Case, known: Known, allotment: Allotment) -> Share | timedelta | None:
    delivery = case.delivery
    if delivery.mode == Mode.TEST:
        return Share(accounts.of_test_mode(case.channel), settings.FLUSH_SIZE)
    in_doubt = delivery.provider_account_id if delivery.reason == outcomes.UNKNOWN_OUTCOME else None
    destination = _destination(case, by_country=allotment.route.by_country)
    return allotment.take(destination, pinned=known.interrupted.get(delivery.id, in_doubt))


def _destination(case: Case, *, by_country: bool) -> Destination:
    country = phones.country(case.point.address) if by_country and case.point else ""
    return Destination(case.delivery.id, case.category.key, country)


def _quiet(case: Case, known: Known) -> datetime | None:
    """Return when it may go, where quiet hours have begun or were made longer since it was planned."""
    end = timing.quiet_until(case.person, case.category, case.channel, known.now)
    if end is None or case.delivery.reason == outcomes.UNKNOWN_OUTCOME:  # it may have been sent: let it be known soon
        return None
    return timing.release_at(case.person, end, case.delivery.id, settings.QUIET_HOURS_JITTER)


def _stopped(case: Case, known: Known) -> Change | None:
    expires_at = case.delivery.expires_at
    if expires_at is not None and expires_at <= known.now:
        return Change(case.delivery, Status.EXPIRED)
    if case.broadcast_status == Broadcast.Status.CANCELLED:
        return Change(case.delivery, Status.CANCELLED, reason="by_caller")
    return None if known.agreed else _recheck(case, known)


def _recheck(case: Case, known: Known) -> Change | None:
    """Ask consent once more: what the person or an operator said since planning counts."""
    delivery, notification, person = case.delivery, case.notification, case.person
    if delivery.contact_point_id and case.point is None and not person.erased:
        return Change(delivery, Status.CANCELLED, reason="opted_out", error="The address was removed.")
    preferred, asks = tuple(notification.channels_preferred or ()), addressee.of(notification, case.type)
    facts = Facts(person, case.category, known.now, case.type.key, preferred, asks)
    verdict = decide_one(facts, case.channel, case.point)
    if verdict.allowed:
        return None
    return Change(delivery, Status.CANCELLED, reason="erased" if verdict.rule == "erased" else "opted_out")


def _render(case: Case, known: Known, share: Share) -> Ready | Change:
    delivery, notification = case.delivery, case.notification
    try:
        badge, reader = known.unread.get(case.person.pk), user_variables(case.person)
        message = messages.compose(
            delivery, notification, case.person, case.type, case.point, badge=badge, reader=reader
        )
    except RenderError as error:
        return Change(delivery, Status.FAILED, dead=True, error=f"render: {error}")
    except Exception as error:
        logger.exception("delivery.render_failed", extra={"delivery": str(delivery.id)})
        return Change(delivery, Status.FAILED, dead=True, error=f"render: {type(error).__name__}")
    attempt = _attempt(delivery, share.account, message, reader, known.now)
    attached = notification.content.get("attachments") or () if case.channel == "email" else ()
    return Ready(delivery, notification.caller_id, share, message, attempt, case.resend, attached)


def _attempt(
    delivery: Delivery, account: Account, message: Message, reader: Mapping[str, Any], now: datetime
) -> Attempt:
    text = json_text.write([message.to, sorted(message.parts.items())])
    return bulk.like(
        _blank(),
        id=ids.new_beside(delivery.id),
        delivery_id=delivery.id,
        number=delivery.attempts + 1,
        provider_account_id=account.id,
        started_at=now,
        message_hash=hashlib.sha256(text.encode(errors="replace")).digest(),
        snapshot=reader,
    )


@cache
def _blank() -> Attempt:
    return Attempt()
