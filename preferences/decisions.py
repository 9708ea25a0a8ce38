"""May this person be told this, on this channel? Pure: facts in, a verdict with its deciding rule out.

The first rule that answers wins:
1 erased, suppressed, disabled · 2 required · 3 muted · 4 category_channel · 5 category · 6 channel ·
7 preferred · 8 category_default · 9 channel_default. A missing or unconfirmed address is asked last.
`docs/decisions.md` says it in plain words.

What is made for everybody who is told something are structs, as frozen as dataclasses can be, at a tenth of their cost.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from msgspec import Struct, field
from msgspec.structs import replace

from preferences.channels import CHANNELS
from preferences.quiet_hours import zone_of

ERASED = "erased"  # why nobody may use an address that went with somebody's data
UNCONFIRMED = "unconfirmed"  # why an address is out of use that its owner typed and has not confirmed yet
# Where people type addresses; devices and browsers speak for themselves.
CONFIRMED_BY_OWNERS = ("email", "sms", "voice")
# Why nobody may use an address, to the person who has it.
_SUPPRESSED = {
    "bounce": "Messages to your {} came back, so nothing more is sent to it.",
    "complaint": "A message to your {} was reported as unwanted, so nothing more is sent to it.",
    "stop": "You asked us to stop, so nothing is sent to your {}.",
    "erased": "Your {} was erased here, so nothing is sent to it.",
}


class ContactPointFacts(Struct, frozen=True, gc=False):
    """One address as the decision and the send need it."""

    id: UUID
    channel: str
    address: str
    usable: bool = True  # neither disabled nor suppressed
    suppressed: str = ""  # why nobody may use the address ("bounce", "stop", …)
    disabled_reason: str = ""  # why this contact point is out of use
    verified: bool = True  # by its owner, who answered what was sent to it
    secret: str = ""  # webhook only

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.id!r}, {self.channel!r})"  # neither the address nor what signs


class Muted(Struct, frozen=True, gc=False):
    """One silence: of everything, of a category, or of a type. `until` None = until undone."""

    category: str = ""
    type_key: str = ""
    until: datetime | None = None


class Person(Struct, frozen=True, gc=False, eq=False):
    """All that is known of one user when something is to be sent."""

    pk: int
    user_id: str
    name: str = ""
    locale: str = ""
    timezone: str = ""
    attributes: Mapping[str, Any] = field(default_factory=dict)
    erased: bool = False
    # Explicit choices by (category key, channel); "" as category: the whole channel, "" as channel: the whole category.
    choices: Mapping[tuple[str, str], bool] = field(default_factory=dict)
    mutes: tuple[Muted, ...] = ()
    contact_points: tuple[ContactPointFacts, ...] = ()
    # When, how often and where first, as preferences.timing stores it.
    quiet_hours: Mapping[str, Any] = field(default_factory=dict)
    frequency_caps: tuple[Mapping[str, Any], ...] = ()
    channel_priority: tuple[str, ...] = ()
    digests: Mapping[str, str] = field(default_factory=dict)
    digest_at: str = ""
    link_generation: int = 0  # settings links of earlier ones are dead
    made_of: Any = None  # what it was read from, by which `preferences.loading.look_again` knows it

    def address(self, channel: str) -> str:
        """Return the first address that may be used on a channel, or ""."""
        return next((point.address for point in self.contact_points if point.channel == channel and point.usable), "")

    def but(self, **changes: Any) -> "Person":
        """Return this person with other values, made of nothing that was stored."""
        return replace(self, **{"made_of": None} | changes)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Person) and _known_of(self) == _known_of(other)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.pk!r}, {self.user_id!r})"  # neither the name nor the attributes


class CategoryFacts(Struct, frozen=True):
    """What a category says about channels."""

    key: str
    name: str
    required: frozenset[str] = frozenset()
    defaults: Mapping[str, bool] = field(default_factory=dict)
    urgent: bool = False  # breaks through quiet hours
    double_opt_in: bool = False  # only to addresses that their owner has confirmed, where people type them
    gathers_overflow: bool = True  # what a frequency cap stops goes into the daily digest, and is not dropped


class Facts(Struct, frozen=True, gc=False):
    """One person, one thing to tell them, one moment."""

    person: Person
    category: CategoryFacts
    now: datetime
    type_key: str = ""
    preferred: tuple[str, ...] = ()  # the message's channels_preferred
    asks: UUID | None = None  # the one contact point that the message asks whether its owner wants it used


class Verdict(Struct, frozen=True, gc=False):
    """The answer and the rule that gave it."""

    allowed: bool
    rule: str
    source: str  # whose word it rests on: "person", "category", "channel", "message", "address", "erasure"
    reason: str  # of a skip, as history keeps it; "" when allowed
    text: str  # a sentence for the person


def decide(facts: Facts, channel: str) -> Verdict:
    """Return the verdict for a channel as a whole: allowed when at least one contact point may be used."""
    verdicts = [verdict for _, verdict in decide_each(facts, channel)]
    return next((verdict for verdict in verdicts if verdict.allowed), verdicts[0])


def decide_each(facts: Facts, channel: str) -> list[tuple[ContactPointFacts | None, Verdict]]:
    """Return the verdict for each contact point of a channel; (None, …) where there is none or none is needed.

    A suppressed or disabled address never silences the person's others. Disabled ones (dead tokens pile up) are
    listed only when the person has nothing else on that channel.
    """
    points = [point for point in facts.person.contact_points if point.channel == channel]
    points = [point for point in points if point.id == facts.asks] if facts.asks else points
    live = [point for point in points if not point.disabled_reason] or points
    return [(point, decide_one(facts, channel, point)) for point in live] or [(None, decide_one(facts, channel, None))]


def decide_one(facts: Facts, channel: str, contact_point: ContactPointFacts | None) -> Verdict:
    """Return the verdict for one contact point; None: the channel has no addresses, or the person has none on it.

    Consent is asked before a missing address, so that an opt-out is told as an opt-out.
    """
    if facts.person.erased:
        return Verdict(False, "erased", "erasure", "erased", "This account was erased.")
    if facts.asks and contact_point is not None and contact_point.id == facts.asks and _may_be_asked(contact_point):
        return Verdict(True, "asked_for", "person", "", "This address was to be confirmed.")
    if contact_point is not None and not (contact_point.usable or _waiting(contact_point)):
        return _unusable(contact_point)
    verdict = consent(facts, channel)
    if verdict.allowed and contact_point is None and CHANNELS[channel].addressed:
        text = f"You have no {CHANNELS[channel].address} on file."
        return Verdict(False, "no_contact_point", "address", "no_contact_point", text)
    if verdict.allowed and contact_point is not None and _unconfirmed(facts, verdict, contact_point):
        address, name = CHANNELS[channel].address, facts.category.name
        text = f"You have not confirmed your {address}, so nothing of {name} is sent there."
        return Verdict(False, "unconfirmed_address", "address", "unconfirmed_address", text)
    return verdict


def consent(facts: Facts, channel: str) -> Verdict:
    """Return what the category, the person and the defaults say about a channel, whatever addresses there are."""
    if channel in facts.category.required:
        text = f"You always get {_words(channel)} for {facts.category.name}: this cannot be turned off."
        return Verdict(True, "required", "category", "", text)
    return _muted(facts) or _chosen(facts, channel) or _default(facts, channel)


def _known_of(person: Person) -> list[Any]:
    """Return what is known of a person, whatever it was read from."""
    return [getattr(person, name) for name in Person.__struct_fields__ if name != "made_of"]


def _may_be_asked(point: ContactPointFacts) -> bool:
    """Tell whether the question may go there: also to what was erased, since answering it is opting in again."""
    return point.suppressed in ("", ERASED) and point.disabled_reason in ("", UNCONFIRMED)


def _waiting(point: ContactPointFacts) -> bool:
    """Tell whether nothing is in its way but that its owner has not confirmed it."""
    return not point.suppressed and point.disabled_reason == UNCONFIRMED


def _unconfirmed(facts: Facts, verdict: Verdict, point: ContactPointFacts) -> bool:
    asked = facts.category.double_opt_in and verdict.rule != "required" and point.channel in CONFIRMED_BY_OWNERS
    return _waiting(point) or (asked and not point.verified)


def _unusable(point: ContactPointFacts) -> Verdict:
    address = CHANNELS[point.channel].address
    if point.suppressed:
        text = _SUPPRESSED.get(point.suppressed, "Your {} is blocked, so nothing is sent to it.").format(address)
        return Verdict(False, "suppressed", "address", "suppressed", text)
    text = f"Your {address} is out of use, so nothing is sent to it."
    return Verdict(False, "disabled", "address", "no_contact_point", text)


def _muted(facts: Facts) -> Verdict | None:
    for mute in facts.person.mutes:
        of_this = (
            (not mute.category and not mute.type_key)
            or (mute.category and mute.category == facts.category.key)
            or (mute.type_key and mute.type_key == facts.type_key)
        )
        if of_this and (mute.until is None or mute.until > facts.now):
            return Verdict(False, "muted", "person", "muted", _mute_text(mute, facts))
    return None


def _mute_text(mute: Muted, facts: Facts) -> str:
    what = "all notifications" if not (mute.category or mute.type_key) else "this kind of notification"
    if mute.category:
        what = facts.category.name
    if mute.until is None:
        return f"You paused {what}."
    until = mute.until.astimezone(zone_of(facts.person.timezone))
    return f"You paused {what} until {until.day} {until:%B %Y, %H:%M}."


def _chosen(facts: Facts, channel: str) -> Verdict | None:
    """Rules 4 to 6. Between a whole category and a whole channel, a no beats a yes."""
    choices, category = facts.person.choices, facts.category
    if not choices:
        return None
    cell = choices.get((category.key, channel))
    if cell is not None:
        reason = "" if cell else "opted_out_channel"
        text = f"You turned {_words(channel)} {'on' if cell else 'off'} for {category.name}."
        return Verdict(cell, "category_channel", "person", reason, text)
    whole_category, whole_channel = choices.get((category.key, "")), choices.get(("", channel))
    if whole_category is False:
        return Verdict(False, "category", "person", "opted_out_category", f"You turned off {category.name}.")
    if whole_channel is False:
        return Verdict(False, "channel", "person", "opted_out_channel", f"You turned off {_words(channel)}.")
    if whole_category:
        return Verdict(True, "category", "person", "", f"You turned on {category.name}.")
    if whole_channel:
        return Verdict(True, "channel", "person", "", f"You turned on {_words(channel)}.")
    return None


def _default(facts: Facts, channel: str) -> Verdict:
    """Rules 7 to 9: nobody has chosen."""
    if channel in facts.preferred:
        return Verdict(True, "preferred", "message", "", f"The sender chose {_words(channel)} for this message.")
    allowed, rule, source = CHANNELS[channel].default, "channel_default", "channel"
    if channel in facts.category.defaults:
        allowed, rule, source = facts.category.defaults[channel], "category_default", "category"
    words = f"{'' if allowed else 'no '}{_words(channel)}"
    text = f"By default you get {words} for {facts.category.name}, and you have not chosen otherwise."
    return Verdict(allowed, rule, source, "" if allowed else "opted_out_channel", text)


def _words(channel: str) -> str:
    return CHANNELS[channel].words
