"""The only writer of suppressions: addresses that nobody may use, whoever they belong to."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.db import connection, transaction
from django.db.models import QuerySet

from preferences import addresses, consent
from preferences.consent import Origin
from preferences.decisions import UNCONFIRMED
from preferences.models import ContactPoint, Suppression
from project.foundation import audit, clock

Reason = Suppression.Reason

# A dead address, or one whose owner calls us a nuisance, is out of use wherever it stands. One that asked to stop
# works, and may start again.
_DISABLES: dict[str, str] = {Reason.BOUNCE: "bounced", Reason.COMPLAINT: "complained"}
_COLUMNS = ("channel", "address_index", "reason", "stopped", "source", "actor", "created_at")


@dataclass(frozen=True)
class Unwanted:
    """A normalised address, and why nothing may go there."""

    channel: str
    address: str = field(repr=False)
    reason: str  # one of Suppression.Reason


def suppress(unwanted: Iterable[Unwanted], *, origin: Origin) -> list[Unwanted]:
    """Suppress addresses; return those for which that is news. Their owners' ledgers say so now.

    What is suppressed keeps its first reason, and remembers beside it that its owner asked to stop. Bounces and
    complaints also take the address out of use. The number of statements does not depend on the number of addresses.
    """
    with transaction.atomic():
        wanted = _by_fingerprint(unwanted)
        known = _known(wanted)
        written = _insert({index: each for index, each in wanted.items() if index not in known}, origin)
        new = {index: wanted[index] for index in sorted(written)}
        stops = {index: row for index, row in known.items() if _is_a_new_stop(wanted[index], row)}
        Suppression.objects.filter(pk__in=[row.pk for row in stops.values()]).update(stopped=True)
        _disable(new.values())
        _note([(each, "unset", each.reason) for each in new.values()], origin)
        _note([(wanted[index], row.reason, Reason.STOP) for index, row in stops.items()], origin)
    return [*new.values(), *(wanted[index] for index in stops)]


def suppress_by_hand(one: Unwanted, *, origin: Origin) -> bool:
    """Suppress what an operator names; return whether that is news. The audit trail has a line either way."""
    with transaction.atomic():
        news = bool(suppress([one], origin=origin))
        row = find(one.channel, one.address)
        target = f"suppression:{row.pk if row else 'none'}"
        audit.record(
            origin.actor, "suppression.added", target, ip=origin.ip, channel=one.channel, reason=one.reason, news=news
        )
    return news


def preview(unwanted: Iterable[Unwanted]) -> set[tuple[str, str]]:
    """Return the (channel, address) of those that `suppress` would not know yet. One query, and nothing is written."""
    wanted = _by_fingerprint(unwanted)
    known = _known(wanted)
    news = (each for index, each in wanted.items() if index not in known or _is_a_new_stop(each, known[index]))
    return {(each.channel, each.address) for each in news}


def lift(channel: str, address: str, *, reason: str, origin: Origin) -> bool:
    """Let a normalised address be used again if `reason` is why it was not; return whether it was."""
    with transaction.atomic():
        rows = Suppression.objects.select_for_update().filter(address_index__in=addresses.indexes(channel, address))
        gone = [row for row in rows if row.reason == reason]
        stopped = [row for row in rows if row not in gone and row.stopped and reason == Reason.STOP]
        Suppression.objects.filter(pk__in=[row.pk for row in gone]).delete()
        Suppression.objects.filter(pk__in=[row.pk for row in stopped]).update(stopped=False)
        one = Unwanted(channel, address, reason)
        _note([(one, reason, "unset") for _ in gone[:1]] or [(one, reason, row.reason) for row in stopped[:1]], origin)
    return bool(gone)


def lift_by_hand(suppression: Suppression, *, why: str, origin: Origin) -> bool:
    """Undo what an operator says is not so, and take its contact points back into use; return whether it is gone.

    Where its owner asked to stop, too, that stays: a second lifting undoes it. `why` goes into the audit trail.
    """
    with transaction.atomic():
        row = Suppression.objects.select_for_update().filter(pk=suppression.pk).first()
        if row is None:
            return False
        stays = row.stopped and row.reason != Reason.STOP
        new = Reason.STOP if stays else "unset"
        points = ContactPoint.objects.filter(address_index=row.address_index)
        points.filter(disabled_reason=_DISABLES.get(row.reason, "-")).update(disabled_at=None, disabled_reason="")
        owners = sorted(set(_owned(points).values_list("user_id", flat=True)))
        consent.note_each([(owner, f"suppression:{row.channel}", row.reason, new) for owner in owners], origin=origin)
        audit.record(
            origin.actor,
            "suppression.lifted",
            f"suppression:{row.pk}",
            ip=origin.ip,
            channel=row.channel,
            reason=row.reason,
            why=why,
        )
        if stays:
            row.reason, row.stopped = Reason.STOP, False
            row.save(update_fields=["reason", "stopped"])
        else:
            row.delete()
    return not stays


def find(channel: str, address: str) -> Suppression | None:
    """Return the suppression of a normalised address, be its fingerprint under an older key. One query."""
    return Suppression.objects.filter(address_index__in=addresses.indexes(channel, address)).first()


def _by_fingerprint(unwanted: Iterable[Unwanted]) -> dict[bytes, Unwanted]:
    """Return each address once, as it was first named, in an order in which no two writers wait for each other."""
    wanted: dict[bytes, Unwanted] = {}
    for each in unwanted:
        wanted.setdefault(addresses.index(each.channel, each.address), each)
    return {index: wanted[index] for index in sorted(wanted)}


def _known(wanted: Mapping[bytes, Unwanted]) -> dict[bytes, Suppression]:
    """Return what is suppressed by its newest fingerprint, be it under an older key. One query."""
    newest = {older: index for index, each in wanted.items() for older in addresses.indexes(each.channel, each.address)}
    rows = Suppression.objects.filter(address_index__in=list(newest))
    return {newest[bytes(row.address_index)]: row for row in rows}


def _is_a_new_stop(each: Unwanted, row: Suppression) -> bool:
    return each.reason == Reason.STOP and row.reason != Reason.STOP and not row.stopped


def _insert(wanted: Mapping[bytes, Unwanted], origin: Origin) -> set[bytes]:
    """Insert what is not there yet in one statement; return the fingerprints of what this call put there."""
    if not wanted:
        return set()
    now = connection.ops.adapt_datetimefield_value(clock.now())
    values: list[Any] = []
    for index, each in wanted.items():
        values += [each.channel, index, each.reason, False, origin.source, origin.actor, now]
    row = f"({', '.join(['%s'] * len(_COLUMNS))})"
    with connection.cursor() as cursor:
        cursor.execute(
            f"INSERT INTO {Suppression._meta.db_table} ({', '.join(_COLUMNS)}) VALUES {', '.join([row] * len(wanted))}"
            " ON CONFLICT DO NOTHING RETURNING address_index",
            values,
        )
        return {bytes(index) for (index,) in cursor.fetchall()}


def _disable(unwanted: Iterable[Unwanted]) -> None:
    for reason, why in _DISABLES.items():
        those = [each for each in unwanted if each.reason == reason]
        if those:
            in_use = ContactPoint.objects.filter(address_index__in=_all_indexes(those), disabled_at=None)
            in_use.update(disabled_at=clock.now(), disabled_reason=why)


def _note(changes: Sequence[tuple[Unwanted, str, str]], origin: Origin) -> None:
    """Write each change (what, old, new) into the ledgers of whoever has the address. Two queries."""
    if not changes:
        return
    about = {index: change for change in changes for index in _all_indexes([change[0]])}
    rows = _owned(ContactPoint.objects.filter(address_index__in=list(about))).values_list("user_id", "address_index")
    told = sorted({(user_pk, *about[bytes(index)]) for user_pk, index in rows}, key=lambda each: each[0])
    lines = [(user_pk, f"suppression:{each.channel}", old, new) for user_pk, each, old, new in told]
    consent.note_each(lines, origin=origin)


def _owned(points: "QuerySet[ContactPoint]") -> "QuerySet[ContactPoint]":
    """Leave out whoever has typed an address and not confirmed it: what happens to it is its owner's to know."""
    return points.exclude(disabled_reason=UNCONFIRMED)


def _all_indexes(unwanted: Iterable[Unwanted]) -> list[bytes]:
    # The channel is part of a fingerprint, so that nothing of another channel is found by it.
    return [index for each in unwanted for index in addresses.indexes(each.channel, each.address)]
