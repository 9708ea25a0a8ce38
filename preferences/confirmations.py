"""Asking an address whether its owner wants it used: by a link in a mail, or a code in a text message.

What was asked is answered once, in time, and by whoever reads that address alone. Sending the question is up to a
room above this one.
"""

import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from django.core import signing
from django.db import transaction
from django.db.models import F, QuerySet
from django.utils.crypto import constant_time_compare, salted_hmac

from preferences import addresses, consent, contact_points, suppressions
from preferences.consent import Origin
from preferences.decisions import ERASED, UNCONFIRMED
from preferences.models import AddressConfirmation, ContactPoint, User
from project.foundation import batches, clock

LINK_LIFETIME, CODE_LIFETIME = timedelta(hours=24), timedelta(minutes=10)
TRIES = 5  # of a code
# Within WINDOW. By address too, whoever asks: nobody's mailbox or phone is to be filled with questions.
ASKED_BY_PERSON, ASKED_OF_ADDRESS, WINDOW = 10, 3, timedelta(hours=1)
KEPT = timedelta(days=7)  # a typed address that nobody has confirmed by then is forgotten
_SALT = "preferences.confirmation"
_CODE_LENGTH = 6


class AskedTooOften(Exception):
    """This person, or this address, was asked often enough for now; the words are the caller's."""


@dataclass(frozen=True)
class Question:
    """What to send: a token for a link, or a code. Neither is kept."""

    point: ContactPoint
    expires_at: datetime
    token: str = ""
    code: str = ""


def ask(point: ContactPoint) -> Question:
    """Make a question to an address; those asked before of it are void. Raises AskedTooOften."""
    by_code = point.channel != "email"
    with transaction.atomic():
        contact_points.lock(point.user)
        now = clock.now()
        _check_rates(point, now)
        _open(point).update(expires_at=now)
        asked = AddressConfirmation(
            user=point.user,
            contact_point=point,
            address_index=addresses.index(point.channel, point.address),
            created_at=now,
            expires_at=now + (CODE_LIFETIME if by_code else LINK_LIFETIME),
        )
        digits = f"{secrets.randbelow(10**_CODE_LENGTH):0{_CODE_LENGTH}}" if by_code else ""
        asked.code_hash = _hash(asked, digits) if by_code else None
        asked.save(force_insert=True)
    return Question(point, asked.expires_at, "" if by_code else signing.dumps(asked.pk.hex, salt=_SALT), digits)


def asked_by_link(token: str) -> ContactPoint | None:
    """Return the address that an unanswered link asks about; None when it is over. Changes nothing."""
    found = _by_link(token)
    point = found.contact_point if found else None
    return point if found and point and _still_the_same(found, point) else None


def confirm_by_link(token: str, origin: Origin) -> ContactPoint | None:
    """Confirm the address that a link asks about, and use the link up; None when it is over."""
    asked = _by_link(token)
    return _confirm(asked, origin) if asked else None


def waiting(user: User) -> dict[UUID, str]:
    """Return what each of a person's addresses was sent that can still be answered: "link" or "code". One query."""
    rows = AddressConfirmation.objects.filter(contact_point__user=user, used_at=None, tries__lt=TRIES)
    found = rows.filter(expires_at__gt=clock.now()).values_list("contact_point_id", "code_hash")
    return {id: "link" if code_hash is None else "code" for id, code_hash in found}


def confirm_by_code(point: ContactPoint, code: str, origin: Origin) -> bool:
    """Confirm an address by the code that was sent to it. A wrong one uses a try up; after TRIES none is right."""
    # Counted and committed before it is compared: guesses at the same moment cannot share a try.
    in_time = _open(point).filter(code_hash__isnull=False, tries__lt=TRIES)
    asked = in_time.first()
    if asked is None or not in_time.filter(pk=asked.pk).update(tries=F("tries") + 1):
        return False
    asked.contact_point = point
    digits = "".join(code.split())
    if not constant_time_compare(_hash(asked, digits).hex(), bytes(asked.code_hash or b"").hex()):
        return False
    return _confirm(asked, origin) is not None


def forget_before(now: datetime) -> None:
    """Delete questions of days ago, and the typed addresses that were never confirmed."""
    old = now - KEPT
    AddressConfirmation.objects.filter(expires_at__lt=old).delete()
    waiting = ContactPoint.objects.filter(disabled_reason=UNCONFIRMED, disabled_at__lt=old, verified_at=None)
    batches.delete_some(waiting)  # which locks them first: what is typed anew at this moment stays


def may_be_asked(point: ContactPoint) -> bool:
    """Tell whether an address is in use, or out of use for no other reason than that it is not confirmed."""
    return point.disabled_at is None or point.disabled_reason == UNCONFIRMED


def _check_rates(point: ContactPoint, now: datetime) -> None:
    recent = AddressConfirmation.objects.filter(created_at__gt=now - WINDOW)
    same = recent.filter(address_index__in=addresses.indexes(point.channel, point.address))
    if same.count() >= ASKED_OF_ADDRESS or recent.filter(user=point.user).count() >= ASKED_BY_PERSON:
        raise AskedTooOften


def _open(point: ContactPoint) -> "QuerySet[AddressConfirmation]":
    return AddressConfirmation.objects.filter(contact_point=point, used_at=None, expires_at__gt=clock.now())


def _by_link(token: str) -> AddressConfirmation | None:
    try:
        id = signing.loads(token, salt=_SALT, max_age=LINK_LIFETIME)
    except signing.BadSignature:
        return None
    rows = AddressConfirmation.objects.select_related("contact_point__user")
    return rows.filter(pk=id, used_at=None, code_hash=None, expires_at__gt=clock.now()).first()


@transaction.atomic
def _confirm(asked: AddressConfirmation, origin: Origin) -> ContactPoint | None:
    point, now = _locked(asked), clock.now()
    unused = AddressConfirmation.objects.filter(pk=asked.pk, used_at=None, expires_at__gt=now)
    if point is None or point.user.erased_at is not None or not _still_the_same(asked, point):
        return None
    if not unused.update(used_at=now):
        return None
    for each in _of_one_number(point):
        old = "confirmed" if each.confirmed_at else each.disabled_reason or "in use"
        contact_points.confirm(each, now=now)
        suppressions.lift(each.channel, each.address, reason=ERASED, origin=origin)  # this is opting in again
        consent.note([point.user], subject=f"contact_point:{each.channel}", old=old, new="confirmed", origin=origin)
    return point


def _locked(asked: AddressConfirmation) -> ContactPoint | None:
    """Return the address that was asked, as it is now and its owner's locked; None when it was removed."""
    if asked.contact_point is None:
        return None
    contact_points.lock(asked.contact_point.user)
    return ContactPoint.objects.select_related("user").filter(pk=asked.contact_point.pk).first()


def _of_one_number(point: ContactPoint) -> list[ContactPoint]:
    """Return the address on every channel that it serves: whoever reads a phone's text messages takes its calls."""
    if point.channel == "email":
        return [point]
    others = point.user.contact_points.filter(channel__in=("sms", "voice")).exclude(pk=point.pk)
    return [point, *(other for other in others if other.address == point.address)]


def _still_the_same(asked: AddressConfirmation, point: ContactPoint) -> bool:
    return bytes(asked.address_index) in addresses.indexes(point.channel, point.address)


def _hash(asked: AddressConfirmation, code: str) -> bytes:
    return salted_hmac(_SALT, f"{asked.pk.hex}:{code}", algorithm="sha256").digest()
