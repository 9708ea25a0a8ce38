"""Many users at once: what would become of them, and attributes laid over those that are there."""

from preferences import contact_points, suppressions
from preferences.consent import Origin
from preferences.loading import load_person
from preferences.models import User
from preferences.suppressions import Unwanted
from preferences.users import Upserted, UserFields, preview_many, upsert, upsert_many
from project.foundation.problems import InvalidRequest, StaffUser


def said(results):
    return [(each.created, each.changed) if isinstance(each, Upserted) else type(each) for each in results]


def test_what_would_become_of_each_item_is_what_becomes_of_it(grace, ada, django_assert_max_num_queries):
    contact_points.add(ada, channel="email", address="work@example.com", label="work")
    upsert("same", UserFields(name="Same", email="same@example.com"))
    items = [
        ("new", UserFields(name="New")),
        ("new", UserFields(name="Newer")),
        ("bad", UserFields(email="nobody")),
        ("grace", UserFields(name="Eve")),
        ("ada", UserFields(email="work@example.com")),
        ("same", UserFields(name="Same", email="same@example.com")),
    ]

    with django_assert_max_num_queries(3):  # one of them for the clock
        told = said(preview_many(items))

    assert User.objects.filter(user_id="new").count() == 0
    assert told == said(upsert_many(items))
    assert told == [(True, True), (False, True), InvalidRequest, StaffUser, (False, False), (False, False)]
    assert said(preview_many([("ada", UserFields(email="other@example.com"))])) == [(False, True)]


def test_attributes_can_be_laid_over_those_that_are_there(db):
    upsert("ada", UserFields(attributes={"plan": "pro", "city": "Rome"}))

    results = upsert_many(
        [
            ("ada", UserFields(attributes={"city": None, "team": "blue"})),
            ("ada", UserFields(attributes={"shoe": "42"})),
            ("new", UserFields(attributes={"city": None, "plan": "free"})),
        ],
        adds_attributes=True,
    )

    assert said(results) == [(False, True), (False, True), (True, True)]
    assert User.objects.get(user_id="ada").attributes == {"plan": "pro", "team": "blue", "shoe": "42"}
    assert User.objects.get(user_id="new").attributes == {"plan": "free"}


def test_attributes_that_become_too_many_together_are_refused_and_spoil_nobody(db):
    upsert("ada", UserFields(attributes={"a": "x" * 10_000}))
    items = [("ada", UserFields(attributes={"b": "x" * 10_000})), ("bob", UserFields(attributes={"b": "x"}))]

    assert said(preview_many(items, adds_attributes=True)) == [InvalidRequest, (True, True)]
    assert said(upsert_many(items, adds_attributes=True)) == [InvalidRequest, (True, True)]
    assert list(User.objects.get(user_id="ada").attributes) == ["a"]


def test_no_upsert_lifts_a_suppression(db):
    user, _ = upsert("ada", UserFields(email="ada@example.com"))
    unwanted = Unwanted("email", "ada@example.com", "bounce")
    suppressions.suppress([unwanted], origin=Origin(source="admin", actor="staff:grace"))

    upsert_many([("ada", UserFields(email="ada@example.com")), ("bob", UserFields(email="ADA@example.com"))])

    for person in User.objects.all():
        assert [point.usable for point in load_person(person.pk).contact_points] == [False]
