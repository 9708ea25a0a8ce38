"""What an erasure does to what providers reported: their requests go as they came, what they said stays as a word."""

from collections.abc import Iterable, Iterator, Sequence
from urllib.parse import unquote_plus
from uuid import UUID

from notifications.models import ReceiptCall, ReceiptRecord
from preferences.erasure import Leaving

_AT_ONCE = 500


def of_deliveries(deliveries: Sequence[UUID]) -> None:
    """Delete the requests in which these deliveries were reported on, whoever else is in them; empty their lines."""
    if not deliveries:
        return
    records = ReceiptRecord.objects.filter(delivery_id__in=deliveries)
    _delete_calls(records.values_list("call_id", flat=True))
    records.update(detail="", address="")


def of_addresses(leaving: Leaving) -> None:
    """Delete what came from the person's addresses, or about them, and led to no delivery; let none of it be answered.

    What people write, and what could not be matched, is little, so it is opened and read.
    """
    if not leaving.addresses:
        return
    waiting = ReceiptRecord.objects.filter(due_at__isnull=False)
    theirs = [row.pk for row in waiting.select_related("account") if _is_of(row, leaving)]
    ReceiptRecord.objects.filter(pk__in=theirs).update(
        address="", detail="", due_at=None, result=ReceiptRecord.Result.UNMATCHED
    )
    signs = [sign for channel, address in leaving.addresses for sign in _signs(channel, address)]
    unmatched = ReceiptRecord.objects.filter(delivery_id=None, call_id__isnull=False).values("call_id")
    calls = ReceiptCall.objects.filter(id__in=unmatched).iterator(chunk_size=_AT_ONCE)
    _delete_calls(call.pk for call in calls if _names(call.body, signs))


def _is_of(record: ReceiptRecord, leaving: Leaving) -> bool:
    return bool(record.address) and (record.account.channel, record.address) in leaving.addresses


def _signs(channel: str, address: str) -> Iterator[str]:
    """Yield how a service may write an address: e-mail in any case, numbers without their plus."""
    yield address.lstrip("+").casefold() if channel in {"sms", "voice"} else address.casefold()


def _names(body: str, signs: Iterable[str]) -> bool:
    text = f"{body}\n{unquote_plus(body)}".casefold()
    return any(sign in text for sign in signs)


def _delete_calls(ids: Iterable[UUID | None]) -> None:
    wanted = {id for id in ids if id is not None}
    if wanted:
        ReceiptCall.objects.filter(pk__in=wanted).delete()
