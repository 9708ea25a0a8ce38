"""The addresses of people: adding, changing, removing, finding."""

from collections.abc import Mapping
from datetime import datetime
from uuid import UUID

from django.db import transaction
from django.db.models import QuerySet

from preferences import addresses, webhook_secrets
from preferences.decisions import UNCONFIRMED
from preferences.models import ContactPoint, User
from project.foundation import clock
from project.foundation.problems import Conflict

MAX_PER_USER = 100
# The label of what `PUT /users/{user_id}` sets by `email` and `phone`. A later PUT replaces these and no others.
PRIMARY = "primary"


class AlreadyTheirs(Conflict):
    """The person has this address, and it is in use."""


def add(user: User, *, channel: str, address: str, label: str = "") -> tuple[ContactPoint, bool]:
    """Give a person a normalised address, usable at once; return it and whether it is new.

    An address the person already has is taken back into use: a device registers its token at every start.
    A new webhook's secret is in `.secret`; show it once. Raises Conflict past MAX_PER_USER.
    """
    with transaction.atomic():
        lock(user)
        existing = _same(user, channel, address)
        if existing is not None:
            _enable(existing, label=label or existing.label)
            return existing, False
        if user.contact_points.count() >= MAX_PER_USER:
            raise Conflict(f"This user has {MAX_PER_USER} contact points already.")
        point = make(user.pk, channel=channel, address=address, label=label, now=clock.now())
        point.save(force_insert=True)
        return point, True


def propose(user: User, *, channel: str, address: str) -> ContactPoint:
    """Give a person a normalised address that is used for nothing until `confirm`: whoever typed it may not own it.

    One that is out of use is taken up again so. Raises AlreadyTheirs, and Conflict past MAX_PER_USER.
    """
    with transaction.atomic():
        lock(user)
        now, point = clock.now(), _same(user, channel, address)
        if point is None:
            if user.contact_points.count() >= MAX_PER_USER:
                raise Conflict(f"This user has {MAX_PER_USER} contact points already.")
            point = make(user.pk, channel=channel, address=address, label="", now=now)
        elif point.disabled_at is None:
            raise AlreadyTheirs("This user has a contact point with this address already.")
        point.verified_at, point.confirmed_at = None, None
        point.disabled_at, point.disabled_reason = now, UNCONFIRMED
        point.save()
    return point


def confirm(point: ContactPoint, *, now: datetime) -> None:
    """Note that its owner wants it used, and take it into use if it waited for that alone."""
    point.confirmed_at, point.verified_at = now, point.verified_at or now
    if point.disabled_reason == UNCONFIRMED:
        point.disabled_at, point.disabled_reason = None, ""
    point.save(update_fields=["confirmed_at", "verified_at", "disabled_at", "disabled_reason"])


def make(user_pk: int, *, channel: str, address: str, label: str, now: datetime) -> ContactPoint:
    """Return a contact point that is not stored yet."""
    return ContactPoint(
        user_id=user_pk,
        channel=channel,
        address=address,
        address_index=addresses.index(channel, address),
        label=label,
        secret=webhook_secrets.new() if channel == "webhook" else "",
        verified_at=now,
    )


def update(point: ContactPoint, *, address: str | None = None, label: str | None = None) -> ContactPoint:
    """Change address (normalised) or label; a new address is usable at once, another spelling of it changes no more.

    Raises Conflict if another of their contact points has it.
    """
    with transaction.atomic():
        lock(point.user)
        if address is not None and address != point.address:
            same = _same(point.user, point.channel, address)
            if same is not None and same.pk != point.pk:
                raise Conflict("This user has a contact point with this address already.")
            point.address, point.address_index = address, addresses.index(point.channel, address)
            if same is None:
                point.verified_at, point.confirmed_at = clock.now(), None
                point.disabled_at, point.disabled_reason = None, ""
        if label is not None:
            point.label = label
        point.save()
    return point


def rotate_secret(point: ContactPoint) -> None:
    """Give a webhook a new secret, in `.secret` with the one before, which goes on signing for webhook_secrets.OVERLAP.

    Raises Conflict where there is nothing to rotate.
    """
    if point.channel != "webhook":
        raise Conflict("Only a webhook has a secret.")
    with transaction.atomic():
        lock(point.user)
        point.refresh_from_db(fields=["secret"])
        point.secret = webhook_secrets.rotated(point.secret, clock.now())
        point.save(update_fields=["secret"])


def disable(point: ContactPoint, *, reason: str) -> None:
    """Take an address out of use and say why. Disabling twice keeps the first reason."""
    if point.disabled_at is None:
        point.disabled_at, point.disabled_reason = clock.now(), reason
        point.save(update_fields=["disabled_at", "disabled_reason"])


def disable_those(sent_to: Mapping[UUID, tuple[str, str]], *, reason: str, now: datetime) -> list[UUID]:
    """Take out of use each contact point that still has the (channel, normalised address) given for it.

    Returns the ids of those that were in use until now. Inside the caller's transaction, rows locked in id order.
    """
    rows = ContactPoint.objects.select_for_update().filter(id__in=list(sent_to), disabled_at__isnull=True)
    dead = [row for row in rows.order_by("id") if (row.channel, row.address) == sent_to[row.id]]
    ContactPoint.objects.filter(id__in=[row.id for row in dead]).update(disabled_at=now, disabled_reason=reason)
    return [row.id for row in dead]


def enable(point: ContactPoint) -> None:
    """Take an address back into use."""
    _enable(point, label=point.label)


def remove(point: ContactPoint) -> None:
    point.delete()


def own(user: User) -> "QuerySet[ContactPoint]":
    """Return a person's addresses without those that they typed and have not confirmed: these may be somebody else's.

    For what is known of an address itself, which is its owner's to know.
    """
    return ContactPoint.objects.filter(user=user).exclude(disabled_reason=UNCONFIRMED)


def find_users(channel: str, address: str) -> list[int]:
    """Return the keys of the users who have this normalised address; several people may share one.

    Whoever has typed it and not confirmed it does not have it.
    """
    rows = ContactPoint.objects.filter(channel=channel, address_index__in=addresses.indexes(channel, address))
    rows = rows.exclude(disabled_reason=UNCONFIRMED)
    return sorted(set(rows.values_list("user_id", flat=True)))


def lock(user: User) -> None:
    """Let one writer at a time at a person's addresses, so that counts and look-ups before a write stay true."""
    User.objects.select_for_update(no_key=True).values_list("pk").get(pk=user.pk)


def masked(point: ContactPoint) -> str:
    return addresses.mask(point.channel, point.address)


def _same(user: User, channel: str, address: str) -> ContactPoint | None:
    # Under every key: a row from before a key rotation is found and not doubled.
    return user.contact_points.filter(channel=channel, address_index__in=addresses.indexes(channel, address)).first()


def _enable(point: ContactPoint, *, label: str) -> None:
    if point.disabled_at is not None or point.label != label:
        point.label, point.disabled_at, point.disabled_reason = label, None, ""
        point.verified_at = point.verified_at or clock.now()  # whoever takes it into use vouches for it
        point.save(update_fields=["label", "disabled_at", "disabled_reason", "verified_at"])
