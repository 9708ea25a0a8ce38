"""Taking in what providers report: each thing is put on record once, and acted on in the same transaction."""

import hashlib
import logging
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from django.db import transaction

from notifications.models import ProviderAccount, ReceiptCall, ReceiptRecord
from notifications.providers.callbacks import Callback, Receipt
from notifications.receipts import replays, settling
from preferences import addresses
from project.foundation import clock
from project.foundation.ids import new_id

logger = logging.getLogger(__name__)

MAX_RECEIPTS = 10_000  # of one request; services send a thousand at most
_REPLIED_TO = {"stop", "start", "help"}
_AHEAD = timedelta(minutes=5)  # a provider's clock may be wrong, but nothing was opened tomorrow


def take_in(account: ProviderAccount, callback: Callback, receipts: Sequence[Receipt], *, once: str = "") -> int:
    """Act on what a verified request reports; return how much of it was new. What was reported before changes nothing.

    All of it is committed, or none: then the provider is told so, and reports it again. `once`: what the request
    carries that no other may. Raises Replayed when one did.
    """
    if not receipts:
        return 0
    with transaction.atomic():
        if once:
            replays.use(account, once)
        now = clock.now()
        call = ReceiptCall(account=account, headers=_proof(callback.headers), body=callback.body.decode("latin-1"))
        by_event = {each.event_id: _record(each, account, call, now) for each in receipts[:MAX_RECEIPTS]}
        # In one order everywhere, so that two requests with the same events never wait for each other.
        rows = [by_event[event] for event in sorted(by_event)]
        ReceiptRecord.objects.bulk_create(rows, ignore_conflicts=True)
        written = set(ReceiptRecord.objects.filter(id__in=[row.id for row in rows]).values_list("id", flat=True))
        new = [row for row in by_event.values() if row.id in written]
        if new:
            call.save(force_insert=True)
            settling.settle(account, new, now)
    logger.info("receipts.taken_in", extra={"account": account.name, "new": len(new), "known": len(rows) - len(new)})
    return len(new)


def _record(receipt: Receipt, account: ProviderAccount, call: ReceiptCall, now: datetime) -> ReceiptRecord:
    # By text alone: who unsubscribes from mails wants no mail about it.
    wants_reply = account.channel == "sms" and receipt.kind in _REPLIED_TO and not receipt.answered
    at = receipt.at or now
    return ReceiptRecord(
        id=new_id(),
        account=account,
        event_id=_short(receipt.event_id),
        call=call,
        kind=receipt.kind,
        at=at if at < now + _AHEAD else now,
        delivery_id=receipt.delivery_id,
        provider_message_id=_storable(receipt.provider_message_id)[:255],
        detail=_storable(receipt.detail)[:500],
        address=_normal(account.channel, receipt.address),
        permanent=receipt.permanent,
        machine=receipt.machine,
        due_at=now if wants_reply else None,
    )


def _short(event_id: str) -> str:
    text = _storable(event_id)
    return text if len(text) <= 255 else "sha256:" + hashlib.sha256(text.encode()).hexdigest()


def _storable(text: str) -> str:
    """Return a text without what no database can hold: NUL, and halves of surrogate pairs."""
    return text.replace("\0", "").encode(errors="ignore").decode()


def _normal(channel: str, address: str) -> str:
    try:
        return addresses.normalise(channel, _storable(address)) if address else ""
    except addresses.InvalidAddress:  # a short code, or a name
        return ""


def _proof(headers: Mapping[str, str]) -> dict[str, str]:
    """Return the headers that a signature may rest on, so that it can be checked again."""
    return {
        name: value
        for name, value in headers.items()
        if "signature" in name or "timestamp" in name or name.startswith("x-amz-") or name == "content-type"
    }
