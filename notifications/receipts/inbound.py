"""Doing what people ask by text message: stop, start, help. In the caller's transaction."""

from collections.abc import Sequence

from notifications.models import ProviderAccount, ReceiptRecord
from preferences import suppressions
from preferences.consent import Origin
from preferences.suppressions import Reason, Unwanted

KINDS = {"stop", "start", "help"}


def obey(account: ProviderAccount, records: Sequence[ReceiptRecord]) -> None:
    """Suppress who asked to stop, lift it for who asked to start; leave due what is to be confirmed or answered.

    Each stop is confirmed once: who has stopped already hears no more of it.
    """
    origin = Origin(source="receipt", actor=f"account:{account.name}")
    for record in sorted(records, key=lambda each: each.at):
        record.result = ReceiptRecord.Result.TAKEN if record.address else ReceiptRecord.Result.UNMATCHED
        if not (record.address and _changed(account.channel, record, origin)):
            record.due_at, record.address = None, ""
        elif record.due_at is None:
            record.address = ""


def _changed(channel: str, record: ReceiptRecord, origin: Origin) -> bool:
    if record.kind == "stop":
        return bool(suppressions.suppress([Unwanted(channel, record.address, Reason.STOP)], origin=origin))
    if record.kind == "start":
        # Whose data was erased opts in again by the same word.
        lifted = [
            suppressions.lift(channel, record.address, reason=reason, origin=origin)
            for reason in (Reason.STOP, Reason.ERASED)
        ]
        return any(lifted)
    return True
