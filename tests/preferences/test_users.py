import threading

import pytest
from django.db import connection, connections
from msgspec import UNSET

from preferences import contact_points
from preferences.models import ContactPoint, User
from preferences.users import Upserted, UserFields, upsert, upsert_many
from project.foundation.problems import InvalidRequest, StaffUser

ALL = UserFields("Ada Lovelace", "Ada@Example.com", "+49 89 1234567", "en_gb", "Europe/London", {"plan": "pro"})


def addresses(user: User) -> dict[str, str]:
    return {point.channel: point.address for point in user.contact_points.all()}


def test_a_new_user_is_stored_in_one_form(db):
    user, created = upsert("ada", ALL)

    user = User.objects.get(pk=user.pk)
    assert created
    assert (user.name, user.locale, user.timezone) == ("Ada Lovelace", "en-GB", "Europe/London")
    assert user.attributes == {"plan": "pro"}
    assert addresses(user) == {"email": "Ada@example.com", "sms": "+49891234567", "voice": "+49891234567"}
    assert not user.has_usable_password()


def test_absent_fields_stay_and_null_clears(db):
    upsert("ada", ALL)

    user, created = upsert("ada", UserFields(name=None, phone=None, attributes=None))

    user.refresh_from_db()
    assert not created
    assert (user.name, user.locale, user.attributes) == ("", "en-GB", {})
    assert addresses(user) == {"email": "Ada@example.com"}


def test_a_new_email_replaces_the_earlier_field_and_no_other_address(db):
    user, _ = upsert("ada", UserFields(email="old@example.com"))
    contact_points.add(user, channel="email", address="work@example.com", label="work")
    primary = user.contact_points.get(label="primary")

    upsert("ada", UserFields(email="new@example.com"))

    found = {point.label: (point.pk, point.address) for point in user.contact_points.all()}
    assert found["primary"] == (primary.pk, "new@example.com")
    assert found["work"][1] == "work@example.com"
    assert contact_points.find_users("email", "old@example.com") == []


def test_an_address_they_have_under_another_label_is_not_doubled(db):
    user, _ = upsert("ada", UserFields(email="old@example.com"))
    contact_points.add(user, channel="email", address="work@example.com", label="work")

    upsert("ada", UserFields(email="work@example.com"))

    assert [(point.label, point.address) for point in user.contact_points.all()] == [("work", "work@example.com")]


def test_the_same_email_again_does_not_take_a_disabled_address_back_into_use(db):
    user, _ = upsert("ada", UserFields(email="ada@example.com"))
    contact_points.disable(user.contact_points.get(), reason="bounce")

    upsert("ada", UserFields(email="ada@example.com"))

    assert user.contact_points.get().disabled_reason == "bounce"


def test_declared_attributes_are_kept_in_clear_to_filter_by(db, settings):
    settings.FILTERABLE_ATTRIBUTES = ["plan"]

    user, _ = upsert("ada", UserFields(attributes={"plan": "pro", "salary": 1}))

    user.refresh_from_db()
    assert user.filterable == {"plan": "pro"}
    upsert("ada", UserFields(attributes={"salary": 2}))
    user.refresh_from_db()
    assert (user.filterable, user.attributes) == ({}, {"salary": 2})


@pytest.mark.parametrize(
    ("user_id", "fields", "pointers"),
    [
        ("", UserFields(), {"/user_id"}),
        ("a/b", UserFields(), {"/user_id"}),
        ("..", UserFields(), {"/user_id"}),
        ("bulk", UserFields(), {"/user_id"}),
        (" ada", UserFields(), {"/user_id"}),
        ("a\nb", UserFields(), {"/user_id"}),
        ("a" * 256, UserFields(), {"/user_id"}),
        ("ada", UserFields(name="A\r\nBcc: eve@example.com"), {"/name"}),
        ("ada", UserFields(name="a" * 256), {"/name"}),
        ("ada", UserFields(locale="english please", timezone="Mars/Olympus"), {"/locale", "/timezone"}),
        ("ada", UserFields(timezone="../etc/passwd"), {"/timezone"}),
        ("ada", UserFields(email="nobody", phone="12"), {"/email", "/phone"}),
        ("ada", UserFields(attributes={"x": "y" * 20_000}), {"/attributes"}),
        ("ada", UserFields(attributes={"x" * 101: 1}), {"/attributes"}),
    ],
)
def test_every_fault_is_named_and_nothing_is_stored(db, user_id, fields, pointers):
    with pytest.raises(InvalidRequest) as refused:
        upsert(user_id, fields)

    assert {fault.pointer for fault in refused.value.errors} == pointers
    assert not User.objects.exists()


