"""What becomes of people who are alike: put to the rules once a batch, then filled in for each of them.

Most of a broadcast's audience has chosen nothing and has one address. The rules see no difference between them, so
their verdicts and decisions are made once. Whatever a rule may look at belongs into `_likeness`.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any

from django.conf import settings
from msgspec.structs import replace

from notifications import addressee, schedules, timing, tracking
from notifications.models import Delivery, Notification, SharedDecisions
from notifications.tracking import Status
from preferences.channels import CHANNELS
from preferences.decisions import Facts, Person, Verdict, decide_each
from preferences.loading import category_facts
from project.foundation import bulk, ids, json_text
from templates_app.models import Type

_QUIET = {"channel_default", "category_default", "no_contact_point", "disabled"}


@dataclass(frozen=True)
class _Kept:
    """A delivery to be: `point` is the place of its address among the person's, `quiet` when their quiet hours end."""

    channel: str
    point: int | None
    row: Delivery
    quiet: datetime | None
    life: timedelta  # for so long it may be sent after it first came due


@dataclass(frozen=True)
class Outline:
    """Decisions and deliveries of one likeness."""

    shared: SharedDecisions
    points: tuple[int, ...]  # the places of those contact points that the decisions name
    kept: tuple[_Kept, ...]
    status: str  # of the notification, until something becomes of a delivery

    def filled_in(self, notification: Notification, person: Person) -> tuple[list[str], list[Delivery]]:
        """Return the contact points that the decisions name, as one person has them, and the rows of a notification."""
        points = person.contact_points
        named = {place: ids.text(points[place].id) for place in self.points}
        return [*named.values()], [_delivery(kept, notification, person, named) for kept in self.kept]


class Outlines:
    """The outlines of one batch, at one moment."""

    def __init__(self, now: datetime) -> None:
        self._now = now
        self._found: dict[Any, Outline] = {}

    def of(self, notification: Notification, person: Person, type_: Type) -> Outline:
        preferred = tuple(notification.channels_preferred or ())
        asks = addressee.of(notification, type_)
        likeness = (type_.id, preferred, asks, _likeness(person))
        found = self._found.get(likeness)
        if found is None:
            facts = Facts(person, category_facts(type_.category), self._now, type_.key, preferred, asks)
            found = self._found[likeness] = _outline(facts, type_, self._now)
        return found


def _likeness(person: Person) -> tuple[Any, ...]:
    """Return all that a rule may look at: everything but who the person is and what the addresses are."""
    points = [
        (point.channel, point.usable, point.suppressed, point.disabled_reason, point.verified)
        for point in person.contact_points
    ]
    wishes = (person.quiet_hours, person.frequency_caps, person.channel_priority, person.digests, person.digest_at)
    return (
        person.erased,
        person.locale,
        person.timezone,
        tuple(sorted(person.choices.items())) if person.choices else (),
        person.mutes,
        tuple(points),
        json_text.write(wishes) if any(wishes) else "",
    )


def _outline(facts: Facts, type_: Type, now: datetime) -> Outline:
    places = {point.id: place for place, point in enumerate(facts.person.contact_points)}
    named: list[int] = []
    decisions: list[dict[str, Any]] = []
    kept: list[_Kept] = []
    for channel in facts.preferred or CHANNELS:
        for point, verdict in decide_each(facts, channel):
            place = places[point.id] if point else None
            if verdict.allowed:
                verdict = timing.gathered(facts, channel) or verdict
            quiet = timing.quiet_until(facts.person, facts.category, channel, now) if verdict.allowed else None
            if quiet is not None:
                verdict = replace(verdict, text=f"{verdict.text} {timing.words(facts.person, quiet)}")
            decisions.append(_decision(channel, None if place is None else len(named), verdict, now, quiet))
            named += [] if place is None else [place]
            if verdict.allowed or _worth_a_row(verdict, channel, facts):
                life = schedules.life(channel, type_.expires_after)
                kept.append(_Kept(channel, place, _row(channel, verdict, now, quiet, life), quiet, life))
    status = tracking.summary([each.row.status for each in kept])
    return Outline(SharedDecisions(decisions=decisions), tuple(named), tuple(kept), status)


def _decision(
    channel: str, point: int | None, verdict: Verdict, now: datetime, quiet: datetime | None
) -> dict[str, Any]:
    return {
        "channel": channel,
        "contact_point_id": point,
        "allowed": verdict.allowed,
        "rule": verdict.rule,
        "source": verdict.source,
        "reason": verdict.reason,
        "text": verdict.text,
        "when": _time(quiet or now) if verdict.allowed else None,
        "held_until": _time(quiet) if quiet else None,
    }


def _time(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z")


def _worth_a_row(verdict: Verdict, channel: str, facts: Facts) -> bool:
    """Tell whether a skip is kept as a delivery too: when somebody asked for the channel, or said no to it.

    The rest (no default, no address, nobody asked) stands in the decisions; a row each would double the history.
    """
    asked = channel in facts.preferred or channel in facts.category.required
    return asked or verdict.rule not in _QUIET


def _row(channel: str, verdict: Verdict, now: datetime, quiet: datetime | None, life: timedelta) -> Delivery:
    going = Status.SCHEDULED if quiet else Status.QUEUED
    return bulk.like(
        _blank(),
        channel=channel,
        status=going if verdict.allowed else Status.SKIPPED,
        reason=timing.QUIET_HOURS if quiet else verdict.reason,
        due_at=now if verdict.allowed else None,
        expires_at=now + life if verdict.allowed else None,
    )


@cache
def _blank() -> Delivery:
    return Delivery()


def _delivery(kept: _Kept, notification: Notification, person: Person, named: Mapping[int, str]) -> Delivery:
    point, name = (None, "") if kept.point is None else (person.contact_points[kept.point].id, named[kept.point])
    row, of = kept.row.__dict__, notification.__dict__  # where foreign keys are read without asking their descriptors
    id, due_at, expires_at = ids.derived_id(of["id"], 0, kept.channel, name), row["due_at"], row["expires_at"]
    if kept.quiet is not None:
        due_at = timing.release_at(person, kept.quiet, id, settings.QUIET_HOURS_JITTER)
        expires_at = due_at + kept.life
    if of["expires_at"] is not None and expires_at is not None:
        expires_at = min(expires_at, of["expires_at"])
    return bulk.like(
        kept.row,
        id=id,
        notification_id=of["id"],
        user_id=of["user_id"],
        type_id=of["type_id"],
        broadcast_id=of["broadcast_id"],
        mode=of["mode"],
        lane=of["lane"],
        contact_point_id=point,
        due_at=due_at,
        expires_at=expires_at,
    )
