"""Answering who wrote stop, start or help: the one text that may still go to a number that asked for no more."""

import logging
from datetime import datetime, timedelta

from django.conf import settings
from django.utils import translation
from django.utils.translation import gettext

from notifications import accounts
from notifications.models import AnsweredText, ReceiptRecord
from notifications.providers import phones
from notifications.providers.base import Message
from preferences import addresses, contact_points
from preferences.models import User
from preferences.pages import language
from project.foundation import clock, counters, ids

logger = logging.getLogger(__name__)

# Two machines that answer each other, or somebody who is paid for what we send, get no more than this.
ONCE_IN = timedelta(hours=24)
# A confirmation of a stop goes within five minutes or not at all: 47 CFR 64.1200(a)(12).
CONFIRM_WITHIN = timedelta(minutes=5)
# Of one account, to numbers that no person here has: senders can be forged, or be paid for each text that they get.
STRANGERS, STRANGERS_IN = 100, timedelta(hours=1)
_TRY_AGAIN = timedelta(seconds=10)
_SURELY_NOT_TAKEN = {"transient", "throttled"}


def is_due(record: ReceiptRecord, now: datetime) -> bool:
    """Tell whether to answer, and remember that it was done. In the transaction that takes the record out of the queue.

    So there is at most one answer, and nobody who asked to stop is told so twice.
    """
    if record.kind == "stop" and now - ids.created_at(record.id) > CONFIRM_WITHIN:
        logger.warning("receipt.too_late_to_answer", extra={"kind": record.kind})
        return False
    return record.tries > 0 or (_is_first(record, now) and _is_known_or_one_of_few(record))


def answer(record: ReceiptRecord) -> None:
    """Send it in the language of whom the number belongs to. What the service surely did not take is due again."""
    channel = record.account.channel
    through = next((each for each in accounts.usable(channel) if each.id == record.account_id), None)
    if through is None or (through.countries and phones.country(record.address) not in through.countries):
        return
    with translation.override(_language(channel, record.address)):
        text = _text(record.kind)
    [outcome] = accounts.send(through, [Message(record.id, channel, record.address, {"text": text})])
    if outcome.kind in _SURELY_NOT_TAKEN:
        _put_back(record)
    logger.info("receipt.answered", extra={"kind": record.kind, "account": through.name, "outcome": outcome.kind})


def forget_before(now: datetime) -> None:
    """Delete what keeps nobody from being answered any more."""
    AnsweredText.objects.filter(at__lt=now - ONCE_IN).delete()


def _is_first(record: ReceiptRecord, now: datetime) -> bool:
    channel, since = record.account.channel, now - ONCE_IN
    known = AnsweredText.objects.filter(
        address_index__in=addresses.indexes(channel, record.address), kind=record.kind, at__gt=since
    )
    if known.exists():
        return False
    row, created = AnsweredText.objects.get_or_create(
        address_index=addresses.index(channel, record.address),
        kind=record.kind,
        defaults={"channel": channel, "at": now},
    )
    # 0 rows: another worker has just answered.
    return created or AnsweredText.objects.filter(pk=row.pk, at__lte=since).update(at=now) > 0


def _is_known_or_one_of_few(record: ReceiptRecord) -> bool:
    if contact_points.find_users(record.account.channel, record.address):
        return True
    if counters.count(f"strangers:{record.account_id}", STRANGERS_IN.total_seconds()) <= STRANGERS:
        return True
    logger.warning("receipt.too_many_strangers", extra={"kind": record.kind, "account": record.account.name})
    return False


def _put_back(record: ReceiptRecord) -> None:
    due_at = clock.now() + _TRY_AGAIN
    if due_at - ids.created_at(record.id) <= CONFIRM_WITHIN:
        ReceiptRecord.objects.filter(id=record.id).update(due_at=due_at, address=record.address, tries=record.tries + 1)


def _text(kind: str) -> str:
    site = settings.SITE_NAME
    if kind == "stop":
        return gettext("%(site)s: You will get no more texts from us. Reply START to get them again.") % {"site": site}
    if kind == "start":
        return gettext("%(site)s: You will get our texts again. Reply STOP to end them.") % {"site": site}
    url = f"{settings.PUBLIC_URL}/preferences/"
    return gettext("%(site)s: Reply STOP to get no more texts. What we send you: %(url)s") % {"site": site, "url": url}


def _language(channel: str, address: str) -> str:
    owners = contact_points.find_users(channel, address)[:1]
    return language.of(User.objects.filter(pk__in=owners).values_list("locale", flat=True).first() or "")
