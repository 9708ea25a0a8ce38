"""The daily digest: which categories come gathered into one message a day, and at which hour."""

from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.db import transaction
from django.http import QueryDict
from django.utils.translation import gettext as _

from preferences import consent
from preferences.consent import Origin, Wish
from preferences.models import Category, User
from preferences.pages.outcomes import Outcome, Refused, Saved, token

SECTION = "digest"
_ITSELF = "digests"  # the digest's own category
_HOURS = tuple(f"{hour:02}:00" for hour in range(24))


@dataclass(frozen=True)
class Line:
    key: str
    name: str
    on: bool


def section(user: User, categories: list[Category]) -> dict[str, Any]:
    # An hour that a caller has set to the minute stays to be seen and chosen.
    hours = sorted({*_HOURS, *([user.digest_at] if user.digest_at else [])})
    # Urgent ones never wait: to offer that would be a promise that is not kept.
    offered = [
        category
        for category in categories
        if category.key in user.digests or not (category.urgent or category.key == _ITSELF)
    ]
    lines = [Line(category.key, category.name, category.key in user.digests) for category in offered]
    return {"lines": lines, "at": user.digest_at, "hours": hours, "usual": settings.DIGEST_AT}


def change(user: User, form: QueryDict, origin: Origin) -> Outcome:
    """Store the categories that were moved ("shown", "on") and the hour ("at"), if it was moved."""
    at, moved_at = form.get("at", ""), form.get("at", "") != form.get("at_shown", "")
    if moved_at and at and at not in {*_HOURS, user.digest_at}:
        return Refused(SECTION, {"at": _("Choose an hour from the list.")}, {"at": at})
    with transaction.atomic():
        before = User.objects.select_for_update(no_key=True).only("pk", "digests", "digest_at").get(pk=user.pk)
        wishes = [Wish("digests", "daily" if on else None, member=key) for key, on in _moved(form).items()]
        back = [[wish.member, before.digests.get(wish.member)] for wish in wishes]
        wishes += [Wish("digest_at", at)] if moved_at else []
        if not consent.apply(user, wishes=wishes, origin=origin):
            return Saved()
    value = {"of": back} | ({"at": before.digest_at} if moved_at else {})
    return Saved(_("Saved. It counts from the next message on."), (token(SECTION, value),))


def restore(user: User, value: Any, origin: Origin) -> bool:
    """Take the moved ones back; return whether that changed anything."""
    if not isinstance(value, dict) or not isinstance(value.get("of"), list):
        return False
    pairs = [pair for pair in value["of"] if isinstance(pair, list) and len(pair) == 2 and isinstance(pair[0], str)]
    known = set(Category.objects.filter(key__in=[key for key, _word in pairs]).values_list("key", flat=True))
    wishes = [Wish("digests", "daily" if word else None, member=key) for key, word in pairs if key in known]
    if isinstance(value.get("at"), str) and (value["at"] == "" or _is_time(value["at"])):
        wishes.append(Wish("digest_at", value["at"]))
    return consent.apply(user, wishes=wishes, origin=origin) > 0


def _moved(form: QueryDict) -> dict[str, bool]:
    """Return the categories that exist and whose box was moved, with where it is now."""
    on = set(form.getlist("on"))
    shown = dict(text.rpartition(":")[::2] for text in form.getlist("shown"))
    moved = {key: key in on for key, was in shown.items() if was in ("on", "off") and (key in on) != (was == "on")}
    known = set(Category.objects.filter(key__in=moved).values_list("key", flat=True))
    return {key: now for key, now in moved.items() if key in known}


def _is_time(text: str) -> bool:
    hour, colon, minute = text.partition(":")
    return (
        bool(colon)
        and len(text) == 5
        and text.isascii()
        and f"{hour}:00" in _HOURS
        and minute.isdigit()
        and minute < "60"
    )
