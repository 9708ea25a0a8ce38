"""What an erasure does to the tables of messages: the first of its steps, since the queue is what others wait for."""

from functools import partial

from django.db import transaction

from notifications import erasing_answers, erasing_history
from notifications.inbox import hub
from notifications.models import Digest, InboxCounter, InboxItem, OutboxMessage
from notifications.receipts import erasing
from preferences.erasure import Leaving

FATES = {
    "notifications.Notification": "Cancelled if pending. Kept without what was said, metadata and locale.",
    "notifications.Delivery": "Cancelled if pending. Kept without the address and errors; no dead letter any more.",
    "notifications.Attempt": "Kept without what was read of the person, the message's fingerprint and errors.",
    "notifications.Event": "Kept; of details, single words alone.",
    "notifications.SharedDecisions": "Kept: which rules decided, of people who are alike.",
    "notifications.AttachmentContent": "Deleted.",
    "notifications.Digest": "Deleted, with what was gathered for it.",
    "notifications.DigestItem": "Deleted with its digest.",
    "notifications.InboxItem": "Deleted.",
    "notifications.InboxCounter": "Deleted.",
    "notifications.OutboxMessage": "Deleted.",
    "notifications.AnsweredText": "Kept for a day: it holds a fingerprint.",
    "notifications.ReceiptCall": "Deleted where it reports on the person's deliveries or comes from their addresses.",
    "notifications.ReceiptRecord": "Kept without address and details.",
    "notifications.UsedToken": "Says nothing of people.",
    "notifications.TroubledAddress": "Deleted with the address.",
    "notifications.IdempotencyRecord": "Names the pseudonym; deleted where it is about the person alone.",
    "notifications.CallerNotificationId": "Kept: two ids and a fingerprint, so that a repeat is still none.",
    "notifications.AudienceMember": "Kept: it holds a number. Nothing is sent to who was erased.",
    "notifications.Broadcast": "Says the same to everybody; kept.",
    "notifications.RetentionMark": "Says nothing of people.",
    "notifications.Caller": "Says nothing of people.",
    "notifications.ApiKey": "Says nothing of people.",
    "notifications.ProviderAccount": "Says nothing of people.",
    "notifications.AccountState": "Says nothing of people.",
}


def erase(leaving: Leaving) -> None:
    """Stop what is pending for the person and empty what was said to them; let their open inboxes ask anew."""
    for deliveries in erasing_history.erase(leaving):
        erasing.of_deliveries(deliveries)
    erasing.of_addresses(leaving)
    erasing_answers.erase(leaving)
    for model in (InboxItem, InboxCounter, OutboxMessage, Digest):
        model._default_manager.filter(user_id=leaving.pk).delete()
    transaction.on_commit(partial(hub.publish, [(leaving.pk, hub.RESYNC)]))
