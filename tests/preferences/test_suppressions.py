import pytest

from preferences import addresses, contact_points, suppressions
from preferences.consent import Origin
from preferences.loading import load_person
from preferences.models import ConsentRecord, Suppression, User
from preferences.suppressions import Reason, Unwanted
from project.foundation.encryption import blind_index

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
