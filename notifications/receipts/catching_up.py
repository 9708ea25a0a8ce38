"""What receipts left to do: finding the deliveries of parked ones, and answering who wrote stop, start or help."""

import logging
from itertools import groupby

from django.conf import settings
from django.db import InterfaceError, OperationalError, transaction
from django.utils import translation
from django.utils.translation import gettext

from notifications import accounts
from notifications.models import ReceiptRecord
from notifications.providers.base import Message
from notifications.receipts import inbound, settling
from preferences import contact_points
from preferences.models import User
from project.foundation import clock

logger = logging.getLogger(__name__)

_AT_ONCE = 500


def catch_up() -> int:
    """Do what is due; return how much was. Two processes at once do different parts of it.

    A database that is away is met again next time.
    """
    try:
        # Most rounds end here: one look into an index, no transaction.
        due = ReceiptRecord.objects.filter(due_at__lte=clock.now()).exists()
        rows = _settled() if due else []
    except (OperationalError, InterfaceError):
        logger.warning("receipts.no_database")
        return 0
    for row in rows:
        if row.kind in inbound.KINDS:
            _answer(row)
    return len(rows)


def _settled() -> list[ReceiptRecord]:
    """Settle what was parked, and return it with what is to be answered, which is due no more."""
    with transaction.atomic():
        now = clock.now()
        due = ReceiptRecord.objects.select_for_update(of=("self",), skip_locked=True).filter(due_at__lte=now)
        rows = list(due.select_related("account").order_by("account_id", "id")[:_AT_ONCE])
        to_answer = [row.id for row in rows if row.kind in inbound.KINDS]
        parked = [row for row in rows if row.kind not in inbound.KINDS]
        # Before the call and not after it: at most one answer, and nobody who asked to stop is told so twice.
        ReceiptRecord.objects.filter(id__in=to_answer).update(due_at=None, address="")
        for _, group in groupby(parked, key=lambda row: row.account_id):
            of_one = list(group)
            settling.settle(of_one[0].account, of_one, now)
    return rows


def _answer(record: ReceiptRecord) -> None:
    """Send the one text that may still go to a number that asked for no more."""
    channel = record.account.channel
    through = next((each for each in accounts.usable(channel) if each.id == record.account_id), None)
    if through is None:
        return
    with translation.override(_language(channel, record.address)):
        text = _text(record.kind)
    [outcome] = accounts.send(through, [Message(record.id, channel, record.address, {"text": text})])
    logger.info("receipt.answered", extra={"kind": record.kind, "account": through.name, "outcome": outcome.kind})


def _text(kind: str) -> str:
    site = settings.SITE_NAME
    if kind == "stop":
        return gettext("%(site)s: You will get no more texts from us. Reply START to get them again.") % {"site": site}
    if kind == "start":
        return gettext("%(site)s: You will get our texts again. Reply STOP to end them.") % {"site": site}
    url = f"{settings.PUBLIC_URL}/preferences/"
    return gettext("%(site)s: Reply STOP to get no more texts. What we send you: %(url)s") % {"site": site, "url": url}


def _language(channel: str, address: str) -> str:
    """Return the language of whom the number belongs to."""
    owners = contact_points.find_users(channel, address)[:1]
    locale = User.objects.filter(pk__in=owners).values_list("locale", flat=True).first() or settings.LANGUAGE_CODE
    known = dict(settings.LANGUAGES)
    return next((code for code in (locale.lower(), locale[:2].lower()) if code in known), settings.LANGUAGE_CODE)
