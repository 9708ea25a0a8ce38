"""Every combination of what the precedence looks at, put to the rules and to a table that shares nothing with them."""

import itertools
import random
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from functools import cache
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from preferences.channels import CHANNELS
from preferences.decisions import CategoryFacts, ContactPointFacts, Facts, Muted, Person, decide, decide_each
from preferences.loading import category_facts
from preferences.models import Category
from tests.preferences import precedence

NOW = datetime(2026, 11, 21, 18, 5, tzinfo=UTC)
LATER, EARLIER = NOW + timedelta(hours=1), NOW - timedelta(seconds=1)
TRI = (None, True, False)

PAUSED = {
    "nothing": (),
    "everything": (Muted(),),
    "everything, for an hour more": (Muted(until=LATER),),
    "everything, until this moment": (Muted(until=NOW),),
    "this category": (Muted(category="offers"),),
    "this category, for an hour more": (Muted(category="offers", until=LATER),),
    "this category, until a second ago": (Muted(category="offers", until=EARLIER),),
    "this type": (Muted(type_key="WEEKLY_OFFERS"),),
    "this type, for an hour more": (Muted(type_key="WEEKLY_OFFERS", until=LATER),),
    "another category": (Muted(category="orders"),),
    "another type": (Muted(type_key="OTHER"),),
    "everything until a second ago, and this type": (Muted(until=EARLIER), Muted(type_key="WEEKLY_OFFERS")),
}
STATES = {
    "good": {"usable": True},
    "unverified": {"usable": True, "verified": False},
    "waiting": {"disabled_reason": "unconfirmed", "verified": False},
    "bounced": {"suppressed": "bounce"},
    "complained": {"suppressed": "complaint", "disabled_reason": ""},
    "stopped": {"suppressed": "stop"},
    "forgotten": {"suppressed": "erased"},
    "forbidden": {"suppressed": "operator"},
    "dead": {"disabled_reason": "dead_token"},
}
ADDRESSES = (
    (),
    ("good",),
    ("bounced",),
    ("dead",),
    ("bounced", "good"),
    ("dead", "good"),
    ("dead", "complained"),
)
UNSURE = (("unverified",), ("waiting",), ("waiting", "good"))
PREFERRED = {"nothing": (), "this channel": None, "another channel": ("other",)}
DIMENSIONS = {
    "kind": tuple(Category.Kind.values),
    "urgent": (False, True),
    "opt_in": (False, True),
    "erased": (False, True),
    "addresses": ADDRESSES + UNSURE,
    "required": (False, True),
    "paused": tuple(PAUSED),
    "cell": TRI,
    "category": TRI,
    "channel_choice": TRI,
    "preferred": tuple(PREFERRED),
    "default": TRI,
}
_DECIDING = tuple(DIMENSIONS)[3:]


@cache
def offers(kind: str, urgent: bool, opt_in: bool, channel: str, required: bool, default: bool | None) -> CategoryFacts:
    """Return a category as the rules get it from the row that operators edit."""
    return category_facts(
        Category(
            key="offers",
            name="Offers",
            kind=kind,
            urgent=urgent,
            double_opt_in=opt_in,
            required_channels=[channel] if required else ["another"],
            default_channels={} if default is None else {channel: default},
        )
    )


@cache
def points(channel: str, states: tuple[str, ...]) -> tuple[ContactPointFacts, ...]:
    if not precedence.CHANNELS[channel].address:
        return ()
    made = [(state, STATES[state]) for state in states]
    return tuple(
        ContactPointFacts(
            UUID(int=number),
            channel,
            f"{state}-{number}",
            **{"usable": False} | fields,  # type: ignore[arg-type]
        )
        for number, (state, fields) in enumerate(made)
    )


@cache
def person(
    channel: str,
    erased: bool,
    states: tuple[str, ...],
    paused: str,
    cell: bool | None,
    category: bool | None,
    whole: bool | None,
) -> Person:
    chosen = {("offers", channel): cell, ("offers", ""): category, ("", channel): whole}
    return Person(
        pk=1,
        user_id="ada",
        timezone="Europe/Berlin",
        erased=erased,
        choices={key: value for key, value in chosen.items() if value is not None},
        mutes=PAUSED[paused],
        contact_points=points(channel, states),
    )


def facts_of(channel: str, case: tuple) -> Facts:
    kind, urgent, opt_in, erased, states, required, paused, cell, category, whole, preferred, default = case
    named = PREFERRED[preferred]
    return Facts(
        person=person(channel, erased, states, paused, cell, category, whole),
        category=offers(kind, urgent, opt_in, channel, required, default),
        now=NOW,
        type_key="WEEKLY_OFFERS",
        preferred=(channel,) if named is None else named,
    )


def decided(channel: str, case: tuple) -> list[tuple]:
    """Return what the rules say for each address that is judged."""
    found = decide_each(facts_of(channel, case), channel)
    return [(each.allowed, each.rule, each.source, each.reason, each.text) for _, each in found]


