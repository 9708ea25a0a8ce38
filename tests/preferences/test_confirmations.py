"""Questions to addresses: answered once, in time, by whoever reads the address, and not asked too often."""

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from django.conf import settings as configured
from django.db import connection, transaction
from django.test import override_settings

from preferences import confirmations, contact_points
from preferences.consent import Origin
from preferences.models import AddressConfirmation, ConsentRecord, ContactPoint
from project.foundation import clock

ORIGIN = Origin(source="confirmation", actor="user:ada", ip="192.0.2.1")


@pytest.fixture
def mail(ada) -> ContactPoint:
    return contact_points.propose(ada, channel="email", address="ada@work.example")


@pytest.fixture
def phone(ada) -> ContactPoint:
    return contact_points.propose(ada, channel="sms", address="+493012345678")


def stored(point: ContactPoint) -> ContactPoint:
    return ContactPoint.objects.get(pk=point.pk)


def age(by: timedelta) -> None:
    for row in AddressConfirmation.objects.all():
        row.created_at, row.expires_at = row.created_at - by, row.expires_at - by
        row.save()


def test_a_link_confirms_once_and_leaves_a_line_in_the_ledger(mail):
    token = confirmations.ask(mail).token
    assert confirmations.asked_by_link(token) == mail
    assert stored(mail).disabled_reason == "unconfirmed", "looking changes nothing"

    assert confirmations.confirm_by_link(token, ORIGIN) == mail
    assert confirmations.confirm_by_link(token, ORIGIN) is None

    point = stored(mail)
    assert (point.disabled_at, point.disabled_reason) == (None, "")
    assert point.confirmed_at is not None
    assert point.confirmed_at == point.verified_at
    line = ConsentRecord.objects.get()
    assert (line.subject, line.old, line.new) == ("contact_point:email", "unconfirmed", "confirmed")
    assert (line.source, line.ip) == ("confirmation", "192.0.2.1")


def test_a_link_is_over_after_a_day(mail):
    token = confirmations.ask(mail).token

    age(timedelta(hours=25))

    assert confirmations.asked_by_link(token) is None
    assert confirmations.confirm_by_link(token, ORIGIN) is None
    assert stored(mail).confirmed_at is None


def test_a_new_question_ends_the_one_before(mail):
    first, second = confirmations.ask(mail).token, confirmations.ask(mail).token

    assert confirmations.confirm_by_link(first, ORIGIN) is None
    assert confirmations.confirm_by_link(second, ORIGIN) is not None


def test_a_link_says_nothing_of_an_address_that_was_changed_meanwhile(mail):
    token = confirmations.ask(mail).token

    contact_points.update(mail, address="someone@else.example")

    assert confirmations.asked_by_link(token) is None
    assert confirmations.confirm_by_link(token, ORIGIN) is None
    assert stored(mail).confirmed_at is None


@pytest.mark.django_db
@pytest.mark.parametrize("forged", ["", "x", "a.b.c", "IjAxIg:1uM:AAAA"])
def test_what_we_did_not_sign_opens_nothing(forged):
    assert confirmations.asked_by_link(forged) is None
    assert confirmations.confirm_by_link(forged, ORIGIN) is None


def test_a_link_outlives_a_change_of_the_secret_key(mail):
    token = confirmations.ask(mail).token

    with override_settings(SECRET_KEY="another", SECRET_KEY_FALLBACKS=[configured.SECRET_KEY]):
        assert confirmations.confirm_by_link(token, ORIGIN) is not None


def test_the_right_code_confirms_a_number_for_texts_and_calls(ada, phone):
    call, _ = contact_points.add(ada, channel="voice", address="+493012345678")
    code = confirmations.ask(phone).code
    assert len(code) == 6 and code.isdigit()

    assert confirmations.confirm_by_code(phone, f" {code[:3]} {code[3:]}", ORIGIN)

    assert stored(phone).disabled_at is None
    assert stored(phone).confirmed_at and stored(call).confirmed_at
    assert not confirmations.confirm_by_code(phone, code, ORIGIN), "a code works once"


def test_five_wrong_codes_end_the_right_one(phone):
    code = confirmations.ask(phone).code
    wrong = f"{(int(code) + 1) % 10**6:06}"

    assert not any(confirmations.confirm_by_code(phone, wrong, ORIGIN) for _ in range(5))

    assert not confirmations.confirm_by_code(phone, code, ORIGIN)
    assert confirmations.waiting(phone.user) == {}
    assert stored(phone).confirmed_at is None


def test_the_fifth_try_may_be_the_right_one(phone):
    code = confirmations.ask(phone).code
    for wrong in ("", "abc", "１２３４５６", "0" * 7):
        assert not confirmations.confirm_by_code(phone, wrong, ORIGIN)

    assert confirmations.confirm_by_code(phone, code, ORIGIN)


def test_a_code_is_over_after_ten_minutes(phone):
    code = confirmations.ask(phone).code

    age(timedelta(minutes=10, seconds=1))

    assert not confirmations.confirm_by_code(phone, code, ORIGIN)


