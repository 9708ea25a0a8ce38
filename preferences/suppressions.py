"""The only writer of suppressions: addresses that nobody may use, whoever they belong to."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from django.db import transaction

from preferences import addresses, consent
from preferences.consent import Origin
from preferences.models import ContactPoint, Suppression, User
from project.foundation import clock

Reason = Suppression.Reason

# A dead address, or one whose owner calls us a nuisance, is out of use wherever it stands. One that asked to stop
# works, and may start again.
_DISABLES = {Reason.BOUNCE: "bounced", Reason.COMPLAINT: "complained"}


@dataclass(frozen=True)
class Unwanted:
    """A normalised address, and why nothing may go there."""

    channel: str
    address: str = field(repr=False)
    reason: str  # one of Suppression.Reason


def suppress(unwanted: Iterable[Unwanted], *, origin: Origin) -> list[Unwanted]:
    """Suppress addresses; return those that were not suppressed before, whose owners' ledgers say so now.

    What is suppressed keeps its first reason. Bounces and complaints also take the address out of use.
    """
    with transaction.atomic():
        # In one order everywhere, so that two writers never wait for each other.
        wanted = {(each.channel, addresses.index(each.channel, each.address)): each for each in unwanted}
        known = _known([each for _, each in sorted(wanted.items())])
        new = [each for key, each in sorted(wanted.items()) if key not in known and _written(*key, each.reason)]
        for each in new:
            _disable(each)
            consent.note(
                _owners(each.channel, each.address),
                subject=f"suppression:{each.channel}",
                old="unset",
                new=each.reason,
                origin=origin,
            )
    return new


def lift(channel: str, address: str, *, reason: str, origin: Origin) -> bool:
    """Let a normalised address be used again if `reason` is why it was not; return whether it was."""
    with transaction.atomic():
        indexes = addresses.indexes(channel, address)
        gone, _ = Suppression.objects.filter(channel=channel, address_index__in=indexes, reason=reason).delete()
        if gone:
            subject = f"suppression:{channel}"
            consent.note(_owners(channel, address), subject=subject, old=reason, new="unset", origin=origin)
    return gone > 0


def _known(wanted: Sequence[Unwanted]) -> set[tuple[str, bytes]]:
    """Return the newest fingerprints of what is suppressed, be it under an older key. One query."""
    newest = {
        (each.channel, index): (each.channel, addresses.index(each.channel, each.address))
        for each in wanted
        for index in addresses.indexes(each.channel, each.address)
    }
    rows = Suppression.objects.filter(address_index__in=[index for _, index in newest])
    found = ((channel, bytes(index)) for channel, index in rows.values_list("channel", "address_index"))
    return {newest[key] for key in found if key in newest}


def _written(channel: str, index: bytes, reason: str) -> bool:
    return Suppression.objects.get_or_create(channel=channel, address_index=index, defaults={"reason": reason})[1]


def _disable(each: Unwanted) -> None:
    why = _DISABLES.get(Reason(each.reason))
    if why is not None:
        indexes = addresses.indexes(each.channel, each.address)
        in_use = ContactPoint.objects.filter(channel=each.channel, address_index__in=indexes, disabled_at=None)
        in_use.update(disabled_at=clock.now(), disabled_reason=why)


def _owners(channel: str, address: str) -> Iterable[User]:
    points = ContactPoint.objects.filter(channel=channel, address_index__in=addresses.indexes(channel, address))
    return User.objects.filter(pk__in=points.values("user_id")).order_by("pk")
