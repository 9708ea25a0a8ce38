"""What receipts do: they move deliveries through tracking's table, and end the use of addresses.

In the caller's transaction. Rows are locked as everywhere: notifications, then deliveries, each in id order.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from uuid import UUID

from notifications import outcomes, tracking
from notifications.models import Attempt, Delivery, ProviderAccount, ReceiptRecord
from notifications.receipts import inbound
from notifications.tracking import MOVES, Change, Status
from preferences import suppressions
from preferences.consent import Origin
from preferences.models import ContactPoint
from preferences.suppressions import Reason, Unwanted
from project.foundation import bulk

Result = ReceiptRecord.Result

# Receipts of things that happen at once may share a second: then the order in which such things happen decides.
_ORDER = ["sent", "deferred", "delivered", "opened", "clicked", "bounced", "failed", "complained"]
_NEGATIVE: set[str] = {Status.BOUNCED, Status.FAILED}
_WAITING: set[str] = {Status.QUEUED, Status.HELD}
_LOOK_AGAIN = [timedelta(seconds=seconds) for seconds in (2, 10, 60, 600, 3600, 6 * 3600, 24 * 3600)]


def settle(account: ProviderAccount, records: Sequence[ReceiptRecord], now: datetime) -> None:
    """Let receipts of one account do what they do, in a constant number of statements but for those about addresses."""
    from_people = [record for record in records if record.kind in inbound.KINDS]
    of_messages = [record for record in records if record.kind not in inbound.KINDS]
    deliveries = _locked(_about(account, of_messages))
    _move(account, of_messages, deliveries, now)
    _suppress(account, of_messages, deliveries)
    inbound.obey(account, from_people)
    for record in of_messages:
        record.address = "" if record.result != Result.PARKED else record.address
    bulk.update(records, ["result", "delivery_id", "due_at", "tries", "address"])


def _about(account: ProviderAccount, records: Sequence[ReceiptRecord]) -> dict[UUID, Delivery]:
    """Name the delivery of each record in it, where there is one that went through this account; return those."""
    named = {record.delivery_id for record in records if record.delivery_id}
    unnamed = {record.provider_message_id for record in records if not record.delivery_id} - {""}
    found = {each.id: each for each in Delivery.objects.filter(id__in=named)} if named else {}
    foreign = {id for id, each in found.items() if each.provider_account_id != account.pk}
    if foreign:  # a retry may have gone elsewhere since
        tries = Attempt.objects.filter(delivery_id__in=foreign, provider_account_id=account.pk)
        foreign -= set(tries.values_list("delivery_id", flat=True))
    by_message: dict[str, Delivery] = {}
    if unnamed:
        rows = Delivery.objects.filter(provider_message_id__in=unnamed, provider_account_id=account.pk)
        by_message = {each.provider_message_id: each for each in rows.order_by("id")}
    for record in records:
        if record.delivery_id is None and record.provider_message_id in by_message:
            record.delivery_id = by_message[record.provider_message_id].id
    every = {**found, **{each.id: each for each in by_message.values()}}
    return {id: each for id, each in every.items() if id not in foreign}


def _locked(deliveries: Mapping[UUID, Delivery]) -> dict[UUID, Delivery]:
    if not deliveries:
        return {}
    tracking.lock_notifications(deliveries.values())
    held = Delivery.objects.select_for_update().filter(id__in=list(deliveries)).order_by("id")
    return {delivery.id: delivery for delivery in held}


def _move(
    account: ProviderAccount, records: Sequence[ReceiptRecord], deliveries: Mapping[UUID, Delivery], now: datetime
) -> None:
    moves: list[Change] = []
    notes: list[Change] = []
    status: dict[UUID, str] = {id: delivery.status for id, delivery in deliveries.items()}
    for record in sorted(records, key=lambda each: (each.at, _ORDER.index(each.kind))):
        delivery = deliveries.get(record.delivery_id) if record.delivery_id else None
        if delivery is None:
            _park(record, now)
            continue
        record.due_at = None
        change = _change(record, delivery, account.pk)
        if not record.machine and _may_move(status[delivery.id], change, delivery):
            moves.append(change)
            status[delivery.id], record.result = change.status, Result.MOVED
        else:
            record.result = Result.NOTED
            if _says_something(change, delivery):
                notes.append(change)
    _close_attempts([change.delivery for change in moves], now)
    tracking.record(moves, now=now)
    if notes:
        tracking.record_overtaken(notes, now=now)


def _change(record: ReceiptRecord, delivery: Delivery, account_id: int) -> Change:
    return Change(
        delivery,
        f"{record.kind}_by_machine" if record.machine else record.kind,
        error=record.detail,
        at=record.at,
        provider_account_id=account_id,
        provider_message_id=record.provider_message_id,
    )


def _may_move(status: str, change: Change, delivery: Delivery) -> bool:
    """Tell whether a receipt may move a delivery that has come to `status`."""
    if change.status not in MOVES[status]:
        return False
    if status in _WAITING and (not delivery.attempts or change.status in _NEGATIVE):
        return False  # never tried, or about to be tried anew
    if status in _WAITING and change.status == Status.SENT and delivery.reason != outcomes.UNKNOWN_OUTCOME:
        return False  # of an earlier try, which came to nothing
    earlier_try = bool(delivery.provider_message_id and change.provider_message_id) and (
        delivery.provider_message_id != change.provider_message_id
    )
    return not (earlier_try and change.status in _NEGATIVE)


def _says_something(change: Change, delivery: Delivery) -> bool:
    """Tell whether the timeline lacks it: a second opening, or a second "delivered", is no news."""
    if change.status in {Status.SENT, Status.DELIVERED, Status.OPENED, Status.CLICKED}:
        return getattr(delivery, f"{change.status}_at") is None and delivery.attempts > 0
    return True


def _close_attempts(deliveries: Sequence[Delivery], now: datetime) -> None:
    """Close the tries of deliveries whose worker has not said, or can no longer say, what the provider answered."""
    open_ones = [each.id for each in deliveries if each.status in {Status.SENDING, Status.QUEUED}]
    if open_ones:
        tries = Attempt.objects.filter(delivery_id__in=open_ones, outcome=Attempt.Outcome.OPEN)
        tries.update(outcome=Attempt.Outcome.ACCEPTED, finished_at=now)


def _park(record: ReceiptRecord, now: datetime) -> None:
    """Look again later for the delivery of a message id; an id of ours that leads nowhere never will."""
    if record.delivery_id is None and record.provider_message_id and record.tries < len(_LOOK_AGAIN):
        record.due_at = now + _LOOK_AGAIN[record.tries]
        record.tries += 1
    else:
        record.result, record.due_at = Result.UNMATCHED, None


def _suppress(account: ProviderAccount, records: Iterable[ReceiptRecord], deliveries: Mapping[UUID, Delivery]) -> None:
    """End the use of addresses that do not exist or whose owners complain, whatever became of the message."""
    wanted = [
        record for record in records if record.kind == "complained" or (record.kind == "bounced" and record.permanent)
    ]
    if not wanted:
        return
    points = ContactPoint.objects.in_bulk(
        {each.contact_point_id for each in deliveries.values() if each.contact_point_id is not None}
    )
    unwanted = []
    for record in wanted:
        delivery = deliveries.get(record.delivery_id) if record.delivery_id else None
        point = points.get(delivery.contact_point_id) if delivery and delivery.contact_point_id else None
        address = record.address or (point.address if point else "")
        if address:
            reason = Reason.COMPLAINT if record.kind == "complained" else Reason.BOUNCE
            unwanted.append(Unwanted(account.channel, address, reason))
    suppressions.suppress(unwanted, origin=Origin(source="receipt", actor=f"account:{account.name}"))
