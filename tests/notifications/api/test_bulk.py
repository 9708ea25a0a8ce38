import json
import uuid

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from notifications.models import CallerNotificationId, Notification
from preferences.models import User
from tests import steps
from tests.notifications.api.conftest import pointers

PATH = "/api/v1/notifications/bulk"


@pytest.fixture(autouse=True)
def _ready(ada, bob, typed):
    pass


def bulk(shop, items, **headers):
    response = shop.post(PATH, {"items": items}, **headers)
    assert response.status_code == 207, response.content
    return response.json()["results"]


def test_each_item_is_answered_as_a_send_of_its_own_would_be(shop, body):
    results = bulk(shop, [body, body | {"user_id": "bob", "priority": "LOW"}])

    assert [result["index"] for result in results] == [0, 1]
    stored = {str(row.id): row for row in Notification.objects.select_related("user")}
    for result, (user_id, priority) in zip(results, [("ada", "HIGH"), ("bob", "LOW")], strict=True):
        row = stored[result["notification_id"]]
        assert (row.user.user_id, row.priority, row.payload) == (user_id, priority, body["payload"])
        assert (result["status"], result["user_id"], result["mode"]) == (202, user_id, "live")
        assert shop.get(result["links"]["self"]).json()["status"] == "accepted"


def test_a_bad_item_spoils_no_other(shop, body):
    bad = body | {"user_id": "nobody", "type": "NO_SUCH_TYPE"}
    results = bulk(shop, [body, bad, 7, None, {"items": []}, body | {"user_id": "bob"}])

    assert [result["status"] for result in results] == [202, 422, 422, 422, 422, 202]
    assert {fault["pointer"]: fault["code"] for fault in results[1]["errors"]} == {
        "/user_id": "unknown_user",
        "/type": "unknown_type",
    }
    assert Notification.objects.count() == 2


def test_staff_and_bad_people_are_refused_one_by_one(shop, body):
    User.objects.create_superuser("grace", "secret")
    results = bulk(
        shop,
        [
            body | {"user_id": "grace", "user": {"name": "Mallory"}},
            body | {"user_id": "dora", "user": {"email": "not an address"}},
            body | {"user_id": "dora", "user": {"email": "dora@example.com"}},
            body | {"user_id": "dora"},
        ],
    )

    assert [(result["status"], result.get("code")) for result in results] == [
        (403, "staff_user"),
        (422, "invalid_request"),
        (202, None),
        (202, None),
    ]
    assert results[1]["errors"][0]["pointer"] == "/user/email"
    assert Notification.objects.filter(user__user_id="dora").count() == 2


def test_a_notification_id_makes_each_item_safe_to_repeat(shop, body):
    own = str(uuid.uuid4())
    first = bulk(shop, [body | {"notification_id": own}])[0]

    again = bulk(
        shop,
        [
            body | {"notification_id": own, "timestamp": "2027-01-01T00:00:00Z"},
            body | {"notification_id": own, "user_id": "bob"},
            body,
        ],
    )

    assert again[0] == first | {"replayed": True}
    assert (again[1]["status"], again[1]["code"]) == (422, "idempotency_key_reused")
    assert again[2]["status"] == 202
    assert Notification.objects.count() == 2


def test_one_notification_id_twice_in_one_call_is_one_notification(shop, body):
    own = str(uuid.uuid4())
    results = bulk(shop, [body | {"notification_id": own}] * 2 + [body | {"notification_id": own, "user_id": "bob"}])

    assert [result["status"] for result in results] == [202, 202, 422]
    assert results[0]["notification_id"] == results[1]["notification_id"]
    assert Notification.objects.count() == CallerNotificationId.objects.count() == 1


def test_a_repeat_is_answered_although_the_person_has_gone(shop, body):
    item = body | {"notification_id": str(uuid.uuid4())}
    bulk(shop, [item])
    User.objects.filter(user_id="ada").update(user_id="erased")

    assert bulk(shop, [item])[0]["status"] == 202


def test_the_idempotency_key_covers_the_whole_call(shop, body):
    first = shop.post(PATH, {"items": [body, {}]}, Idempotency_Key="k")
    again = shop.post(PATH, {"items": [body, {}]}, Idempotency_Key="k")

    assert again.json() == first.json() and again["Idempotent-Replayed"] == "true"
    assert Notification.objects.count() == 1


@pytest.mark.parametrize(
    ("wrong", "found"),
    [
        ({"items": []}, {"/items": "too_short"}),
        ({"items": [{}] * 1001}, {"/items": "too_long"}),
        ({"items": {}}, {"/items": "wrong_type"}),
        ({}, {"/items": "required"}),
        ({"items": [{}], "atomic": True}, {"/atomic": "unknown_field"}),
    ],
)
def test_a_call_that_is_wrong_as_a_whole_is_refused(shop, wrong, found):
    response = shop.post(PATH, wrong)

    assert response.status_code == 422
    assert pointers(response) == found


