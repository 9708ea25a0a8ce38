import json
from datetime import UTC, datetime, timedelta, timezone

import pytest
from django.db import IntegrityError, connection, transaction

from preferences.models import Category, User
from project.foundation import bulk
from project.foundation.models import AuditEvent

pytestmark = pytest.mark.django_db


def rows(count):
    return [
        AuditEvent(actor=f"key:{n}", action="a\tb\n\\N", target="täget", detail={"n": n, "quote": '"'}, ip="10.0.0.1")
        for n in range(count)
    ]


def test_inserted_rows_read_back_as_they_were_written():
    bulk.insert(rows(3))

    stored = AuditEvent.objects.order_by("actor")
    assert [(row.action, row.target, row.detail, row.ip) for row in stored] == [
        ("a\tb\n\\N", "täget", {"n": n, "quote": '"'}, "10.0.0.1") for n in range(3)
    ]


def test_inserting_nothing_does_nothing(django_assert_num_queries):
    with django_assert_num_queries(0):
        bulk.insert([])
        assert bulk.update([], ["actor"]) == 0


def test_an_insert_costs_the_same_statements_for_any_number(django_assert_max_num_queries):
    with django_assert_max_num_queries(1):
        bulk.insert(rows(500))

    assert AuditEvent.objects.count() == 500


def test_an_update_writes_the_named_fields_alone():
    bulk.insert(rows(2))
    changed = list(AuditEvent.objects.order_by("actor"))
    for row in changed:
        row.action, row.target, row.detail = "changed", "not written", {"new": [1, None]}

    assert bulk.update(changed, ["action", "detail"]) == 2

    assert {(row.action, row.target, str(row.detail)) for row in AuditEvent.objects.all()} == {
        ("changed", "täget", "{'new': [1, None]}")
    }


@pytest.mark.parametrize(
    "targets", [['"', "two", "{a,b}"], ["back\\slash", "", "NULL"], ["tab\t", "line\n", "a,b"], ['","', '"', ""]]
)
def test_an_update_writes_texts_as_they_are(targets):
    bulk.insert(rows(3))
    changed = list(AuditEvent.objects.order_by("actor"))
    for row, row.target in zip(changed, targets, strict=True):
        row.detail = {"target": row.target}

    bulk.update(changed, ["target", "detail"])

    stored = AuditEvent.objects.order_by("actor").values_list("target", "detail")
    assert list(stored) == [(target, {"target": target}) for target in targets]


def test_an_update_leaves_alone_what_has_changed_meanwhile():
    bulk.insert(rows(2))
    first, second = AuditEvent.objects.order_by("actor")
    AuditEvent.objects.filter(pk=second.pk).update(target="taken by another")

    first.action = second.action = "changed"
    assert bulk.update([first, second], ["action"], only_where=["target"]) == 1

    second.refresh_from_db()
    assert second.action != "changed"


def test_nulls_times_and_booleans_survive_an_update():
    users = [User.objects.create_user(f"u{n}") for n in range(2)]
    moment = datetime(2026, 1, 2, 3, 4, 5, 678901, tzinfo=UTC)
    users[0].erased_at, users[1].erased_at = moment, None
    users[0].is_active, users[1].name = False, "Zoë"

    bulk.update(users, ["erased_at", "is_active", "name"])

    fresh = {user.user_id: user for user in User.objects.all()}
    assert (fresh["u0"].erased_at, fresh["u0"].is_active) == (moment, False)
    assert (fresh["u1"].erased_at, fresh["u1"].is_active, fresh["u1"].name) == (None, True, "Zoë")


def test_an_update_of_many_rows_is_one_statement_on_postgresql(django_assert_num_queries):
    if connection.vendor != "postgresql":
        pytest.skip("SQLite updates row by row")
    bulk.insert(rows(300))
    changed = list(AuditEvent.objects.all())

    with django_assert_num_queries(1):
        bulk.update(changed, ["action"])


def test_json_lists_are_written_whole():
    category = Category.objects.create(key="orders", name="Orders", required_channels=["email"])
    category.required_channels = ["email", "sms"]

    bulk.update([category], ["required_channels"])

    category.refresh_from_db()
    assert category.required_channels == ["email", "sms"]