def test_a_code_is_kept_as_a_hash_that_is_another_one_for_every_question(ada, phone, monkeypatch):
    monkeypatch.setattr(confirmations.secrets, "randbelow", lambda below: 42)
    other = contact_points.propose(ada, channel="sms", address="+493087654321")

    codes = {confirmations.ask(phone).code, confirmations.ask(other).code}

    assert codes == {"000042"}
    hashes = {bytes(kept) for kept in AddressConfirmation.objects.values_list("code_hash", flat=True)}
    assert len(hashes) == 2
    assert all(b"000042" not in kept for kept in hashes)


def test_an_address_is_asked_three_times_an_hour_whoever_asks(ada, bob, mail):
    theirs = contact_points.propose(bob, channel="email", address="Ada@work.example")
    for point in (mail, mail, theirs):
        confirmations.ask(point)

    for point in (mail, theirs):
        with pytest.raises(confirmations.AskedTooOften):
            confirmations.ask(point)

    age(timedelta(hours=1))
    assert confirmations.ask(theirs).token


def test_a_person_asks_ten_times_an_hour_whichever_address(ada):
    points = [contact_points.propose(ada, channel="email", address=f"ada{n}@example.com") for n in range(11)]
    for point in points[:10]:
        confirmations.ask(point)

    with pytest.raises(confirmations.AskedTooOften):
        confirmations.ask(points[10])


def test_removing_an_address_and_adding_it_again_asks_it_no_more_often(ada):
    for _ in range(3):
        point = contact_points.propose(ada, channel="email", address="bob@example.com")
        token = confirmations.ask(point).token
        contact_points.remove(point)

    with pytest.raises(confirmations.AskedTooOften):
        confirmations.ask(contact_points.propose(ada, channel="email", address="bob@example.com"))
    assert confirmations.asked_by_link(token) is None
    assert confirmations.confirm_by_link(token, ORIGIN) is None


def test_a_person_who_removes_each_address_asks_no_more_of_them(ada):
    for number in range(10):
        point = contact_points.propose(ada, channel="sms", address=f"+4930123456{number:02}")
        confirmations.ask(point)
        contact_points.remove(point)

    with pytest.raises(confirmations.AskedTooOften):
        confirmations.ask(contact_points.propose(ada, channel="sms", address="+493012345699"))


def test_what_a_service_sets_needs_no_confirmation_to_be_used(ada, mail, api):
    status, answer = api("POST", "/users/ada/contact_points", {"channel": "email", "address": "ada@work.example"})

    assert (status, answer["disabled_at"], answer["confirmed_at"]) == (200, None, None)
    assert answer["verified_at"] is not None


def test_what_a_service_names_as_the_persons_own_address_is_in_use(ada, mail, api):
    assert api.get("/users/ada")["email"] is None, "typed, not confirmed: not theirs yet"

    api("PUT", "/users/ada", {"email": "ada@work.example"})

    assert api.get("/users/ada")["email"] == "ada@work.example"
    assert stored(mail).disabled_at is None


def test_an_address_that_was_only_typed_finds_nobody(ada, mail):
    assert contact_points.find_users("email", "ada@work.example") == []

    confirmations.confirm_by_link(confirmations.ask(mail).token, ORIGIN)

    assert contact_points.find_users("email", "ada@work.example") == [ada.pk]


def test_another_address_has_to_be_confirmed_anew(ada, api):
    point, _ = contact_points.add(ada, channel="email", address="ada@example.com", label="primary")
    contact_points.confirm(point, now=clock.now())

    api("PUT", "/users/ada", {"email": "ada@new.example"})

    assert stored(point).address == "ada@new.example"
    assert stored(point).confirmed_at is None


def test_a_typed_address_that_nobody_confirms_is_forgotten_after_a_week(ada, mail, phone):
    known, _ = contact_points.add(ada, channel="email", address="ada@example.com")
    contact_points.disable(known, reason="by_person")
    confirmations.ask(mail)

    confirmations.forget_before(clock.now() + timedelta(days=6))
    assert ContactPoint.objects.count() == 3

    confirmations.forget_before(clock.now() + timedelta(days=7, seconds=1))
    assert [*ContactPoint.objects.all()] == [known]
    confirmations.forget_before(clock.now() + timedelta(days=8, seconds=1))
    assert not AddressConfirmation.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_an_address_that_is_typed_anew_while_old_ones_are_forgotten_stays(ada, mail):
    if connection.vendor != "postgresql":
        pytest.skip("SQLite has one writer at a time: there is no race to lose")
    ContactPoint.objects.update(disabled_at=clock.now() - timedelta(days=8))
    typed, forgotten = threading.Event(), threading.Event()

    def type_it_anew():
        try:
            with transaction.atomic():
                contact_points.propose(ada, channel="email", address="ada@work.example")
                typed.set()
                forgotten.wait(2)
        finally:
            connection.close()

    with ThreadPoolExecutor(1) as pool:
        done = pool.submit(type_it_anew)
        assert typed.wait(10)
        confirmations.forget_before(clock.now())
        forgotten.set()
        done.result()

    assert stored(mail).disabled_at > clock.now() - timedelta(minutes=1)
