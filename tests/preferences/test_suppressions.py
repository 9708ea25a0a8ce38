import threading

import pytest
from django.db import connections

from preferences import addresses, contact_points, suppressions
from preferences.consent import Origin
from preferences.loading import load_person
from preferences.models import ConsentRecord, Suppression, User
from preferences.suppressions import Reason, Unwanted
from project.foundation.encryption import blind_index
from project.foundation.models import AuditEvent

pytestmark = pytest.mark.django_db
PHONE = "+493012345678"
ORIGIN = Origin(source="receipt", actor="account:sms")


@pytest.fixture
def owners(db):
    people = [User.objects.create_user(name) for name in ("ada", "bob")]
    for person in people:
        contact_points.add(person, channel="sms", address=PHONE)
    return people


def suppress(reason, *, channel="sms", address=PHONE):
    return suppressions.suppress([Unwanted(channel, address, reason)], origin=ORIGIN)


def ledger():
    rows = ConsentRecord.objects.order_by("id").values_list("user__user_id", "subject", "old", "new", "actor")
    return [tuple(row) for row in rows]


def test_an_address_that_asked_to_stop_is_used_for_nobody_and_every_owners_ledger_says_so(owners):
    assert suppress(Reason.STOP)

    for person in owners:
        [point] = load_person(person.pk).contact_points
        assert (point.usable, point.suppressed, point.disabled_reason) == (False, "stop", "")
    assert ledger() == [(name, "suppression:sms", "unset", "stop", "account:sms") for name in ("ada", "bob")]


@pytest.mark.parametrize(("reason", "words"), [(Reason.BOUNCE, "bounced"), (Reason.COMPLAINT, "complained")])
def test_a_dead_or_angry_address_is_taken_out_of_use_too(owners, reason, words):
    suppress(reason)

    for person in owners:
        [point] = load_person(person.pk).contact_points
        assert (point.suppressed, point.disabled_reason) == (reason, words)


def test_whoever_has_only_typed_an_address_reads_nothing_of_it_in_their_ledger(owners):
    contact_points.propose(User.objects.create_user("eve"), channel="sms", address=PHONE)

    suppress(Reason.STOP)
    suppressions.lift_by_hand(Suppression.objects.get(), why="mistake", origin=ORIGIN)

    assert sorted({name for name, *_ in ledger()}) == ["ada", "bob"]


def test_suppressing_again_keeps_the_first_reason_and_writes_nothing(owners):
    suppress(Reason.STOP)

    assert suppress(Reason.COMPLAINT) == []
    assert Suppression.objects.get().reason == Reason.STOP
    assert len(ledger()) == 2


def test_an_address_of_nobody_is_suppressed_for_whoever_gets_it_later(db):
    assert suppress(Reason.STOP)

    late, _ = contact_points.add(User.objects.create_user("late"), channel="sms", address=PHONE)
    assert load_person(late.user_id).contact_points[0].suppressed == "stop"
    assert ledger() == []


def test_what_was_suppressed_under_an_older_key_is_known(owners, settings):
    suppress(Reason.STOP)
    settings.BLIND_INDEX_KEYS = {"new": b"n" * 32, **settings.BLIND_INDEX_KEYS}

    assert suppress(Reason.STOP) == []
    assert suppressions.lift("sms", PHONE, reason=Reason.STOP, origin=ORIGIN)
    assert not Suppression.objects.exists()


def test_a_stop_is_lifted_and_a_bounce_is_not(owners):
    suppress(Reason.STOP)
    suppress(Reason.BOUNCE, channel="email", address="ada@example.com")

    assert suppressions.lift("sms", PHONE, reason=Reason.STOP, origin=ORIGIN)
    assert not suppressions.lift("sms", PHONE, reason=Reason.STOP, origin=ORIGIN)
    assert not suppressions.lift("email", "ada@example.com", reason=Reason.STOP, origin=ORIGIN)
    assert Suppression.objects.get().channel == "email"
    assert ledger()[2:] == [(name, "suppression:sms", "stop", "unset", "account:sms") for name in ("ada", "bob")]


