"""Telling each person of a broadcast at the same time of their own day, in turns: whose clocks show it together.

People of one turn are those for whom it is the same moment; the turns of one broadcast lie within a day or so. Nobody's
notification is made before it is their turn, so pausing and cancelling have no more to stop than with any broadcast.
"""

from collections import defaultdict
from collections.abc import Iterable
from datetime import datetime, time, timedelta

from django.conf import settings
from django.db.models import Min, QuerySet

from notifications.models import AudienceMember, Broadcast
from preferences import quiet_hours
from preferences.models import User
from project.foundation.ids import created_at

_LATEST = 3  # days ahead: tomorrow's is always there, unless that is a date that a country leaves out


def moment(zone: str, at: time, start: datetime) -> datetime:
    """Return when clocks in a zone next show a time, from `start` on, in UTC. Pure.

    One that does not exist that day is the first moment after the gap; one that comes twice is the first of the two.
    """
    local = quiet_hours.zone_of(zone)
    today = start.astimezone(local).date()
    days = [today + timedelta(days=ahead) for ahead in range(_LATEST)]
    found = [(day, quiet_hours.local_moment(day, at, local)) for day in days]
    return next(moment for day, moment in found if moment >= start and moment.astimezone(local).date() == day)


def settle(broadcast: Broadcast) -> None:
    """Write down for everybody of the audience when they are told, by their time zones as they are now, unless it is.

    A statement for each of the moments there are, some forty at the most.
    """
    members = AudienceMember.objects.filter(broadcast_id=broadcast.pk)
    if not members.filter(tell_at=None).exists():
        return
    at, start = time.fromisoformat(broadcast.local_time), broadcast.send_at or created_at(broadcast.pk)
    for when, zones in _moments(_zones(members), at, start).items():
        people = User.objects.filter(timezone__in=zones).values("pk")
        members.filter(tell_at=None, user_id__in=people).update(tell_at=when)
    # Whoever changed their zone between these statements, to one that nobody had.
    members.filter(tell_at=None).update(tell_at=moment(settings.TIME_ZONE, at, start))


def next_turn(broadcast: Broadcast) -> datetime | None:
    """Move on to the first turn with people who are not told yet; return its moment, None when all are told.

    It is stored. Two statements where a turn goes on.
    """
    if broadcast.turn is None:
        settle(broadcast)
    if broadcast.turn is None or not _rest(broadcast).exists():
        later = AudienceMember.objects.filter(broadcast_id=broadcast.pk, tell_at__isnull=False)
        if broadcast.turn is not None:
            later = later.filter(tell_at__gt=broadcast.turn)
        found: datetime | None = later.aggregate(first=Min("tell_at"))["first"]
        if found is None:
            return None
        broadcast.turn, broadcast.reached = found, 0
        broadcast.save(update_fields=["turn", "reached"])
    return broadcast.turn


def after(broadcast: Broadcast, limit: int) -> list[int]:
    """Return the next people of this turn by their keys."""
    return list(_rest(broadcast).order_by("user_id").values_list("user_id", flat=True)[:limit])


def _rest(broadcast: Broadcast) -> "QuerySet[AudienceMember]":
    return AudienceMember.objects.filter(
        broadcast_id=broadcast.pk, tell_at=broadcast.turn, user_id__gt=broadcast.reached
    )


def _zones(members: "QuerySet[AudienceMember]") -> list[str]:
    people = User.objects.filter(pk__in=members.values("user_id"))
    return list(people.order_by().values_list("timezone", flat=True).distinct())


def _moments(zones: Iterable[str], at: time, start: datetime) -> dict[datetime, list[str]]:
    """Return the zones of each moment. Who has none has the installation's."""
    found: dict[datetime, list[str]] = defaultdict(list)
    for zone in zones:
        found[moment(zone or settings.TIME_ZONE, at, start)].append(zone)
    return found
