"""Who is told what, as a table: a second reading of docs/decisions.md, which shares nothing with the code it checks.

A case is named in words ("address": "bounced"). The first row whose words all fit answers.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

YES, NO = True, False
Case = Mapping[str, Any]


@dataclass(frozen=True, eq=False)
class Row:
    """One line of the table."""

    fits: Mapping[str, frozenset[Any]]
    answer: bool
    rule: str
    source: str
    reason: str
    sentence: str


@dataclass(frozen=True)
class Channel:
    """What the product's documentation says of a channel."""

    default: bool
    words: str
    address: str  # "" = everybody has it
    confirmed_by: str = "maker"  # "owner": of an address that people type; others are made on the device itself


CHANNELS = {
    "email": Channel(YES, "e-mail", "e-mail address", "owner"),
    "sms": Channel(NO, "SMS", "phone number for SMS", "owner"),
    "push": Channel(YES, "push notifications", "device for push notifications"),
    "web_push": Channel(YES, "browser notifications", "browser for notifications"),
    "in_app": Channel(YES, "notifications in the app", ""),
    "webhook": Channel(NO, "webhooks", "webhook"),
    "chat": Channel(NO, "chat messages", "chat account"),
    "voice": Channel(NO, "voice calls", "phone number for voice calls", "owner"),
}

# What a person has paused → the words for it, where that silences this message now.
SILENT = {
    "everything": "all notifications",
    "everything, for an hour more": "all notifications until 21 November 2026, 20:05",
    "this category": "Offers",
    "this category, for an hour more": "Offers until 21 November 2026, 20:05",
    "this type": "this kind of notification",
    "this type, for an hour more": "this kind of notification until 21 November 2026, 20:05",
    "everything until a second ago, and this type": "this kind of notification",
}
NOT_SILENT = {
    "nothing",
    "everything, until this moment",
    "this category, until a second ago",
    "another category",
    "another type",
}

_COLUMNS = ("erased", "address", "required", "paused", "cell", "category", "channel", "preferred", "default")
_ADDRESS_ROWS = {
    "bounced": "Messages to your {address} came back, so nothing more is sent to it.",
    "complained": "A message to your {address} was reported as unwanted, so nothing more is sent to it.",
    "stopped": "You asked us to stop, so nothing is sent to your {address}.",
    "forgotten": "Your {address} was erased here, so nothing is sent to it.",
    "forbidden": "Your {address} is blocked, so nothing is sent to it.",
}


def row(answer: bool, rule: str, source: str, reason: str, sentence: str, **fits: Any) -> Row:
    sets = {name: frozenset(value) if isinstance(value, set) else frozenset({value}) for name, value in fits.items()}
    assert set(fits) <= {*_COLUMNS, "usually", "opt_in", "confirmed_by"}
    return Row(sets, answer, rule, source, reason, sentence)


PRECEDENCE = [
    # 1. An address that cannot be used, or a person who is gone.
    row(NO, "erased", "erasure", "erased", "This account was erased.", erased=True),
    *(row(NO, "suppressed", "address", "suppressed", text, address=why) for why, text in _ADDRESS_ROWS.items()),
    row(
        NO,
        "disabled",
        "address",
        "no_contact_point",
        "Your {address} is out of use, so nothing is sent to it.",
        address="dead",
    ),
    # 3. What must reach people does.
    row(YES, "required", "category", "", "You always get {words} for Offers: this cannot be turned off.", required=YES),
    # 4. Silence.
    *(row(NO, "muted", "person", "muted", f"You paused {what}.", paused=when) for when, what in SILENT.items()),
    # 5. The person's word for this category on this channel.
    row(YES, "category_channel", "person", "", "You turned {words} on for Offers.", cell=YES),
    row(NO, "category_channel", "person", "opted_out_channel", "You turned {words} off for Offers.", cell=NO),
    # 6 and 7. The person's word for the category, and for the channel: a no of either beats a yes of either.
    row(NO, "category", "person", "opted_out_category", "You turned off Offers.", category=NO),
    row(NO, "channel", "person", "opted_out_channel", "You turned off {words}.", channel=NO),
    row(YES, "category", "person", "", "You turned on Offers.", category=YES),
    row(YES, "channel", "person", "", "You turned on {words}.", channel=YES),
    # What this message asks for goes before defaults, and before nothing else.
    row(YES, "preferred", "message", "", "The sender chose {words} for this message.", preferred="this channel"),
    # 8. and 9. Defaults.
    row(YES, "category_default", "category", "", "By default you get {words} for Offers, {otherwise}", default=YES),
    row(
        NO,
        "category_default",
        "category",
        "opted_out_channel",
        "By default you get no {words} for Offers, {otherwise}",
        default=NO,
    ),
    row(YES, "channel_default", "channel", "", "By default you get {words} for Offers, {otherwise}", usually=YES),
    row(
        NO,
        "channel_default",
        "channel",
        "opted_out_channel",
        "By default you get no {words} for Offers, {otherwise}",
        usually=NO,
    ),
]
# What may go out is asked last whether there is an address, and whether it is its owner's.
_NOT_CONFIRMED = "You have not confirmed your {address}, so nothing of Offers is sent there."
_UNCONFIRMED = (NO, "unconfirmed_address", "address", "unconfirmed_address", _NOT_CONFIRMED)
LAST = [
    row(NO, "no_contact_point", "address", "no_contact_point", "You have no {address} on file.", address="none"),
    row(*_UNCONFIRMED, address="waiting"),
    row(*_UNCONFIRMED, address="unverified", opt_in=True, required=False, confirmed_by="owner"),
]


def answer(case: Case) -> Row:
    """Return the row that decides a case. Its words: `_COLUMNS` and those of its channel and category."""
    found = next(row for row in PRECEDENCE if _fits(row, case))
    return next((row for row in LAST if _fits(row, case)), found) if found.answer else found


def sentence(row: Row, channel: str) -> str:
    """Return what the person reads."""
    said = CHANNELS[channel]
    return row.sentence.format(words=said.words, address=said.address, otherwise="and you have not chosen otherwise.")


def judged(addresses: tuple[str, ...]) -> list[str]:
    """Return which of a person's addresses on a channel are judged: those out of use only where there is no other."""
    return [state for state in addresses if state not in {"dead", "waiting"}] or list(addresses) or ["none"]


def _fits(row: Row, case: Case) -> bool:
    return all(case[name] in words for name, words in row.fits.items())
