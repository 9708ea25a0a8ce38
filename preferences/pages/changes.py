"""What a submitted settings page changes: only the switches the person moved, never what another tab has set."""

from collections.abc import Iterable
from dataclasses import dataclass

from django.db import transaction

from preferences import consent, loading
from preferences.models import Category, User
from preferences.pages import wording
from preferences.pages.grid import Grid

_STATES = {"on": True, "off": False, "unset": None}


@dataclass(frozen=True)
class Change:
    """One choice to store. `enabled` None takes the choice back, so that the default applies again."""

    category: str  # "" is the whole channel
    channel: str
    enabled: bool | None


def moved(grid: Grid, *, shown: Iterable[str], on: Iterable[str]) -> list[Change]:
    """Return the switches that differ from how they were shown.

    `shown` is what the page said ("offers.email:on"), `on` the keys now switched on. Cells that cannot be changed and
    cells that no longer exist are left alone.
    """
    now_on, was_on = set(on), _parse(shown)
    return [
        Change(cell.category, cell.channel, cell.key in now_on)
        for cell in grid.cells()
        if not cell.fixed and cell.key in was_on and (cell.key in now_on) != was_on[cell.key]
    ]


def restoring(grid: Grid, *, restore: Iterable[str]) -> list[Change]:
    """Return the changes that take the page back to `restore` ("offers.email:unset")."""
    wanted = _parse(restore)
    return [
        Change(cell.category, cell.channel, wanted[cell.key])
        for cell in grid.cells()
        if not cell.fixed and cell.key in wanted
    ]


@transaction.atomic
def apply(user: User, changes: list[Change], origin: consent.Origin) -> list[str]:
    """Store the changes; return what would take them back, for `restoring`."""
    before = loading.choices(user.pk)
    categories = Category.objects.in_bulk({change.category for change in changes if change.category}, field_name="key")
    choices = [
        consent.Choice(change.enabled, categories[change.category] if change.category else None, change.channel)
        for change in changes
    ]
    consent.apply(user, choices=choices, origin=origin)
    return [
        f"{change.category}.{change.channel}:{_word(before.get((change.category, change.channel)))}"
        for change in changes
    ]


def sentence(grid: Grid, changes: list[Change]) -> str:
    """Return what to tell the person about their changes."""
    names = {row.key: row.name for row in grid.rows}
    return wording.saved([(names.get(change.category, ""), change.channel, bool(change.enabled)) for change in changes])


def _parse(states: Iterable[str]) -> dict[str, bool | None]:
    pairs = (state.rpartition(":")[::2] for state in states)
    return {key: _STATES[word] for key, word in pairs if word in _STATES}


def _word(enabled: bool | None) -> str:
    return next(word for word, value in _STATES.items() if value is enabled)