@pytest.mark.parametrize("user_id", ["ada@example.com", "tenant:42", "ada.l", "Ünïcode", "a b", "?&=%", "👩"])
def test_callers_choose_their_ids_freely(db, user_id):
    assert upsert(user_id, UserFields())[0].user_id == user_id


@pytest.mark.parametrize(
    ("written", "stored"),
    [("de", "de"), ("DE-de", "de-DE"), ("zh_hant_tw", "zh-Hant-TW"), ("sl-rozaj", "sl-rozaj"), ("es-419", "es-419")],
)
def test_a_locale_has_its_usual_spelling(db, written, stored):
    assert upsert("ada", UserFields(locale=written))[0].locale == stored


def test_staff_are_never_changed(grace):
    with pytest.raises(StaffUser):
        upsert("grace", UserFields(name="Eve", email="eve@example.com"))

    grace.refresh_from_db()
    assert grace.name == ""
    assert not ContactPoint.objects.exists()


def test_in_bulk_a_bad_item_spoils_no_other(grace, ada):
    items = [
        ("new", UserFields(name="New")),
        ("bad", UserFields(email="nobody")),
        ("grace", UserFields(name="Eve")),
        ("ada", UserFields(name="Ada King")),
        ("new", UserFields(locale="de")),
    ]

    results = upsert_many(items)

    assert [type(result) for result in results] == [Upserted, InvalidRequest, StaffUser, Upserted, Upserted]
    assert [result.created for result in results if isinstance(result, Upserted)] == [True, False, False]
    assert (User.objects.get(user_id="new").name, User.objects.get(user_id="new").locale) == ("New", "de")
    assert User.objects.get(user_id="ada").name == "Ada King"
    assert not User.objects.filter(user_id="bad").exists()


def test_what_is_as_it_was_is_not_written(ada, django_assert_max_num_queries):
    before = ada.updated_at
    upsert("ada", UserFields(name="Ada Lovelace", timezone="Europe/London"))

    ada.refresh_from_db()
    assert ada.updated_at == before


def test_a_thousand_users_cost_as_many_statements_as_one(db, django_assert_max_num_queries):
    if connection.vendor != "postgresql":
        pytest.skip("SQLite limits the parameters of a statement")
    for round in range(2):
        items = [
            (f"user-{number}", UserFields(f"Name {round}", f"{round}-{number}@example.com", "+15005550006"))
            for number in range(1000)
        ]
        with django_assert_max_num_queries(9):
            assert all(isinstance(result, Upserted) for result in upsert_many(items))
    assert ContactPoint.objects.count() == 3000


@pytest.mark.django_db(transaction=True)
def test_two_calls_that_race_for_one_new_user_both_succeed_and_one_made_it():
    barrier, results = threading.Barrier(6), []

    def call(number: int) -> None:
        try:
            barrier.wait()
            results.append(upsert("new", UserFields(name=f"Name {number}", email=f"{number}@example.com")))
        finally:
            connections.close_all()

    threads = [threading.Thread(target=call, args=[number]) for number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sorted(created for _, created in results) == [False] * 5 + [True]
    user = User.objects.get()
    # One writer won whole: the name and the address belong together.
    assert user.contact_points.get().address == f"{user.name[-1]}@example.com"


@pytest.mark.django_db(transaction=True)
def test_bulk_calls_that_overlap_the_other_way_round_do_not_deadlock():
    ids = [f"user-{number}" for number in range(60)]
    barrier, results = threading.Barrier(4), []

    def call(order: list[str]) -> None:
        try:
            barrier.wait()
            results.extend(upsert_many([(user_id, UserFields(email=f"{user_id}@example.com")) for user_id in order]))
        finally:
            connections.close_all()

    threads = [threading.Thread(target=call, args=[order]) for order in (ids, ids[::-1], ids[30:] + ids[:30], ids)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(results) == 240
    assert sum(result.created for result in results) == 60
    assert ContactPoint.objects.count() == 60


def test_fields_that_were_not_given_are_not_null():
    assert UserFields().name is UNSET


def test_the_same_email_in_another_case_is_respelt_and_stays_what_it_was(db):
    user, _ = upsert("ada", UserFields(email="ada@example.com"))
    contact_points.disable(user.contact_points.get(), reason="bounce")

    upsert("ada", UserFields(email="Ada@Example.com"))

    point = user.contact_points.get()
    assert (point.address, point.disabled_reason) == ("Ada@example.com", "bounce")
    assert contact_points.find_users("email", "ada@example.com") == [user.pk]


def test_an_email_they_have_under_another_label_in_another_case_is_not_doubled(db):
    user, _ = upsert("ada", UserFields(email="old@example.com"))
    contact_points.add(user, channel="email", address="work@example.com", label="work")

    upsert("ada", UserFields(email="Work@example.com"))

    assert [(point.label, point.address) for point in user.contact_points.all()] == [("work", "work@example.com")]
