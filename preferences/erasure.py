"""Erasing a person: all that says who they were goes, in one transaction. What stays is statistics.

What a worker had in its hands at that moment may write a trace of the person afterwards. So an erasure is looked after
again a few times, by the same steps. `docs/privacy.md` says what becomes of what.
"""

import random
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from django.conf import settings
from django.db import OperationalError, connection, transaction
from django.db.models import Q
from django.utils.module_loading import import_string

from preferences.models import ContactPoint, Erasure, User
from project.foundation import audit, clock
from project.foundation.encryption import blind_index, blind_indexes
from project.foundation.problems import StaffUser, Unavailable

# When an erased person is looked after: leases and calls of providers have ended by the first, receipts come until the
# last, which is the day on which most services stop repeating them.
LOOKS = (timedelta(minutes=5), timedelta(hours=1), timedelta(days=1), timedelta(days=7))
_AT_ONCE = 100
_TRIES = 20
# Below PostgreSQL's deadlock_timeout of 1 s: of two that wait for each other, it is never a worker that is ended.
_WAIT_FOR_A_LOCK = "400ms"
_TRY_AGAIN = {"55P03", "40P01"}  # lock_not_available, deadlock_detected
# No caller's id has a slash (preferences.profiles), so none is ever taken for a pseudonym.
_PSEUDONYM = "erased/"
_DIGITS = 32


@dataclass(frozen=True)
class Leaving:
    """The person of an erasure under way, whose row is locked: what its steps need to know."""

    pk: int
    user_id: str = field(repr=False)  # until now
    pseudonym: str  # from now on
    addresses: tuple[tuple[str, str], ...] = field(repr=False)  # (channel, normalised address)
    actor: str  # who asked for it, as the audit trail names them
    now: datetime


Step = Callable[[Leaving], None]


def erase(user: User, *, actor: str, ip: str = "") -> datetime:
    """Erase a person by settings.ERASURE_STEPS and say so in the trail; return when it was done. Twice is as once.

    Raises StaffUser, and Unavailable while others hold what is theirs for seconds on end.
    """
    for _ in range(_TRIES):
        try:
            with transaction.atomic():
                return _erase(user.pk, actor=actor, ip=ip)
        except OperationalError as error:
            if not _is_busy(error):
                raise
        time.sleep(random.uniform(0.05, 0.3))
    raise Unavailable("This person's messages are on their way at this moment.")


def erased_at(user_id: str) -> datetime | None:
    """Return when the last person with this id was erased; None when none was."""
    named = Q()
    for fingerprint in blind_indexes("user_id", user_id):
        named |= Q(user_id__startswith=_name(fingerprint))
    people = User.objects.filter(named).exclude(erased_at=None)
    return people.values_list("erased_at", flat=True).order_by("-erased_at").first()


def look_again(now: datetime) -> int:
    """Look after those who were erased lately, as LOOKS says; return how many. Two processes at once share them."""
    due = list(Erasure.objects.filter(due_at__lte=now).order_by("due_at").values_list("pk", flat=True)[:_AT_ONCE])
    done = 0
    for pk in due:
        try:
            done += _look_after(pk, now)
        except OperationalError as error:  # it is due still
            if not _is_busy(error):
                raise
    return done


def fates() -> dict[str, str]:
    """Return what an erasure does with the rows of each model, in words, by the model's label."""
    found: dict[str, str] = {}
    for path in settings.ERASURE_STEPS:
        told: Mapping[str, str] = import_string(f"{path.rpartition('.')[0]}.FATES")
        found |= told
    return found


def _erase(pk: int, *, actor: str, ip: str) -> datetime:
    _wait_briefly()
    user = User.objects.select_for_update().get(pk=pk)
    if user.erased_at is not None:
        return user.erased_at
    if user.is_staff or user.is_superuser:
        raise StaffUser
    now = clock.now()
    leaving = Leaving(pk, user.user_id, _pseudonym(user.user_id, pk), _addresses(pk), actor, now)
    _take_steps(leaving)
    Erasure.objects.create(user=user, due_at=now + LOOKS[0])
    audit.record(actor, "user.erased", f"user:{pk}", ip=ip)
    return now


@transaction.atomic
def _look_after(pk: int, now: datetime) -> int:
    _wait_briefly()
    due = Erasure.objects.select_for_update(skip_locked=True).filter(pk=pk, due_at__lte=now).first()
    if due is None:
        return 0
    user = User.objects.select_for_update().get(pk=pk)
    _take_steps(Leaving(pk, user.user_id, user.user_id, _addresses(pk), "system", user.erased_at or now))
    due.looks += 1
    if due.looks < len(LOOKS):
        due.due_at = (user.erased_at or now) + LOOKS[due.looks]
        due.save(update_fields=["looks", "due_at"])
    else:
        due.delete()
    return 1


def _take_steps(leaving: Leaving) -> None:
    for path in settings.ERASURE_STEPS:
        step: Step = import_string(path)
        step(leaving)


def _addresses(pk: int) -> tuple[tuple[str, str], ...]:
    return tuple(ContactPoint.objects.filter(user_id=pk).order_by("id").values_list("channel", "address"))


def _pseudonym(user_id: str, pk: int) -> str:
    """Return what a person is called from now on; one who came back and leaves again has another name."""
    name = _name(blind_index("user_id", user_id))
    taken = User.objects.filter(user_id=name).exclude(pk=pk).exists()
    return f"{name}/{pk}" if taken else name


def _name(fingerprint: bytes) -> str:
    return _PSEUDONYM + fingerprint.hex()[:_DIGITS]


def _wait_briefly() -> None:
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SELECT set_config('lock_timeout', %s, true)", [_WAIT_FOR_A_LOCK])


def _is_busy(error: OperationalError) -> bool:
    return getattr(error.__cause__, "sqlstate", None) in _TRY_AGAIN