def test_a_body_of_ten_megabytes_is_read_and_a_larger_one_refused(shop, body):
    large = body | {"payload": body["payload"] | {"body": "x" * 60_000}}

    assert len(bulk(shop, [large] * 150)) == 150
    assert shop.post(PATH, {"items": [large] * 200}).status_code == 413


def test_a_full_call_costs_the_same_statements_as_a_small_one(shop, body):
    if connection.vendor != "postgresql":
        pytest.skip("SQLite splits long lists")

    def statements(number):
        items = [
            body | {"user_id": f"user-{number}-{n}", "user": {"name": "N"}, "notification_id": str(uuid.uuid4())}
            for n in range(number)
        ]
        with CaptureQueriesContext(
            connection,
        ) as queries:
            assert {result["status"] for result in bulk(shop, items)} == {202}
        return len(queries)

    statements(1)
    assert statements(1000) == statements(10)


def test_one_more_item_costs_no_more_steps_than_it_did(shop, body):
    """Instructions of Python, which no busy machine makes more of: what was counted and a quarter."""
    if connection.vendor != "postgresql":
        pytest.skip("SQLite writes its rows another way")

    def count(number, own_ids):
        own = [{"notification_id": str(uuid.uuid4())} if own_ids else {} for _ in range(number)]
        raw = json.dumps({"items": [body | each for each in own]}).encode()
        answers = []
        found = steps.count(lambda: answers.append(shop.post_raw(PATH, raw, Idempotency_Key=str(uuid.uuid4()))))
        assert {result["status"] for result in answers[0].json()["results"]} == {202}
        return found

    for own_ids, most in [(False, 1520), (True, 1930)]:
        count(50, own_ids)
        assert (count(100, own_ids) - count(50, own_ids)) / 50 <= most


# --- Dry runs --------------------------------------------------------------------------------------------------------


def tried_out(shop, items):
    response = shop.post(f"{PATH}?dry_run=true", {"items": items})
    assert response.status_code == 207, response.content
    return response.json()["results"]


def test_a_dry_run_says_of_each_item_what_a_dry_run_of_its_own_would(shop, body):
    items = [body, body | {"user_id": "bob", "channels_preferred": ["sms"]}]

    results = tried_out(shop, items)

    for index, (item, result) in enumerate(zip(items, results, strict=True)):
        alone = shop.post("/api/v1/notifications/send?dry_run=true", item).json()
        for each in [*alone["decisions"], *result["decisions"]]:
            each["when"] = each["when"] and "a moment"
        assert result == {"index": index, "status": 200} | alone
    assert not Notification.objects.exists()


def test_a_dry_run_stores_nobody_and_a_bad_item_spoils_no_other(shop, body):
    results = tried_out(
        shop,
        [
            body | {"user_id": "dora", "user": {"email": "dora@example.com"}},
            body | {"user_id": "dora"},
            body | {"user_id": "nobody"},
            body | {"user_id": "eve", "user": {"email": "not an address"}},
            7,
        ],
    )

    assert [result["status"] for result in results] == [200, 200, 422, 422, 422]
    assert results[1]["content"]["email"]["subject"], "the person whom the first item brings along has an address"
    assert {fault["pointer"]: fault["code"] for fault in results[2]["errors"]} == {"/user_id": "unknown_user"}
    assert not User.objects.filter(user_id="dora").exists()


def test_a_dry_run_of_many_counts_them_as_if_they_were_sent_together(shop, body, ada, weekly_offers):
    ada.frequency_caps = [{"channel": "email", "category": None, "max": 1, "per": "week"}]
    ada.save()
    offer = body | {"type": "WEEKLY_OFFERS", "channels_preferred": ["email"]}

    for _ in range(2):
        rules = [result["decisions"][0]["rule"] for result in tried_out(shop, [offer, offer])]
        assert rules == ["preferred", "frequency_cap"]


def test_a_dry_run_takes_a_hundred_items(shop, body):
    assert len(tried_out(shop, [body] * 100)) == 100
    refused = shop.post(f"{PATH}?dry_run=true", {"items": [body] * 101})
    assert refused.status_code == 422
    assert pointers(refused) == {"/items": "too_long"}


def test_the_key_of_a_dry_run_does_not_stand_for_the_real_one(shop, body):
    shop.post(f"{PATH}?dry_run=true", {"items": [body]}, Idempotency_Key="k")
    real = shop.post(PATH, {"items": [body]}, Idempotency_Key="k")

    assert (real.status_code, real.json()["code"]) == (422, "idempotency_key_reused")
