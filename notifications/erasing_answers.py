"""What an erasure does to the answers that Idempotency-Keys give again: a repeat is still none, and names nobody.

An answer is sealed, and nothing outside says whom it is about. So it is opened: those about messages where the person's
own messages say when they were accepted, all others of the day, which are few beside them.
"""

import hashlib
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from typing import Any

import msgspec
from django.conf import settings
from django.db.models import Q, QuerySet

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
    own = _own_things(leaving.pk)
    for record in _candidates(leaving):
        if record.route.endswith(_path_mark(leaving.user_id)) or _holds(record.body, own) or _is_named(record, leaving):
            record.delete()
        elif _holds(record.body, {leaving.user_id}):
            record.body = _renamed(record.body, leaving.user_id, leaving.pseudonym)
            record.save(update_fields=["body"])


def _candidates(leaving: Leaving) -> Iterator[IdempotencyRecord]:
    others = IdempotencyRecord.objects.exclude(route__in=_OF_MESSAGES)
    yield from others.iterator(chunk_size=_AT_ONCE)
    for begin, end in _spans(_moments(leaving)):
        answers = IdempotencyRecord.objects.filter(route__in=_OF_MESSAGES, created_at__range=(begin, end))
        yield from answers.iterator(chunk_size=_AT_ONCE)


def _moments(leaving: Leaving) -> Sequence[datetime]:
    """Return when the person's messages were accepted that may still have an answer."""
    oldest = ids.first_id_at(leaving.now - settings.IDEMPOTENCY_TTL - timedelta(hours=1))
    mine: QuerySet[Notification, Any] = Notification.objects.filter(Q(user_id=leaving.pk), id__gte=oldest)
    return [ids.created_at(id) for id in mine.order_by("id").values_list("id", flat=True)]


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


def _is_named(record: IdempotencyRecord, leaving: Leaving) -> bool:
    """Tell whether an answer about the person has a key that says who they are."""
    known = [address for _, address in leaving.addresses] + [leaving.user_id]
    return _holds(record.body, {leaving.user_id}) and any(text in record.key for text in known)


def _holds(body: Any, texts: set[str]) -> bool:
    if isinstance(body, dict):
        return any(_holds(value, texts) for value in body.values())
    if isinstance(body, list):
        return any(_holds(value, texts) for value in body)
    return isinstance(body, str) and body in texts


def _renamed(body: Any, before: str, after: str) -> Any:
    if isinstance(body, dict):
        return {key: _renamed(value, before, after) for key, value in body.items()}
    if isinstance(body, list):
        return [_renamed(value, before, after) for value in body]
    return after if body == before else body
