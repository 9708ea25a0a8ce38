"""The verdicts against a second, independent reading of the precedence: one table, all combinations."""

import itertools
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from preferences.channels import CHANNELS
from preferences.decisions import (
    CategoryFacts,
    ContactPointFacts,
    Facts,
    Muted,
    Person,
    decide,
    decide_each,
    decide_one,
)

NOW = datetime(2026, 11, 21, 18, 5, tzinfo=UTC)
SOON, PAST = NOW + timedelta(hours=1), NOW - timedelta(seconds=1)
TRI = (None, True, False)


def point(number: int = 1, channel: str = "email", **state) -> ContactPointFacts:
    usable = not (state.get("suppressed") or state.get("disabled_reason"))
    return ContactPointFacts(UUID(int=number), channel, f"address-{number}", usable=usable, **state)


def facts(
    channel="email",
    *,
    cell=None,
    whole=None,
    channel_choice=None,
    default=None,
    required=False,
    mutes=(),
    preferred=(),
    **person,
):
    explicit = {("offers", channel): cell, ("offers", ""): whole, ("", channel): channel_choice}
    return Facts(
        person=Person(
            pk=1,
            user_id="ada",
            choices={key: value for key, value in explicit.items() if value is not None},
            mutes=tuple(mutes),
            **{"contact_points": (point(),)} | person,
        ),
        category=CategoryFacts(
            "offers",
            "Offers",
            required=frozenset({channel} if required else ()),
            defaults={} if default is None else {channel: default},
        ),
        now=NOW,
        type_key="WEEKLY_OFFERS",
        preferred=preferred,
    )


def oracle(channel, erased, address, required, muted, cell, whole, channel_choice, preferred, default):
    """Say who decides and what, in the order of the product's documentation, the strongest first."""
    ladder = [
        (erased, "erased", False),
        (address == "suppressed", "suppressed", False),
        (address == "disabled", "disabled", False),
        (required, "required", True),
        (muted, "muted", False),
        (cell is True, "category_channel", True),
        (cell is False, "category_channel", False),
        (whole is False, "category", False),
        (channel_choice is False, "channel", False),
        (whole is True, "category", True),
        (channel_choice is True, "channel", True),
        (preferred, "preferred", True),
        (default is True, "category_default", True),
        (default is False, "category_default", False),
        (channel == "email", "channel_default", True),
        (channel == "sms", "channel_default", False),
    ]
    rule, allowed = next((rule, allowed) for applies, rule, allowed in ladder if applies)
    return ("no_contact_point", False) if allowed and address == "none" else (rule, allowed)


@pytest.mark.parametrize("channel", ["email", "sms"])
def test_every_combination_is_decided_as_the_precedence_says(channel):
    addresses = {
        "good": (point(1, channel),),
        "none": (),
        "suppressed": (point(1, channel, suppressed="bounce"),),
        "disabled": (point(1, channel, disabled_reason="dead_token"),),
    }
    combinations = itertools.product(
        (False, True), addresses, (False, True), (False, True), TRI, TRI, TRI, (False, True), TRI
    )
    seen = set()
    for combination in combinations:
        erased, address, required, muted, cell, whole, channel_choice, preferred, default = combination
        verdict = decide(
            facts(
                channel,
                cell=cell,
                whole=whole,
                channel_choice=channel_choice,
                default=default,
                required=required,
                mutes=[Muted()] if muted else [],
                preferred=(channel,) if preferred else (),
                contact_points=addresses[address],
                erased=erased,
            ),
            channel,
        )
        assert (verdict.rule, verdict.allowed) == oracle(channel, *combination), combination
        assert bool(verdict.reason) is not verdict.allowed
        seen.add(verdict.rule)
    assert len(seen) == 12


@pytest.mark.parametrize(
    ("mute", "silent"),
    [
        (Muted(), True),
        (Muted(until=SOON), True),
        (Muted(until=PAST), False),
        (Muted(until=NOW), False),
        (Muted(category="offers"), True),
        (Muted(category="orders"), False),
        (Muted(type_key="WEEKLY_OFFERS"), True),
        (Muted(type_key="OTHER"), False),
        (Muted(category="offers", until=PAST), False),
    ],
)
def test_a_mute_silences_what_it_names_until_its_time(mute, silent):
    verdict = decide(facts(cell=True, mutes=[mute]), "email")

    assert (verdict.rule == "muted") is silent
    assert verdict.reason == ("muted" if silent else "")


def test_a_mute_is_told_in_the_persons_own_time():
    text = decide(facts(mutes=[Muted(category="offers", until=SOON)], timezone="Europe/Berlin"), "email").text

    assert text == "You paused Offers until 21 November 2026, 20:05."


def test_a_timezone_that_nobody_knows_does_not_stop_the_decision():
    assert decide(facts(mutes=[Muted(until=SOON)], timezone="Mars/Olympus"), "email").rule == "muted"


def test_a_suppressed_address_does_not_silence_the_other_one():
    bad, good = point(1, suppressed="complaint"), point(2)

    both = decide_each(facts(contact_points=(bad, good)), "email")

    assert [(found, verdict.rule, verdict.allowed) for found, verdict in both] == [
        (bad, "suppressed", False),
        (good, "channel_default", True),
    ]
    assert decide(facts(contact_points=(bad, good)), "email").allowed


def test_dead_addresses_are_listed_only_when_there_is_nothing_else():
    dead, good = point(1, disabled_reason="dead_token"), point(2)

    assert [found for found, _ in decide_each(facts(contact_points=(dead, good)), "email")] == [good]
    assert [verdict.rule for _, verdict in decide_each(facts(contact_points=(dead,)), "email")] == ["disabled"]


def test_an_opt_out_without_an_address_is_told_as_an_opt_out():
    verdict = decide(facts(cell=False, contact_points=()), "email")

    assert (verdict.rule, verdict.reason) == ("category_channel", "opted_out_channel")


def test_an_address_on_another_channel_does_not_help():
    verdict = decide(facts(channel_choice=True, contact_points=(point(1, "sms"),)), "email")

    assert verdict.reason == "no_contact_point"


def test_everybody_has_in_app_without_an_address():
    assert decide_each(facts(contact_points=()), "in_app")[0][0] is None
    assert decide(facts(contact_points=()), "in_app").allowed


def test_a_removed_address_is_not_sent_to():
    assert decide_one(facts(), "email", None).rule == "no_contact_point"


@pytest.mark.parametrize("channel", CHANNELS)
def test_without_any_word_the_channels_own_default_applies(channel):
    verdict = decide(facts(contact_points=(point(1, channel),)), channel)

    assert verdict.rule == "channel_default"
    assert verdict.allowed is (channel not in {"sms", "voice", "chat", "webhook"})


def test_every_verdict_has_a_sentence():
    for cell, whole, required in itertools.product(TRI, TRI, (True, False)):
        text = decide(facts(cell=cell, whole=whole, required=required), "email").text
        assert text.endswith(".") and text[0].isupper() and "!" not in text


def test_addresses_are_not_in_what_a_log_would_print():
    assert "address-1" not in repr(facts())