def test_only_a_fingerprint_is_kept(owners):
    suppress(Reason.STOP)

    row = Suppression.objects.get()
    assert bytes(row.address_index) == blind_index("sms", addresses.comparable("sms", PHONE))


def test_a_thousand_addresses_cost_as_many_statements_as_one(owners, django_assert_max_num_queries):
    for start in (0, 500):
        batch = [
            Unwanted("email", f"{number}@example.com", (Reason.BOUNCE, Reason.COMPLAINT, Reason.STOP)[number % 3])
            for number in range(start, start + 1000)
        ]
        with django_assert_max_num_queries(14):
            assert len(suppressions.suppress(batch, origin=ORIGIN)) == 1000 - start
    assert Suppression.objects.count() == 1500


def test_an_address_that_is_named_twice_at_once_is_suppressed_once(owners):
    both = [Unwanted("email", spelling, reason) for spelling, reason in (("a@b.org", "bounce"), ("A@b.org", "stop"))]

    assert suppressions.suppress(both, origin=ORIGIN) == both[:1]
    assert Suppression.objects.get().reason == Reason.BOUNCE


def test_what_would_be_news_is_told_beforehand_and_nothing_is_written(owners, django_assert_num_queries):
    suppress(Reason.STOP)
    both = [Unwanted("sms", PHONE, Reason.STOP), Unwanted("email", "ada@example.com", Reason.STOP)]

    with django_assert_num_queries(1):
        assert suppressions.preview(both) == {("email", "ada@example.com")}
    assert Suppression.objects.count() == 1


def test_a_suppression_says_who_made_it_and_how(owners):
    suppress(Reason.STOP)

    row = Suppression.objects.get()
    assert (row.source, row.actor) == ("receipt", "account:sms")


def test_who_stops_a_number_that_bounced_has_stopped_it_when_the_bounce_is_undone(owners):
    suppress(Reason.BOUNCE)

    assert suppress(Reason.STOP)
    assert suppress(Reason.STOP) == []
    assert not lift_by_hand()

    assert Suppression.objects.get().reason == Reason.STOP
    assert [line[2:4] for line in ledger() if line[0] == "ada"] == [
        ("unset", "bounce"),
        ("bounce", "stop"),
        ("bounce", "stop"),
    ]


def test_start_takes_back_a_stop_beside_a_bounce_and_leaves_the_bounce(owners):
    suppress(Reason.BOUNCE)
    suppress(Reason.STOP)

    assert not suppressions.lift("sms", PHONE, reason=Reason.STOP, origin=ORIGIN)

    assert lift_by_hand()
    assert not Suppression.objects.exists()


def test_lifting_by_hand_takes_the_address_back_into_use_and_leaves_its_trail(owners):
    suppress(Reason.BOUNCE)

    assert lift_by_hand()

    for person in owners:
        [point] = load_person(person.pk).contact_points
        assert point.usable
    assert [line[2:] for line in ledger() if line[0] == "bob"][1:] == [("bounce", "unset", "staff:grace")]
    event = AuditEvent.objects.get()
    assert (event.actor, event.action, event.detail["why"]) == ("staff:grace", "suppression.lifted", "works_again")
    assert PHONE not in str(event.detail)


def lift_by_hand():
    origin = Origin(source="admin", actor="staff:grace")
    return suppressions.lift_by_hand(Suppression.objects.get(), why="works_again", origin=origin)


@pytest.mark.django_db(transaction=True)
def test_of_many_that_suppress_one_address_at_once_one_makes_it():
    barrier, results = threading.Barrier(6), []

    def call() -> None:
        try:
            barrier.wait()
            results.append(len(suppress(Reason.STOP)))
        finally:
            connections.close_all()

    threads = [threading.Thread(target=call) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sorted(results) == [0] * 5 + [1]
