"""The addresses that stand in a user's own fields, `email` and `phone`: one per channel, under the label "primary".

Setting a field replaces the earlier primary address of its channels and touches no other contact point. An address
that the person already has under another label is left as it is, and the earlier primary one goes.
"""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from preferences import addresses, contact_points
from preferences.contact_points import PRIMARY
from preferences.decisions import UNCONFIRMED
from preferences.models import ContactPoint
from project.foundation import bulk, clock

# A phone takes text messages and calls.
FIELD_CHANNELS: Mapping[str, tuple[str, ...]] = {"email": ("email",), "phone": ("sms", "voice")}


@dataclass
class _Plan:
    """What is to be written."""

    new: list[ContactPoint] = field(default_factory=list)
    moved: list[ContactPoint] = field(default_factory=list)
    gone: list[ContactPoint] = field(default_factory=list)

    def users(self) -> set[int]:
        return {point.user_id for points in (self.new, self.moved, self.gone) for point in points}


def replace(changes: Mapping[int, Mapping[str, Any]]) -> set[int]:
    """Write the `email` and `phone` of many locked users, by primary key; None removes. At most five statements.

    Returns the keys of those whose addresses are other than they were.
    """
    plan = _plan(changes)
    bulk.insert(plan.new)
    bulk.update(
        plan.moved, ["address", "address_index", "verified_at", "confirmed_at", "disabled_at", "disabled_reason"]
    )
    if plan.gone:
        ContactPoint.objects.filter(pk__in=[point.pk for point in plan.gone]).delete()
    return plan.users()


def would_move(changes: Mapping[int, Mapping[str, Any]]) -> set[int]:
    """Return what `replace` would answer now, and write nothing. At most two statements."""
    return _plan(changes).users()


def _plan(changes: Mapping[int, Mapping[str, Any]]) -> _Plan:
    wanted = {
        (user_pk, channel): values[name]
        for user_pk, values in changes.items()
        for name, channels in FIELD_CHANNELS.items()
        if name in values
        for channel in channels
    }
    plan = _Plan()
    if not wanted:
        return plan
    now = clock.now()
    present = _present(wanted)
    for (user_pk, channel), address in wanted.items():
        points = present.get((user_pk, channel), [])
        same = [point for point in points if address is not None and _is(point, address)]
        earlier = [point for point in points if point.label == PRIMARY and point not in same]
        if address is None or same:
            plan.gone += earlier
            plan.moved += [point for point in same if _taken_up(point, address, now)]
        elif earlier:
            # The same contact point at a new address: what is queued for it follows the person.
            plan.moved.append(_moved(earlier[0], address, now))
        else:
            plan.new.append(contact_points.make(user_pk, channel=channel, address=address, label=PRIMARY, now=now))
    return plan


def of(points: list[ContactPoint]) -> dict[str, str | None]:
    """Return the fields as a user's contact points have them: the primary address, else the oldest one."""
    known = [point for point in points if point.disabled_reason != UNCONFIRMED]
    ordered = sorted(known, key=lambda point: (point.label != PRIMARY, point.pk))
    return {
        field: next((point.address for point in ordered if point.channel == channels[0]), None)
        for field, channels in FIELD_CHANNELS.items()
    }


def _present(wanted: Mapping[tuple[int, str], Any]) -> dict[tuple[int, str], list[ContactPoint]]:
    found: dict[tuple[int, str], list[ContactPoint]] = defaultdict(list)
    rows = ContactPoint.objects.filter(
        user_id__in={user_pk for user_pk, _ in wanted}, channel__in={channel for _, channel in wanted}
    )
    for point in rows:
        found[(point.user_id, point.channel)].append(point)
    return found


def _is(point: ContactPoint, address: str) -> bool:
    return addresses.comparable(point.channel, point.address) == addresses.comparable(point.channel, address)


def _taken_up(point: ContactPoint, address: str | None, now: datetime) -> bool:
    """Let an address that the person has already follow what the caller says of it; return whether that changed it.

    A spelling counts for the primary one. What the person had typed and not confirmed is vouched for now.
    """
    respelt = point.label == PRIMARY and address is not None and point.address != address
    if respelt and address is not None:
        point.address = address
    vouched_for = point.disabled_reason == UNCONFIRMED
    if vouched_for:
        point.verified_at, point.disabled_at, point.disabled_reason = now, None, ""
    return respelt or vouched_for


def _moved(point: ContactPoint, address: str, now: datetime) -> ContactPoint:
    point.address, point.address_index = address, addresses.index(point.channel, address)
    point.verified_at, point.confirmed_at = now, None
    point.disabled_at, point.disabled_reason = None, ""
    return point