def expected(channel: str, case: tuple) -> list[tuple]:
    """Return what the table says for each address that is judged."""
    _, _, opt_in, erased, states, required, paused, cell, category, whole, preferred, default = case
    words = {
        "erased": erased,
        "required": required,
        "paused": paused,
        "cell": cell,
        "category": category,
        "channel": whole,
        "preferred": preferred,
        "default": default,
        "opt_in": opt_in,
        "usually": precedence.CHANNELS[channel].default,
        "confirmed_by": precedence.CHANNELS[channel].confirmed_by,
    }
    judged = precedence.judged(states) if precedence.CHANNELS[channel].address else ["good"]
    return [_told(precedence.answer(words | {"address": state}), channel) for state in judged]


@cache
def _told(row: precedence.Row, channel: str) -> tuple:
    return row.answer, row.rule, row.source, row.reason, precedence.sentence(row, channel)


def combinations(channel: str) -> Iterator[tuple]:
    """Yield every case of a channel.

    What no rule may look at (kind, urgent) takes turns, out of step with the rest, and so does `opt_in` where it cannot
    matter: its rule looks at addresses alone that nobody has confirmed.
    """
    addressed = bool(precedence.CHANNELS[channel].address)
    states = ADDRESSES + UNSURE if addressed else ((),)
    inert = itertools.cycle(itertools.product(DIMENSIONS["kind"], DIMENSIONS["urgent"], (False, True)))
    turn = random.Random(7)
    for found in itertools.product(*(DIMENSIONS[name] if name != "addresses" else states for name in _DECIDING)):
        for _ in range(turn.randrange(3)):
            next(inert)
        kind, urgent, opt_in = next(inert)
        for asked in (False, True) if found[1] in UNSURE else (opt_in,):
            yield (kind, urgent, asked, *found)


@pytest.mark.slow
def test_every_combination_is_decided_as_the_precedence_says(record_property):
    count, rules = 0, set()
    for channel in CHANNELS:
        for case in combinations(channel):
            told = decided(channel, case)
            assert told == expected(channel, case), dict(zip(DIMENSIONS, case, strict=True)) | {"on": channel}
            rules.update(rule for _, rule, *_ in told)
            count += 1

    record_property("combinations", count)
    print(f"{count:,} combinations")
    assert count >= 1_000_000
    assert rules == {row.rule for row in [*precedence.PRECEDENCE, *precedence.LAST]}


def test_no_pair_or_triple_of_facts_is_left_out():
    """Shown on some of the combinations, drawn at random: all of them hold what these hold."""
    drawn = random.Random(11).sample(list(combinations("email")), 25_000)
    columns = dict(zip(DIMENSIONS, zip(*drawn, strict=True), strict=True))

    for names in itertools.combinations(DIMENSIONS, 3):
        seen = set(zip(*(columns[name] for name in names), strict=True))
        assert seen == set(itertools.product(*(DIMENSIONS[name] for name in names))), names


def test_the_channels_are_those_of_the_documentation():
    assert set(precedence.CHANNELS) == set(CHANNELS)
    assert set(PAUSED) == {*precedence.SILENT, *precedence.NOT_SILENT}


@pytest.mark.parametrize("state", STATES)
def test_every_state_of_an_address_is_told_apart(state):
    case = ("marketing", False, True, False, (state,), False, "nothing", None, None, None, "nothing", None)
    assert decided("sms", case) == expected("sms", case)


# --- What holds whatever the facts are --------------------------------------------------------------------------------

_cases = st.tuples(*(st.sampled_from(values) for values in DIMENSIONS.values()))
_channels = st.sampled_from(list(CHANNELS))


@settings(deadline=None)
@given(_channels, _cases)
def test_the_table_and_the_rules_agree_on_whatever_is_drawn(channel, case):
    assert decided(channel, case) == expected(channel, case)


@settings(deadline=None)
@given(_channels, _cases)
def test_a_default_that_changes_overrides_no_choice(channel, case):
    before = decide(facts_of(channel, case), channel)
    for default in TRI:
        after = decide(facts_of(channel, (*case[:-1], default)), channel)
        if before.source == "person":
            assert after == before


@settings(deadline=None)
@given(_channels, _cases)
def test_naming_a_channel_in_a_message_overrides_no_word_of_a_person(channel, case):
    asked = (*case[:-2], "this channel", case[-1])
    before, after = decide(facts_of(channel, case), channel), decide(facts_of(channel, asked), channel)

    if before.source in {"person", "address", "erasure"} and before.rule != "no_contact_point":
        assert after == before
    assert after.allowed >= before.allowed


@settings(deadline=None)
@given(_channels, _cases, st.lists(st.sampled_from(list(STATES)), max_size=6))
def test_another_address_never_takes_a_message_away(channel, case, more):
    fewer = decide(facts_of(channel, case), channel)
    states = (*case[4], *more)
    after = decide(facts_of(channel, (*case[:4], states, *case[5:])), channel)

    assert after.allowed >= fewer.allowed


@settings(deadline=None)
@given(_channels, _cases)
def test_every_sentence_is_one_that_a_person_can_read(channel, case):
    for _, verdict in decide_each(facts_of(channel, case), channel):
        text = verdict.text
        assert text[0].isupper() and text.endswith(".") and text.count(".") == 1 and len(text) <= 140
        assert not set(text) & set("_!{}*") and "  " not in text
        assert not {"muted", "preference", "suppressed", "opted", "contact point"} & set(text.lower().split())
