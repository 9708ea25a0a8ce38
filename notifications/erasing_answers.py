"""What an erasure does to the answers that Idempotency-Keys give again: a repeat is still none, and names nobody.

An answer is sealed, and nothing outside says whom it is about. So it is opened: those about messages where the person's
own messages say when they were accepted, all others of the day, which are few beside them.
"""

import hashlib
import re
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from typing import Any

import msgspec
from django.conf import settings

from notifications.models import IdempotencyRecord, Notification
from preferences.erasure import Leaving
from preferences.models import ContactPoint, PreferenceLink
from project.foundation import ids

_OF_MESSAGES = ("POST /notifications/send", "POST /notifications/bulk")
# Between the moment in a notification's id and its answer's: a transaction's length, and what two clocks may differ.
_APART = timedelta(minutes=1)
_AT_ONCE = 500


def erase(leaving: Leaving) -> None:
    """Call the person by the pseudonym in answers that name them; delete those about nobody else."""
    messages = _messages(leaving)
    own, told = _own_things(leaving.pk), {str(each.public_id) for each in messages}
    for record in _candidates([ids.created_at(each.id) for each in messages]):
        renamed = _renamed(record.body, leaving, told)
        alone = record.route.endswith(_path_mark(leaving.user_id)) or _holds(record.body, own)
        if alone or (renamed != record.body and _is_named(record.key, leaving)):
            record.delete()
        elif renamed != record.body:
            record.body = renamed
            record.save(update_fields=["body"])


def _messages(leaving: Leaving) -> Sequence[Notification]:
    """Return the person's messages that may still have an answer, oldest first."""
    oldest = ids.first_id_at(leaving.now - settings.IDEMPOTENCY_TTL - timedelta(hours=1))
    mine = Notification.objects.filter(user_id=leaving.pk, id__gte=oldest).order_by("id")
    return list(mine.only("id", "caller_notification_id"))


def _candidates(moments: Sequence[datetime]) -> Iterator[IdempotencyRecord]:
    others = IdempotencyRecord.objects.exclude(route__in=_OF_MESSAGES)
    yield from others.iterator(chunk_size=_AT_ONCE)
    for begin, end in _spans(moments):
        answers = IdempotencyRecord.objects.filter(route__in=_OF_MESSAGES, created_at__range=(begin, end))
        yield from answers.iterator(chunk_size=_AT_ONCE)


def _spans(moments: Sequence[datetime]) -> Iterator[tuple[datetime, datetime]]:
    """Yield the spans of time around these moments, which rise; those that touch are one (pure)."""
    begin = end = None
    for moment in moments:
        if begin is None or end is None:
            begin, end = moment - _APART, moment + _APART
        elif moment - _APART <= end:
            end = moment + _APART
        else:
            yield begin, end
            begin, end = moment - _APART, moment + _APART
    if begin is not None and end is not None:
        yield begin, end


def _own_things(user_pk: int) -> set[str]:
    """Return the ids of what answers tell of one person alone: their addresses, and links to their settings."""
    points = ContactPoint.objects.filter(user_id=user_pk).values_list("pk", flat=True)
    links = PreferenceLink.objects.filter(user_id=user_pk).values_list("pk", flat=True)
    return {str(pk) for pk in (*points, *links)}


def _path_mark(user_id: str) -> str:
    """Return what a route ends with whose path names the person alone: see notifications.idempotency."""
    named = msgspec.json.encode({"user_id": user_id})
    return f" {hashlib.sha256(named).hexdigest()[:16]}"


def _is_named(key: str, leaving: Leaving) -> bool:
    """Tell whether a caller's key says who the person is: by their id, or by an address."""
    known = [leaving.user_id, *(address for _, address in leaving.addresses)]
    # As a word of its own: "1" is not named by every UUID.
    return any(re.search(rf"(?<![^\W_]){re.escape(text)}(?![^\W_])", key) for text in known)


def _holds(body: Any, texts: set[str]) -> bool:
    if isinstance(body, dict):
        return any(_holds(value, texts) for value in body.values())
    if isinstance(body, list):
        return any(_holds(value, texts) for value in body)
    return isinstance(body, str) and body in texts


def _renamed(body: Any, leaving: Leaving, told: set[str]) -> Any:
    """Return an answer that names the pseudonym: in the place of the id, and in all about a message of theirs."""
    if isinstance(body, list):
        return [_renamed(value, leaving, told) for value in body]
    if not isinstance(body, dict):
        return leaving.pseudonym if body == leaving.user_id else body
    if body.get("notification_id") in told and "user_id" in body:
        body = body | {"user_id": leaving.pseudonym}
    return {name: _renamed(value, leaving, told) for name, value in body.items()}
