"""Pausing everything, a category or a kind of message for a while, and resuming it.

What is paused is named "" for everything, "category:<key>" or "type:<key>".
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from typing import Any, Literal

from django.apps import apps
from django.conf import settings
from django.http import QueryDict
from django.utils.formats import date_format
from django.utils.timezone import localtime
from django.utils.translation import gettext as _

from preferences import consent, quiet_hours
from preferences.consent import FOREVER, Origin, Silence
from preferences.models import Category, User
from preferences.pages.outcomes import Outcome, Saved, token
from project.foundation import clock

Until = datetime | Literal["forever"] | None
_MORNING = time(8)  # "until tomorrow" ends when people are up


@dataclass(frozen=True)
class Pause:
    what: str
    name: str  # "" for everything
    until: datetime | None  # None: until it is resumed


def active(user: User) -> list[Pause]:
    """Return what is paused now, everything first. At most two queries."""
    rows = user.mutes.select_related("category").order_by("id")
    now = clock.now()
    found = [row for row in rows if row.until is None or row.until > now]
    names = _type_names({row.type_key for row in found if row.type_key})
    pauses = [
        Pause(f"category:{row.category.key}", row.category.name, row.until)
        if row.category
        else Pause(f"type:{row.type_key}" if row.type_key else "", names.get(row.type_key, row.type_key), row.until)
        for row in found
    ]
    return sorted(pauses, key=lambda pause: bool(pause.what))


def change(user: User, form: QueryDict, origin: Origin) -> Outcome:
    """Pause ("what", "for") or resume ("resume")."""
    resuming = "resume" in form
    what = form.get("resume" if resuming else "what", "")
    until = None if resuming else _until(form.get("for", ""), user)
    silence = _silence(what, until)
    if silence is None or (until is None and not resuming):
        return Saved()
    before = _stored(user, what)
    if not consent.apply(user, silences=[silence], origin=origin):
        return Saved()
    return Saved(_sentence(silence), (token("pause", [what, before]),))


def restore(user: User, value: Any, origin: Origin) -> bool:
    """Take a pause back to what it was before; return whether that changed anything."""
    if not (isinstance(value, list) and len(value) == 2 and isinstance(value[0], str)):
        return False
    try:
        until = _read(value[1])
    except ValueError:
        return False
    silence = _silence(value[0], until)
    return silence is not None and consent.apply(user, silences=[silence], origin=origin) > 0


def _until(span: str, user: User) -> Until:
    now = clock.now()
    if span == "tomorrow":
        zone = quiet_hours.zone_of(user.timezone)
        return quiet_hours.local_moment(now.astimezone(zone).date() + timedelta(days=1), _MORNING, zone)
    ends: Mapping[str, Until] = {"hour": now + timedelta(hours=1), "week": now + timedelta(days=7), "forever": FOREVER}
    return ends.get(span)


def _silence(what: str, until: Until) -> Silence | None:
    kind, _colon, key = what.partition(":")
    if not what:
        return Silence(until)
    if kind == "category":
        category = Category.objects.filter(key=key).first()
        return Silence(until, category) if category else None
    return Silence(until, type_key=key) if kind == "type" and key and len(key) <= 100 else None


def _stored(user: User, what: str) -> str | None:
    """Return until when it is paused now, as `_read` takes it."""
    pause = next((pause for pause in active(user) if pause.what == what), None)
    if pause is None:
        return None
    return pause.until.isoformat() if pause.until else FOREVER


def _read(text: Any) -> Until:
    if text in (None, FOREVER):
        return FOREVER if text else None
    until = datetime.fromisoformat(str(text))
    if until.tzinfo is None:
        raise ValueError("A moment has a zone.")
    return until


def _sentence(silence: Silence) -> str:
    if silence.until is None:
        return _("Resumed. Messages reach you again.")
    if isinstance(silence.until, datetime):
        until = date_format(localtime(silence.until), "DATETIME_FORMAT")
        return _("Paused until %(until)s.") % {"until": until}
    return _("Paused until you resume it.")


def _type_names(keys: set[str]) -> dict[str, str]:
    if not keys:
        return {}
    # Types live in a room above this one: named in settings, as AUTH_USER_MODEL is.
    rows = apps.get_model(settings.MUTABLE_TYPES)._default_manager.filter(key__in=keys)
    return dict(rows.values_list("key", "name"))


def choices(categories: list[Category]) -> Iterator[tuple[str, str]]:
    """Yield what can be paused, as (what, name)."""
    yield "", _("Everything")
    for category in categories:
        yield f"category:{category.key}", category.name
