"""Devices and addresses: where messages go, masked, with the state of each in words."""

from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID

from django.db import transaction
from django.http import QueryDict
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from preferences import confirmations, consent, contact_points, suppressions
from preferences.consent import Origin
from preferences.contact_points import PRIMARY
from preferences.decisions import CONFIRMED_BY_OWNERS, UNCONFIRMED, Person
from preferences.models import Category, ContactPoint, User
from preferences.pages import wording
from preferences.pages.outcomes import Outcome, Refused, Saved, token
from preferences.suppressions import Reason

SECTION = "addresses"
BY_PERSON = "by_person"
_BLOCKED = {
    "bounce": gettext_lazy("Blocked: it did not accept our messages."),
    "complaint": gettext_lazy("Blocked: a message to it was reported as spam."),
    "stop": gettext_lazy("Blocked: you asked us by text to stop. Text START to us to undo that."),
    "erased": gettext_lazy("Not in use since its owner’s data was erased. Use it again if you want messages there."),
}


@dataclass(frozen=True)
class Address:
    """One contact point as its owner sees it.

    `can`: "stop", "resume" or "" next to removing. `confirm`: how its owner may confirm it, by "link" or "code"; ""
    where nothing waits for that. `asked`: a link or code was sent and can still be used.
    """

    id: UUID
    icon: str
    channel: str
    masked: str
    label: str
    state: str
    good: bool
    can: str
    confirm: str
    asked: bool


def section(user: User, person: Person, categories: list[Category]) -> dict[str, Any]:
    """Return the person's addresses, those in use first. Two queries."""
    wanting = [category.name for category in categories if category.double_opt_in]
    asked, points = confirmations.waiting(user), list(user.contact_points.order_by("id"))
    called = {("voice", point.address) for point in points if point.channel == "sms"}
    facts = {point.id: point for point in person.contact_points}
    found = []
    for point in points:
        known = facts.get(point.pk)
        blocked = known.suppressed if known else ""
        address = _address(point, blocked, wanting, asked=point.pk in asked)
        # One number, one question: whoever confirms it for text messages confirms it for calls.
        found.append(replace(address, confirm="") if (point.channel, point.address) in called else address)
    return {"addresses": sorted(found, key=lambda address: not address.good)}


def change(user: User, form: QueryDict, origin: Origin) -> Outcome:
    """Take an address out of use ("stop"), back into use ("resume"), or forget it ("remove")."""
    act = next((act for act in ("stop", "resume", "remove") if act in form), "")
    with transaction.atomic():
        point = _find(user, form.get(act, ""))
        if point is None:
            return Saved()
        if act != "resume" and not form.get("sure") and (needed := _last_for(user, point)):
            error = _(
                "This is the last address %(by)s. %(categories)s must be able to reach you there. "
                "Press again to go on: until you add another address, those messages will not reach you %(by)s."
            ) % {"by": wording.by(point.channel), "categories": _(", ").join(needed)}
            return Refused(SECTION, {str(point.pk): error}, {"sure": str(point.pk), "act": act})
        return _act(user, point, act, origin)


def restore(user: User, value: Any, origin: Origin) -> bool:
    """Take an address back into use, or out of it; return whether that changed anything."""
    if not (isinstance(value, list) and len(value) == 2 and value[1] in ("stop", "resume")):
        return False
    with transaction.atomic():
        point = _find(user, str(value[0]))
        return point is not None and bool(_act(user, point, value[1], origin).text)


def _act(user: User, point: ContactPoint, act: str, origin: Origin) -> Saved:
    words = {"address": contact_points.masked(point), "by": wording.by(point.channel)}
    old = point.disabled_reason or "in use"
    if act == "remove":
        contact_points.remove(point)
        _note(user, point, old, "removed", origin)
        return Saved(_("%(address)s is removed.") % words)
    if act == "stop" and point.disabled_at is None:
        contact_points.disable(point, reason=BY_PERSON)
        _note(user, point, old, BY_PERSON, origin)
        text = _("Saved. Nothing goes to %(address)s %(by)s any more.") % words
        return Saved(text, (token(SECTION, [str(point.pk), "resume"]),))
    if act == "resume" and point.disabled_at is None and _opt_in(point, origin):
        return Saved(_("Saved. %(address)s is in use again.") % words)
    # Only what the person has stopped: an address that a service has called dead stays so.
    if act == "resume" and point.disabled_reason == BY_PERSON:
        contact_points.enable(point)
        _note(user, point, old, "in use", origin)
        text = _("Saved. %(address)s is in use again.") % words
        return Saved(text, (token(SECTION, [str(point.pk), "stop"]),))
    return Saved()


def _opt_in(point: ContactPoint, origin: Origin) -> bool:
    """Take the owner's word that an address may be used again which was erased with somebody's data."""
    return suppressions.lift(point.channel, point.address, reason=Reason.ERASED, origin=origin)


def _note(user: User, point: ContactPoint, old: str, new: str, origin: Origin) -> None:
    consent.note([user], subject=f"contact_point:{point.channel}", old=old, new=new, origin=origin)


def _find(user: User, id: str) -> ContactPoint | None:
    try:
        return user.contact_points.select_for_update().filter(pk=UUID(id)).first()
    except ValueError:
        return None


def _last_for(user: User, point: ContactPoint) -> list[str]:
    """Return the names of the categories that need this channel, if this is the last address in use on it."""
    others = user.contact_points.filter(channel=point.channel, disabled_at=None).exclude(pk=point.pk)
    if point.disabled_at is not None or others.exists():
        return []
    return [category.name for category in Category.objects.all() if point.channel in category.required_channels]


def _address(point: ContactPoint, blocked: str, wanting: list[str], *, asked: bool) -> Address:
    good = not blocked and point.disabled_at is None
    confirm = _confirm(point, wanting) if good or point.disabled_reason == UNCONFIRMED else ""
    return Address(
        id=point.pk,
        icon=wording.ICONS[point.channel],
        channel=wording.channel_name(point.channel),
        masked=contact_points.masked(point),
        label="" if point.label == PRIMARY else point.label,
        state=_state(point, blocked, wanting if confirm else []),
        good=good,
        can=_can(point, blocked),
        confirm=confirm,
        asked=asked,
    )


def _can(point: ContactPoint, blocked: str) -> str:
    if point.disabled_at is None:
        return "resume" if blocked == Reason.ERASED else "stop"
    return "resume" if point.disabled_reason == BY_PERSON else ""


def _confirm(point: ContactPoint, wanting: list[str]) -> str:
    if point.confirmed_at or point.channel not in CONFIRMED_BY_OWNERS:
        return ""
    waits = point.disabled_reason == UNCONFIRMED or wanting
    return ("link" if point.channel == "email" else "code") if waits else ""


def _state(point: ContactPoint, blocked: str, wanting: list[str]) -> str:
    if point.disabled_reason == UNCONFIRMED:  # before a block: whoever types an address may not learn of one
        return _("Not in use yet: confirm it first.")
    if point.disabled_reason == BY_PERSON and point.disabled_at is not None:
        return _("Not in use: you stopped it.")
    if blocked:
        return str(_BLOCKED.get(blocked) or _("Blocked. Ask whoever sends you these messages."))
    if point.disabled_at is not None:
        return _("Not in use: it no longer works.")
    if wanting:
        return _("In use. For %(categories)s it must be confirmed first.") % {"categories": _(", ").join(wanting)}
    return _("In use and confirmed") if point.confirmed_at else _("In use")
