"""Quiet hours as a plain form: windows are added and removed one by one, so that two tabs never undo each other."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any
from zoneinfo import available_timezones

import msgspec
from django.db import transaction
from django.http import QueryDict
from django.utils.dates import WEEKDAYS, WEEKDAYS_ABBR
from django.utils.translation import gettext as _

from preferences import consent, timing
from preferences.consent import Origin, Wish
from preferences.models import User
from preferences.pages.outcomes import Outcome, Refused, Saved, token
from preferences.quiet_hours import DAYS
from preferences.timing import QuietWindow, QuietWish

SECTION = "quiet"
_NIGHTS = msgspec.convert({"days": DAYS, "from": "22:00", "until": "07:00"}, QuietWindow)
_MOST = 28  # windows, as preferences.timing allows
_AREAS = ("Africa/", "America/", "Antarctica/", "Arctic/", "Asia/", "Atlantic/", "Australia/", "Europe/", "Indian/")


@dataclass(frozen=True)
class Shown:
    """One window in words; `key` names it in the form."""

    key: str
    days: str
    start: str
    end: str
    next_day: bool


def section(user: User) -> dict[str, Any]:
    wish = _stored(user.quiet_hours)
    return {
        "windows": [_shown(window) for window in wish.weekly],
        "timezone": wish.timezone or "",
        "own_timezone": user.timezone or "UTC",
        "zones": _zones(),
        "days": [(day, WEEKDAYS[index], WEEKDAYS_ABBR[index]) for index, day in enumerate(DAYS)],
    }


def change(user: User, form: QueryDict, origin: Origin) -> Outcome:
    """Add a window ("days", "from", "until"), the nights, remove one, clear all, or change the zone."""
    act = {"add": _add, "nights": _nights, "remove": _remove, "clear": _clear, "zone": _zone}.get(form.get("do", ""))
    if act is None:
        return Saved()
    errors = _faults_of_window(form) if form["do"] == "add" else {}
    given = {"days": form.getlist("days"), "from": form.get("from"), "until": form.get("until")}
    given["timezone"] = form.get("timezone", "")
    if errors:
        return Refused(SECTION, errors, given)
    with transaction.atomic():
        before = _locked(user)
        after = act(before, form)
        if errors := _faults(after):
            return Refused(SECTION, errors, given)
        if not _write(user, after, origin):
            return Saved()
    return Saved(_sentence(after), (token(SECTION, _difference(after, before)),))


def restore(user: User, value: Any, origin: Origin) -> bool:
    """Take one change back and leave what came after it; return whether that changed anything."""
    try:
        gone = msgspec.convert(value["gone"], list[QuietWindow])
        new = msgspec.convert(value["new"], list[QuietWindow])
        zone = msgspec.convert(value.get("zone"), str | None)
    except (msgspec.ValidationError, KeyError, TypeError, AttributeError):
        return False
    with transaction.atomic():
        now = _locked(user)
        weekly = [window for window in now.weekly if window not in gone]
        weekly += [window for window in new if window not in weekly]
        after = QuietWish(weekly, (zone or None) if "zone" in value else now.timezone)
        return not _faults(after) and _write(user, after, origin)


def _add(now: QuietWish, form: QueryDict) -> QuietWish:
    window = QuietWindow(days=_days(form), from_=form.get("from", ""), until=form.get("until", ""))
    return QuietWish([*now.weekly, *([window] if window not in now.weekly else [])], _chosen_zone(now, form))


def _nights(now: QuietWish, form: QueryDict) -> QuietWish:
    return QuietWish([*now.weekly, *([_NIGHTS] if _NIGHTS not in now.weekly else [])], _chosen_zone(now, form))


def _remove(now: QuietWish, form: QueryDict) -> QuietWish:
    return QuietWish([window for window in now.weekly if _key(window) != form.get("window")], now.timezone)


def _clear(now: QuietWish, form: QueryDict) -> QuietWish:
    return QuietWish([], None)


def _zone(now: QuietWish, form: QueryDict) -> QuietWish:
    return QuietWish(now.weekly, _chosen_zone(now, form))


def _chosen_zone(now: QuietWish, form: QueryDict) -> str | None:
    """Only a zone that was moved counts: what another tab has set stays."""
    chosen, shown = form.get("timezone"), form.get("timezone_shown", "")
    return now.timezone if chosen is None or chosen == shown else chosen or None


def _faults_of_window(form: QueryDict) -> dict[str, str]:
    errors = {}
    if not _days(form):
        errors["days"] = _("Choose at least one day.")
    for name in ("from", "until"):
        try:
            msgspec.convert(form.get(name, ""), timing.Clock)
        except msgspec.ValidationError:
            errors[name] = _("Enter a time from 00:00 to 23:59.")
    return errors


def _faults(wish: QuietWish) -> dict[str, str]:
    words = {
        "invalid_timezone": ("timezone", _("This time zone is not known. Choose one from the list.")),
        "no_open_minute": ("until", _("This would leave no open minute in the week. Pause everything instead.")),
    }
    errors = dict(words[fault.code] for fault in timing.faults_of_quiet(wish))
    if len(wish.weekly) > _MOST:
        errors["days"] = _("That is too many. Remove one first.")
    return errors


def _days(form: QueryDict) -> list[Any]:
    return [day for day in DAYS if day in form.getlist("days")]


def _stored(stored: Any) -> QuietWish:
    return msgspec.convert(stored, QuietWish) if stored else QuietWish([])


def _locked(user: User) -> QuietWish:
    row = User.objects.select_for_update(no_key=True).only("pk", "quiet_hours").get(pk=user.pk)
    return _stored(row.quiet_hours)


def _write(user: User, wish: QuietWish, origin: Origin) -> bool:
    return consent.apply(user, wishes=[Wish("quiet_hours", timing.stored_quiet(wish))], origin=origin) > 0


def _difference(now: QuietWish, wanted: QuietWish) -> dict[str, Any]:
    """Return what leads from `now` to `wanted`."""
    found = {
        "gone": [window for window in now.weekly if window not in wanted.weekly],
        "new": [window for window in wanted.weekly if window not in now.weekly],
    }
    built: dict[str, Any] = msgspec.to_builtins(found)
    return built | ({"zone": wanted.timezone} if now.timezone != wanted.timezone else {})


def _sentence(after: QuietWish) -> str:
    if not after.weekly:
        return _("Saved. You have no quiet hours any more.")
    return _("Saved. In your quiet hours messages wait until they end.")


def _shown(window: QuietWindow) -> Shown:
    return Shown(_key(window), _day_words(window), window.from_, window.until, window.until <= window.from_)


def _key(window: QuietWindow) -> str:
    return f"{','.join(window.days)} {window.from_} {window.until}"


def _day_words(window: QuietWindow) -> str:
    numbers = [DAYS.index(day) for day in window.days]
    spans = {(0, 1, 2, 3, 4, 5, 6): _("Every day"), (0, 1, 2, 3, 4): _("Monday to Friday"), (5, 6): _("Weekend")}
    names = [str((WEEKDAYS if len(numbers) == 1 else WEEKDAYS_ABBR)[number]) for number in numbers]
    return spans.get(tuple(numbers)) or _(", ").join(names)


@cache
def _zones() -> tuple[str, ...]:
    return tuple(sorted(_places()))


def _places() -> Iterator[str]:
    yield "UTC"
    yield from (name for name in available_timezones() if name.startswith(_AREAS))
