"""How long each table keeps what it holds: one line a table, by its setting, in small transactions.

The settings are days; 0 keeps for ever. docs/privacy.md says the same in words.
"""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.contrib.admin.models import LogEntry
from django.contrib.sessions.models import Session
from django.db import DatabaseError
from django.db.models import Exists, Model, OuterRef, Q, QuerySet

from notifications import retention_of_contents, retention_of_history, retention_of_inboxes
from notifications.attachments import keeping
from notifications.models import (
    AudienceMember,
    Broadcast,
    CallerNotificationId,
    IdempotencyRecord,
    OutboxMessage,
    ReceiptCall,
    ReceiptRecord,
    UsedToken,
)
from notifications.receipts import replays
from preferences.models import ConsentRecord, PreferenceLink, User
from project.foundation import batches, ids
from project.foundation.models import AuditEvent

logger = logging.getLogger(__name__)

BATCHES = 20  # of one table in one round: the sweep has other things to do, too

Step = Callable[[datetime], int]  # takes the bound, does some, and returns how much; 0: nothing is left


@dataclass(frozen=True)
class Rule:
    """What is kept for how long, and how some of what is older goes."""

    name: str
    kept: Callable[[], timedelta | None]  # None: for ever
    step: Step


def apply(now: datetime) -> bool:
    """Take from every table what is past its time, BATCHES at a time; return whether there may be more."""
    unfinished = [rule.name for rule in RULES if _apply(rule, now)]
    return bool(unfinished)


def _apply(rule: Rule, now: datetime) -> bool:
    kept = rule.kept()
    if kept is None:
        return False
    total = done = 0
    try:
        for _ in range(BATCHES):
            done = rule.step(now - kept)
            total += done
            if not done:
                break
    except DatabaseError:  # the other tables matter too
        logger.exception("retention.failed", extra={"rule": rule.name})
        return False
    if total:
        logger.info("retention.applied", extra={"rule": rule.name, "rows": total})
    return bool(done)


def _days(setting: str) -> Callable[[], timedelta | None]:
    def kept() -> timedelta | None:
        days = getattr(settings, setting)
        return timedelta(days=days) if days else None

    return kept


def _deleting(older_than: Callable[[datetime], "QuerySet[Any]"]) -> Step:
    return lambda bound: batches.delete_some(older_than(bound))


def _by_id(model: type[Model]) -> Step:
    """Delete by ids, which carry the time they were made at."""
    return _deleting(lambda bound: model._default_manager.filter(id__lt=ids.first_id_at(bound)))


def _ledger_of_erased(bound: datetime) -> "QuerySet[ConsentRecord]":
    return ConsentRecord.objects.filter(user__in=User.objects.filter(erased_at__lt=bound))


def _audience_some(bound: datetime) -> int:
    """Forget who the people of a broadcast that is over were."""
    members = AudienceMember.objects.filter(broadcast_id=OuterRef("pk"))
    over = Broadcast.objects.filter(Exists(members), finished_at__lt=bound, due_at=None)
    broadcast = over.order_by("finished_at").values_list("pk", flat=True).first()
    if broadcast is None:
        return 0
    theirs = AudienceMember.objects.filter(broadcast_id=broadcast)
    some = list(theirs.order_by("user_id").values_list("user_id", flat=True)[: batches.SIZE])
    return theirs.filter(user_id__lte=some[-1]).delete()[0] if some else 0


RULES = (
    Rule("contents", _days("PAYLOAD_DAYS"), retention_of_contents.empty_some),
    Rule("history", _days("HISTORY_DAYS"), retention_of_history.drop_some),
    Rule("inbox", _days("INBOX_DAYS"), retention_of_inboxes.delete_some),
    Rule("outbox", _days("OUTBOX_DAYS"), _by_id(OutboxMessage)),
    Rule("receipt_calls", _days("RECEIPT_BODY_DAYS"), _by_id(ReceiptCall)),
    Rule("receipts", _days("RECEIPT_DAYS"), _by_id(ReceiptRecord)),
    Rule("receipt_tokens", lambda: replays.KEPT, _by_id(UsedToken)),
    Rule("attachments", lambda: timedelta(), _deleting(keeping.old)),
    Rule(
        "answers",
        lambda: settings.IDEMPOTENCY_TTL,
        _deleting(lambda bound: IdempotencyRecord.objects.filter(created_at__lt=bound)),
    ),
    Rule(
        "notification_ids",
        lambda: settings.NOTIFICATION_ID_TTL,
        _deleting(lambda bound: CallerNotificationId.objects.filter(created_at__lt=bound)),
    ),
    Rule("audiences", _days("AUDIENCE_DAYS"), _audience_some),
    Rule(
        "links",
        _days("LINK_DAYS"),
        _deleting(lambda bound: PreferenceLink.objects.filter(Q(expires_at__lt=bound) | Q(revoked_at__lt=bound))),
    ),
    Rule("sessions", lambda: timedelta(), _deleting(lambda now: Session.objects.filter(expire_date__lt=now))),
    Rule("trail", _days("AUDIT_DAYS"), _by_id(AuditEvent)),
    Rule("admin_log", _days("AUDIT_DAYS"), _deleting(lambda bound: LogEntry.objects.filter(action_time__lt=bound))),
    Rule("ledger_of_erased", _days("ERASED_LEDGER_DAYS"), _deleting(_ledger_of_erased)),
)
