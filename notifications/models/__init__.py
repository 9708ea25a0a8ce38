from notifications.models.access import ApiKey, Caller
from notifications.models.account_state import AccountState
from notifications.models.answered_text import AnsweredText
from notifications.models.attachment import AttachmentContent
from notifications.models.broadcast import AudienceMember, Broadcast
from notifications.models.delivery import Attempt, Delivery, Event
from notifications.models.digest import Digest, DigestItem
from notifications.models.idempotency import CallerNotificationId, IdempotencyRecord
from notifications.models.inbox import InboxCounter, InboxItem
from notifications.models.notification import Lane, Mode, Notification
from notifications.models.outbox import OutboxMessage
from notifications.models.provider_account import ProviderAccount
from notifications.models.receipt import ReceiptCall, ReceiptRecord, UsedToken
from notifications.models.retention import RetentionMark
from notifications.models.shared_decisions import SharedDecisions
from notifications.models.troubled_address import TroubledAddress
from notifications.models.views_of_delivery import DeadLetter, UnknownDelivery

__all__ = [
    "AnsweredText",
    "AccountState",
    "ApiKey",
    "AttachmentContent",
    "Attempt",
    "AudienceMember",
    "Broadcast",
    "Caller",
    "CallerNotificationId",
    "DeadLetter",
    "Delivery",
    "Event",
    "Digest",
    "DigestItem",
    "IdempotencyRecord",
    "InboxCounter",
    "InboxItem",
    "Lane",
    "Mode",
    "Notification",
    "OutboxMessage",
    "ProviderAccount",
    "ReceiptCall",
    "ReceiptRecord",
    "RetentionMark",
    "SharedDecisions",
    "TroubledAddress",
    "UnknownDelivery",
    "UsedToken",
]