def test_rows_are_kept_as_django_itself_would_keep_them():
    """So that whatever else reads or compares the column finds what it expects."""
    moment = datetime(2026, 1, 2, 3, 4, 5, tzinfo=timezone(timedelta(hours=2)))
    one, two = [User(user_id=f"u{n}", name="Zoë", erased_at=moment, attributes={"plan": None}) for n in range(2)]
    bulk.insert([one])
    two.save()

    columns = "name IS NULL, locale, erased_at, is_active, is_staff, last_login, password"
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {columns} FROM preferences_user ORDER BY user_id")
        first, second = cursor.fetchall()
    assert first == second
    assert User.objects.get(user_id="u0").attributes == {"plan": None}


def test_a_key_that_exists_is_refused():
    bulk.insert([Category(pk=900, key="one", name="One")])
    with pytest.raises(IntegrityError), transaction.atomic():
        bulk.insert([Category(pk=900, key="two", name="Two")])


@pytest.mark.parametrize("alike", ["100 %s", "%", "a\tb", "\\N", "back\\slash", "", "a\nb\r"])
def test_a_text_that_all_rows_share_is_kept_as_it_is(alike):
    bulk.insert([AuditEvent(actor=f"key:{n}", action=alike, target=alike) for n in range(3)])

    assert set(AuditEvent.objects.values_list("action", "target")) == {(alike, alike)}


def test_json_values_that_are_merely_equal_are_told_apart():
    given = [{"n": 1}, {"n": True}, {"n": 1.0}]

    bulk.insert([AuditEvent(actor=str(n), action="a", target="t", detail=d) for n, d in enumerate([*given, given[0]])])

    stored = AuditEvent.objects.order_by("actor").values_list("detail", flat=True)
    assert [repr(detail["n"]) for detail in stored] == ["1", "True", "1.0", "1"]


def test_rows_of_which_the_first_and_the_last_alone_are_alike_read_back_as_they_were_written():
    targets, ips = ["one", "two", "one"], ["10.0.0.1", "", "10.0.0.1"]

    bulk.insert([AuditEvent(actor="a", action=str(n), target=targets[n], ip=ips[n]) for n in range(3)])

    assert list(AuditEvent.objects.order_by("action").values_list("target", "ip")) == list(
        zip(targets, ips, strict=True)
    )


def test_rows_that_are_alike_in_everything_are_all_written():
    bulk.insert([AuditEvent(actor="a", action="b", target="c", detail={"n": 1}) for _ in range(3)])

    stored = AuditEvent.objects.values_list("actor", "action", "target", "detail")
    assert list(stored) == [("a", "b", "c", {"n": 1})] * 3


@pytest.mark.parametrize(
    "details",
    [
        [{"n": 1}, ["two"], {}],
        [bulk.Json('{"n":1}'), {"n": 2}, "three", 4.5],
        [{"back": "\\"}, {"tab": "\t"}],
        [{None: 1}, {True: 2}],
    ],
)
def test_values_of_several_kinds_are_written_side_by_side(details):
    bulk.insert([AuditEvent(actor=str(n), action="a", target="t", detail=each) for n, each in enumerate(details)])

    stored = AuditEvent.objects.order_by("actor").values_list("detail", flat=True)
    assert list(stored) == [json.loads(each if type(each) is bulk.Json else json.dumps(each)) for each in details]


def test_sealed_values_of_many_rows_are_each_sealed_by_themselves():
    names = ["Ada", "", "Zoë \\ \t", "Ada"]
    bulk.insert([User(user_id=f"u{n}", name=name, attributes={"n": n}) for n, name in enumerate(names)])

    stored = User.objects.order_by("user_id")
    assert [(row.name, row.attributes) for row in stored] == [(name, {"n": n}) for n, name in enumerate(names)]
    with connection.cursor() as cursor:
        cursor.execute("SELECT name FROM preferences_user")
        assert len({bytes(name) for (name,) in cursor.fetchall()}) == len(names)
