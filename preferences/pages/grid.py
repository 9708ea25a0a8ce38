"""The settings page as data: categories down, channels across; each cell says what applies and whether it is fixed."""

from collections.abc import Iterator
from dataclasses import dataclass

from django.utils.translation import gettext as _

from preferences import decisions, loading
from preferences.channels import CHANNELS
from preferences.decisions import CategoryFacts, Facts, Person
from preferences.models import Category
from preferences.pages import wording
from project.foundation import clock

# Always shown, so that people see what there is; the others only to those who have an address for them.
_USUAL = ("in_app", "email", "sms", "push")
_ALL = ""  # the row about a whole channel


@dataclass(frozen=True)
class Column:
    channel: str
    name: str
    icon: str
    missing: str  # why the channel cannot be used at all; "" when it can


@dataclass(frozen=True)
class Cell:
    """One switch. Its `key` is "<category>.<channel>"; the row about a whole channel has an empty category."""

    category: str
    channel: str
    name: str  # of the channel, for the card on a phone
    label: str  # what a screen reader says
    on: bool
    locked: bool = False  # required: always on
    fixed: str = ""  # why it cannot be changed, in words; "" when it can

    @property
    def key(self) -> str:
        return f"{self.category}.{self.channel}"


@dataclass(frozen=True)
class Row:
    key: str
    name: str
    description: str
    cells: tuple[Cell, ...]


@dataclass(frozen=True)
class Grid:
    columns: tuple[Column, ...]
    everything: Row
    rows: tuple[Row, ...]

    def cells(self) -> Iterator[Cell]:
        for row in (self.everything, *self.rows):
            yield from row.cells


def build(user_pk: int) -> Grid:
    """Return the person's settings as they apply now. Six queries."""
    person = loading.load_person(user_pk)
    columns = tuple(_columns(person))
    # A mute is a pause over the choices, told above the grid: the switches show the choices themselves.
    unmuted, now = person.but(mutes=()), clock.now()
    rows = tuple(_row(category, Facts(unmuted, facts, now), columns) for category, facts in _categories())
    return Grid(columns, _everything(person, columns), rows)


def _columns(person: Person) -> Iterator[Column]:
    owned = {point.channel for point in person.contact_points}
    for key, channel in CHANNELS.items():
        if key in _USUAL or key in owned:
            yield Column(key, wording.channel_name(key), wording.ICONS[key], _missing(person, key, channel.addressed))


def _missing(person: Person, channel: str, addressed: bool) -> str:
    points = [point for point in person.contact_points if point.channel == channel]
    if not addressed or any(point.usable for point in points):
        return ""
    return wording.blocked(channel) if points else wording.no_address(channel)


def _everything(person: Person, columns: tuple[Column, ...]) -> Row:
    """The first row: a whole channel, on or off, for everything that has no choice of its own."""
    cells = tuple(
        Cell(
            category=_ALL,
            channel=column.channel,
            name=column.name,
            label=_("Everything %(by)s") % {"by": wording.by(column.channel)},
            on=person.choices.get((_ALL, column.channel), CHANNELS[column.channel].default),
            fixed=column.missing,
        )
        for column in columns
    )
    return Row("", _("Everything"), _("A whole channel at once. What you set below goes first."), cells)


def _categories() -> Iterator[tuple[Category, CategoryFacts]]:
    for category in Category.objects.all():
        yield category, loading.category_facts(category)


def _row(category: Category, facts: Facts, columns: tuple[Column, ...]) -> Row:
    cells = tuple(_cell(facts, column) for column in columns)
    return Row(category.key, category.name, category.description, cells)


def _cell(facts: Facts, column: Column) -> Cell:
    category, verdict = facts.category, decisions.consent(facts, column.channel)
    locked = verdict.rule == "required"
    why_locked = _("Always on: these messages matter too much to miss.") if locked else ""
    return Cell(
        category=category.key,
        channel=column.channel,
        name=column.name,
        label=f"{category.name} {wording.by(column.channel)}",
        on=verdict.allowed,
        locked=locked,
        fixed=column.missing or why_locked,
    )
