"""The only writer of choices, mutes and the ledger: every change leaves one line that says who, what and how."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Literal

from django.db import transaction

from preferences import timing
from preferences.models import Category, ConsentRecord, Mute, Preference, User
from project.foundation import clock
from project.foundation.problems import Fault, InvalidRequest

FOREVER: Literal["forever"] = "forever"
WISHES = ("quiet_hours", "frequency_caps", "channel_priority", "digests", "digest_at")
_BY_MEMBER = {"digests"}
_ACTOR = ConsentRecord._meta.get_field("actor").max_length or 0
_AGENT = ConsentRecord._meta.get_field("agent").max_length or 0
_TOLD = ConsentRecord._meta.get_field("new").max_length or 0


class LockedPreference(InvalidRequest):
    """A required channel of a category cannot be turned off."""

    code, title = "locked_preference", "A required channel cannot be turned off."


@dataclass(frozen=True)
class Origin:
    """How we know: what stands beside every change in the ledger."""

    source: str  # "api", "settings_page", "one_click", "admin", "inbox"
    actor: str  # as in the audit trail
    ip: str = ""
    agent: str = ""
    wording: str = ""  # version of the text the person saw


@dataclass(frozen=True)
class Choice:
    """A cell (category and channel), a whole category, or a whole channel. `enabled` None = no explicit choice."""

    enabled: bool | None
    category: Category | None = None
    channel: str = ""
    pointer: str = ""  # where a request asked for it

    @property
    def key(self) -> tuple[int | None, str]:
        return (self.category.pk if self.category else None, self.channel)

    @property
    def subject(self) -> str:
        parts = [f"category:{self.category.key}" if self.category else "", f"channel:{self.channel}"]
        return " × ".join(part for part in parts if part and part != "channel:")


@dataclass(frozen=True)
class Silence:
    """A mute of everything, of a category or of a type. `until` None = not muted; FOREVER = until undone."""

    until: datetime | Literal["forever"] | None
    category: Category | None = None
    type_key: str = ""

    @property
    def key(self) -> tuple[int | None, str]:
        return (self.category.pk if self.category else None, self.type_key)

    @property
    def subject(self) -> str:
        if self.category:
            return f"mute:category:{self.category.key}"
        return f"mute:type:{self.type_key}" if self.type_key else "mute:all"


@dataclass(frozen=True)
class Wish:
    """A field of `User` about when and how often (preferences.timing); with `member`, one entry of it. Empty = none."""

    name: str
    value: Any
    member: str = ""

    @property
    def subject(self) -> str:
        return f"{self.name}:{self.member}" if self.member else self.name


def set_preference(
    user: User,
    *,
    category: Category | None = None,
    channel: str = "",
    enabled: bool | None,
    source: str,
    actor: str,
    ip: str = "",
    agent: str = "",
    wording: str = "",
    pointer: str = "",
) -> bool:
    """Write one choice; return whether anything changed. Raises LockedPreference with `pointer`."""
    choice = Choice(enabled, category, channel, pointer)
    return apply(user, choices=[choice], origin=Origin(source, actor, ip, agent, wording)) > 0


def mute(
    user: User,
    *,
    category: Category | None = None,
    type_key: str = "",
    until: datetime | None = None,
    source: str,
    actor: str,
    ip: str = "",
    agent: str = "",
) -> bool:
    """Silence everything, a category or a type until a time (None: until undone); return whether anything changed."""
    silence = Silence(until or FOREVER, category, type_key)
    return apply(user, silences=[silence], origin=Origin(source, actor, ip, agent)) > 0


def unmute(
    user: User,
    *,
    category: Category | None = None,
    type_key: str = "",
    source: str,
    actor: str,
    ip: str = "",
    agent: str = "",
) -> bool:
    """End a silence; return whether there was one."""
    return apply(user, silences=[Silence(None, category, type_key)], origin=Origin(source, actor, ip, agent)) > 0


def apply(
    user: User,
    *,
    choices: Sequence[Choice] = (),
    silences: Sequence[Silence] = (),
    wishes: Sequence[Wish] = (),
    origin: Origin,
    replace: bool = False,
) -> int:
    """Write many choices, silences and wishes of one person in one transaction; return how many things changed.

    `replace`: what is not named is forgotten too. What is as it was writes nothing. Of two about one thing the later
    counts. Raises LockedPreference naming every refused cell, and then nothing is written.
    """
    with transaction.atomic():
        # One writer per person: two requests at once leave a ledger in which each line follows from the one before.
        locked = User.objects.select_for_update(no_key=True).only("pk", *WISHES).get(pk=user.pk)
        lines = _write_choices(user, choices, replace) + _write_silences(user, silences, replace)
        lines += _write_wishes(locked, wishes, replace)
        ConsentRecord.objects.bulk_create(_record(user.pk, *line, origin) for line in lines)
    return len(lines)


def note(users: Iterable[User], *, subject: str, old: str, new: str, origin: Origin) -> None:
    """Write a line into each person's ledger about what changed for them elsewhere, in the caller's transaction."""
    note_each([(user.pk, subject, old, new) for user in users], origin=origin)


def note_each(lines: Iterable[tuple[int, str, str, str]], *, origin: Origin) -> None:
    """Write many (user's key, subject, old, new) as `note` does. One query for any number of them."""
    ConsentRecord.objects.bulk_create(_record(*line, origin) for line in lines)


def refusals(user: User, choices: Sequence[Choice]) -> list[Fault]:
    """Return a fault for every choice that would turn a required channel off. A no from before the lock may stay."""
    stored = Preference.objects.filter(user=user, enabled=False).values_list("category_id", "channel")
    return _refusals(choices, set(stored))


def _refusals(choices: Sequence[Choice], off: set[tuple[int | None, str]]) -> list[Fault]:
    return [
        Fault(choice.pointer, "locked_preference", f"{choice.category.name} always uses {choice.channel}.")
        for choice in choices
        if choice.enabled is False
        and choice.category is not None
        and choice.channel in choice.category.required_channels
        and choice.key not in off
    ]


Line = tuple[str, str, str]  # subject, old, new


def _write_choices(user: User, choices: Sequence[Choice], replace: bool) -> list[Line]:
    stored = {(row.category_id, row.channel): row for row in user.preferences.select_related("category")}
    if refused := _refusals(choices, {key for key, row in stored.items() if not row.enabled}):
        raise LockedPreference(errors=refused)
    wanted = {choice.key: choice for choice in choices}
    if replace:
        unnamed = {key: Choice(None, row.category, row.channel) for key, row in stored.items()}
        wanted = unnamed | wanted
    new, gone, lines = [], [], []
    for key, choice in wanted.items():
        row = stored.get(key)
        old = row.enabled if row else None
        if old is choice.enabled:
            continue
        lines.append((choice.subject, _yes_no(old), _yes_no(choice.enabled)))
        gone += [row.pk] if row else []
        if choice.enabled is not None:
            new.append(Preference(user=user, category=choice.category, channel=choice.channel, enabled=choice.enabled))
    if gone:
        Preference.objects.filter(pk__in=gone).delete()
    Preference.objects.bulk_create(new)
    return lines


def _write_silences(user: User, silences: Sequence[Silence], replace: bool) -> list[Line]:
    stored = {(row.category_id, row.type_key): row for row in user.mutes.select_related("category")}
    wanted = {silence.key: silence for silence in silences}
    if replace:
        unnamed = {key: Silence(None, row.category, row.type_key) for key, row in stored.items()}
        wanted = unnamed | wanted
    now = clock.now() if wanted else None
    new, gone, lines = [], [], []
    for key, silence in wanted.items():
        row = stored.get(key)
        old = (row.until or FOREVER) if row else None
        # A time that has passed silences nothing: it is the same as none.
        until = None if isinstance(silence.until, datetime) and now and silence.until <= now else silence.until
        if old == until:
            continue
        lines.append((silence.subject, _time(old), _time(until)))
        gone += [row.pk] if row else []
        if until is not None:
            ends = until if isinstance(until, datetime) else None
            new.append(Mute(user=user, category=silence.category, type_key=silence.type_key, until=ends))
    if gone:
        Mute.objects.filter(pk__in=gone).delete()
    Mute.objects.bulk_create(new)
    return lines


def _write_wishes(user: User, wishes: Sequence[Wish], replace: bool) -> list[Line]:
    """Set the fields on the locked row. `replace` empties what is not named."""
    before = {name: getattr(user, name) for name in WISHES}
    after = {name: type(value)() for name, value in before.items()} if replace else dict(before)
    for wish in wishes:
        if wish.member:
            rest = {key: value for key, value in after[wish.name].items() if key != wish.member}
            after[wish.name] = rest | ({wish.member: wish.value} if wish.value else {})
        else:
            after[wish.name] = wish.value
    changed = [name for name in WISHES if after[name] != before[name]]
    if changed:
        for name in changed:
            setattr(user, name, after[name])
        user.save(update_fields=changed)
    return [line for name in changed for line in _wish_lines(name, before[name], after[name])]


def _wish_lines(name: str, old: Any, new: Any) -> list[Line]:
    if name not in _BY_MEMBER:
        return [(name, timing.words(name, old)[:_TOLD], timing.words(name, new)[:_TOLD])]
    members = sorted(key for key in old.keys() | new.keys() if old.get(key) != new.get(key))
    return [(f"{name}:{key}", old.get(key) or "unset", new.get(key) or "unset") for key in members]


def _record(user_pk: int, subject: str, old: str, new: str, origin: Origin) -> ConsentRecord:
    return ConsentRecord(
        user_id=user_pk,
        subject=subject,
        old=old,
        new=new,
        source=origin.source,
        actor=origin.actor[:_ACTOR],  # "user:" and the longest id are longer, and nobody is to be kept from stopping
        ip=origin.ip,
        agent=origin.agent[:_AGENT],
        wording=origin.wording,
    )


def _yes_no(enabled: bool | None) -> str:
    return {True: "yes", False: "no", None: "unset"}[enabled]


def _time(until: datetime | Literal["forever"] | None) -> str:
    if isinstance(until, datetime):
        return until.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
    return until or "unset"
