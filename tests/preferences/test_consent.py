import threading
from datetime import UTC, datetime, timedelta

import pytest
from django.db import DatabaseError, connection, connections, transaction

from preferences import consent, loading
from preferences.consent import Choice, LockedPreference, Origin, Silence
from preferences.models import ConsentRecord, Mute, Preference, User

BY = {"source": "test", "actor": "user:ada"}
ORIGIN = Origin("test", "system")


def ledger(user) -> list[tuple[str, str, str]]:
    return list(ConsentRecord.objects.filter(user=user).order_by("id").values_list("subject", "old", "new"))


def test_each_change_leaves_one_line_that_follows_from_the_one_before(ada, offers):
    for enabled in (False, True, None):
        assert consent.set_preference(ada, category=offers, channel="email", enabled=enabled, **BY)

    assert ledger(ada) == [
        ("category:offers × channel:email", "unset", "no"),
        ("category:offers × channel:email", "no", "yes"),
        ("category:offers × channel:email", "yes", "unset"),
    ]
    assert not Preference.objects.exists()


def test_what_is_as_it_was_leaves_no_line(ada, offers):
    consent.set_preference(ada, category=offers, enabled=False, **BY)

    assert not consent.set_preference(ada, category=offers, enabled=False, **BY)
    assert not consent.set_preference(ada, channel="sms", enabled=None, **BY)
    assert not consent.unmute(ada, **BY)
    assert ledger(ada) == [("category:offers", "unset", "no")]


def test_a_line_says_who_and_how_with_the_address_sealed(ada):
    origin = {"ip": "192.0.2.7", "agent": "x" * 300, "wording": "2026-11"}
    consent.set_preference(ada, channel="email", enabled=False, source="one_click", actor="user:ada", **origin)

    line = ConsentRecord.objects.get()
    assert (line.source, line.actor, line.ip, line.agent, line.wording) == (
        "one_click",
        "user:ada",
        "192.0.2.7",
        "x" * 255,
        "2026-11",
    )


def test_the_longest_user_id_keeps_nobody_from_saying_no(ada):
    consent.set_preference(ada, channel="email", enabled=False, source="one_click", actor=f"user:{'x' * 255}")

    assert ConsentRecord.objects.get().actor == f"user:{'x' * 250}"


def test_a_required_cell_cannot_be_turned_off_and_nothing_else_is_stored_either(ada, orders, offers):
    choices = [
        Choice(False, offers, "email", "/a"),
        Choice(False, orders, "email", "/b"),
        Choice(False, orders, "sms", "/c"),
    ]

    with pytest.raises(LockedPreference) as refused:
        consent.apply(ada, choices=choices, origin=ORIGIN)

    assert [(fault.pointer, fault.code) for fault in refused.value.errors] == [("/b", "locked_preference")]
    assert not Preference.objects.exists()
    assert ledger(ada) == []


def test_a_required_channel_may_be_switched_off_as_a_whole_and_its_category_too(ada, orders):
    assert consent.set_preference(ada, channel="email", enabled=False, **BY)
    assert consent.set_preference(ada, category=orders, enabled=False, **BY)
    assert consent.set_preference(ada, category=orders, channel="email", enabled=True, **BY)


def test_a_no_from_before_the_lock_may_stay_and_be_taken_back(ada, offers):
    consent.set_preference(ada, category=offers, channel="sms", enabled=False, **BY)
    offers.required_channels = ["sms"]
    offers.save()

    assert not consent.set_preference(ada, category=offers, channel="sms", enabled=False, **BY)
    assert consent.set_preference(ada, category=offers, channel="sms", enabled=None, **BY)


def test_replacing_forgets_what_is_not_named_with_a_line_for_each(ada, orders, offers):
    consent.set_preference(ada, category=offers, enabled=False, **BY)
    consent.set_preference(ada, channel="sms", enabled=True, **BY)
    consent.mute(ada, category=orders, **BY)
    before = len(ledger(ada))

    changed = consent.apply(ada, choices=[Choice(True, channel="sms")], origin=ORIGIN, replace=True)

    assert changed == 2
    assert loading.choices(ada.pk) == {("", "sms"): True}
    assert ledger(ada)[before:] == [("category:offers", "no", "unset"), ("mute:category:orders", "forever", "unset")]


def test_mutes_of_everything_a_category_and_a_type_stand_side_by_side(ada, offers):
    until = datetime.now(tz=UTC) + timedelta(hours=1)
    consent.mute(ada, **BY)
    consent.mute(ada, category=offers, until=until, **BY)
    consent.mute(ada, type_key="WEEKLY_OFFERS", **BY)
    consent.mute(ada, type_key="WEEKLY_OFFERS", until=until, **BY)

    assert Mute.objects.count() == 3
    assert [line[0] for line in ledger(ada)] == [
        "mute:all",
        "mute:category:offers",
        "mute:type:WEEKLY_OFFERS",
        "mute:type:WEEKLY_OFFERS",
    ]
    assert ledger(ada)[-1][1] == "forever"


def test_muting_until_a_time_that_has_passed_is_no_mute(ada):
    assert not consent.mute(ada, until=datetime.now(tz=UTC) - timedelta(seconds=5), **BY)
    assert not Mute.objects.exists()


def test_many_changes_cost_as_many_statements_as_one(ada, offers, django_assert_max_num_queries):
    choices = [Choice(False, offers, channel) for channel in ("email", "sms", "push", "web_push", "chat")]

    with django_assert_max_num_queries(11):
        consent.apply(ada, choices=choices, silences=[Silence("forever"), Silence("forever", offers)], origin=ORIGIN)

    assert len(ledger(ada)) == 7


def test_of_two_choices_about_one_thing_the_later_counts(ada):
    consent.apply(ada, choices=[Choice(False, channel="sms"), Choice(True, channel="sms")], origin=ORIGIN)

    assert loading.choices(ada.pk) == {("", "sms"): True}
    assert ledger(ada) == [("channel:sms", "unset", "yes")]


@pytest.mark.django_db(transaction=True)
def test_changes_at_the_same_moment_leave_a_ledger_without_a_gap():
    ada = User.objects.create_user("ada")
    barrier = threading.Barrier(4)

    def toggle(first: bool) -> None:
        try:
            barrier.wait()
            for enabled in (first, None, not first):
                consent.set_preference(ada, channel="email", enabled=enabled, **BY)
        finally:
            connections.close_all()

    threads = [threading.Thread(target=toggle, args=[number % 2 == 0]) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    # Ids of one millisecond may stand in any order, so the lines are followed by what they say.
    lines = [(old, new) for _, old, new in ledger(ada)]
    words = ("unset", "yes", "no")
    surplus = {word: sum(new == word for _, new in lines) - sum(old == word for old, _ in lines) for word in words}
    now = {True: "yes", False: "no", None: "unset"}[loading.choices(ada.pk).get(("", "email"))]
    assert all(old != new for old, new in lines)
    assert surplus == (dict.fromkeys(words, 0) if now == "unset" else {"unset": -1, "yes": 0, "no": 0} | {now: 1})


def test_the_database_itself_refuses_to_change_the_ledger(ada, offers):
    consent.set_preference(ada, category=offers, channel="email", enabled=False, source="api", actor="key:shop")

    with pytest.raises(DatabaseError), transaction.atomic():
        ConsentRecord.objects.update(new="yes")
    if connection.vendor == "postgresql":
        with pytest.raises(DatabaseError), transaction.atomic():
            ConsentRecord.objects.all().delete()
    assert ConsentRecord.objects.get().new == "no"
