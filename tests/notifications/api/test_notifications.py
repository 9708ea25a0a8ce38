import uuid

import pytest

from notifications.models import Notification
from preferences.channels import CHANNELS
from tests import flow


@pytest.fixture(autouse=True)
def _ready(ada, typed, outbox_accounts):
    pass


def test_a_delivered_notification_shows_decisions_deliveries_and_timeline(shop, body):
    sent = shop.send(body).json()
    flow.run_until_idle()

    answer = shop.get(sent["links"]["self"]).json()

    assert answer["status"] == "completed"
    assert (answer["user_id"], answer["type"], answer["metadata"]) == ("ada", "ORDER_CONFIRMATION", {"trace": "x"})
    by_channel = {delivery["channel"]: delivery for delivery in answer["deliveries"]}
    assert by_channel["email"]["contact_point"] == "a•••@example.com"
    assert by_channel["email"]["status"] == "sent"
    assert by_channel["email"]["provider"] == "outbox"
    assert by_channel["email"]["sent_at"] and by_channel["email"]["attempts"] == 1
    decision = next(decision for decision in answer["decisions"] if decision["channel"] == "email")
    assert decision["allowed"] and decision["rule"] and decision["text"]
    kinds = [
        event["event"] for event in answer["timeline"] if event["delivery_id"] in (None, by_channel["email"]["id"])
    ]
    assert kinds[0] == "accepted" and kinds[-1] == "sent"
    assert "ada@example.com" not in str(answer)


def test_every_channel_is_listed_once_with_what_became_of_it(shop, body):
    sent = shop.send({key: value for key, value in body.items() if key != "channels_preferred"}).json()
    flow.run_until_idle()

    answer = shop.get(sent["links"]["self"]).json()

    outcome = {delivery["channel"]: (delivery["status"], delivery["reason"]) for delivery in answer["deliveries"]}
    assert sorted(outcome) == sorted(CHANNELS) and len(answer["deliveries"]) == len(CHANNELS)
    assert outcome["email"] == ("sent", "") and outcome["in_app"] == ("delivered", "")
    assert outcome["push"] == ("skipped", "no_contact_point")
    assert outcome["sms"] == ("skipped", "opted_out_channel")


def test_a_notification_that_is_not_planned_yet_has_no_decisions(shop, body):
    answer = shop.get(shop.send(body).json()["links"]["self"]).json()

    assert (answer["status"], answer["decisions"], answer["deliveries"]) == ("accepted", [], [])
    assert [event["event"] for event in answer["timeline"]] == ["accepted"]


def test_the_callers_own_id_finds_the_notification_too(shop, body):
    own = str(uuid.uuid4())
    sent = shop.send(body | {"notification_id": own}).json()

    answer = shop.get(f"/api/v1/notifications/{own}").json()

    assert answer["notification_id"] == sent["notification_id"] == own
    assert shop.get(f"/api/v1/notifications/{answer['id']}").json() == answer


def test_what_is_another_callers_or_of_another_mode_is_not_there(shop, shop_testing, stranger, body):
    own = str(uuid.uuid4())
    path = shop.send(body | {"notification_id": own}).json()["links"]["self"]

    for each in (shop_testing, stranger):
        assert each.get(path).status_code == 404
        assert each.get(f"/api/v1/notifications/{own}").status_code == 404
        assert each.get("/api/v1/notifications").json()["results"] == []
        assert each.post(f"{path}/cancel").status_code == 404
    assert Notification.objects.get().status == "accepted"


def test_carillons_own_notifications_are_visible_to_no_key(shop, ada, typed):
    own = Notification.objects.create(user=ada, type=typed, mode="live", priority="HIGH", lane=0, payload={})

    assert shop.get(f"/api/v1/notifications/{own.id}").status_code == 404
    assert shop.get("/api/v1/notifications").json()["results"] == []


@pytest.mark.parametrize("id", ["nothing", "00000000-0000-0000-0000-000000000000"])
def test_an_unknown_id_is_404_as_a_problem(shop, id):
    response = shop.get(f"/api/v1/notifications/{id}")

    assert (response.status_code, response.json()["code"]) == (404, "not_found")
    assert response["Content-Type"] == "application/problem+json"


def test_the_list_is_newest_first_and_pages(shop, body):
    sent = [shop.send(body).json()["notification_id"] for _ in range(5)]
    path = "/api/v1/notifications"

    first = shop.get(path, limit=2).json()
    second = shop.get(path, limit=2, cursor=first["next"]).json()
    third = shop.get(path, limit=2, cursor=second["next"]).json()

    listed = [row["notification_id"] for page in (first, second, third) for row in page["results"]]
    assert listed == sent[::-1]
    assert third["next"] is None


def test_the_list_takes_the_same_queries_for_one_row_and_for_many(shop, body, django_assert_num_queries):
    shop.send(body)
    shop.get("/api/v1/notifications")
    with django_assert_num_queries(1):
        shop.get("/api/v1/notifications")
    for _ in range(4):
        shop.send(body)
    with django_assert_num_queries(1):
        shop.get("/api/v1/notifications")


def test_the_list_narrows(shop, body, bob, weekly_offers):
    first = shop.send(body | {"channels_preferred": ["email"]}).json()
    flow.run_until_idle()
    second = shop.send({"user_id": "bob", "type": "WEEKLY_OFFERS", "payload": {"title": "Offers"}}).json()

    def listed(**filters):
        return [row["notification_id"] for row in shop.get("/api/v1/notifications", **filters).json()["results"]]

    assert listed() == [second["notification_id"], first["notification_id"]]
    assert listed(user_id="ada") == listed(type="ORDER_CONFIRMATION") == [first["notification_id"]]
    assert listed(status="completed") == listed(channel="email") == [first["notification_id"]]
    assert listed(status="accepted") == [second["notification_id"]]
    assert listed(channel="sms") == listed(user_id="nobody") == []
    assert listed(created_after="2020-01-01T00:00:00Z") == listed()
    assert listed(created_after="2100-01-01T00:00:00+02:00") == []


def test_every_faulty_filter_is_named(shop):
    response = shop.get("/api/v1/notifications", status="lost", channel="pigeon", created_after="yesterday")

    assert [error["pointer"] for error in response.json()["errors"]] == ["/status", "/channel", "/created_after"]


@pytest.mark.parametrize(
    "params",
    [
        {"limit": 0},
        {"limit": 201},
        {"limit": "x"},
        {"limit": "²"},
        {"cursor": "garbage"},
        {"cursor": "é"},
        {"cursor": "ImEi"},
        {"cursor": "bnVsbA"},
        {"cursor": "eyJhIjoxfQ"},
    ],
)
def test_a_page_that_nobody_gave_out_is_422(shop, params):
    response = shop.get("/api/v1/notifications", **params)

    assert response.status_code == 422
    assert [error["pointer"] for error in response.json()["errors"]] == [f"/{next(iter(params))}"]


def test_what_is_pending_can_be_cancelled_and_what_has_left_cannot(shop, body):
    waiting, gone = shop.send(body).json()["links"]["self"], None

    response = shop.post(f"{waiting}/cancel")

    assert (response.status_code, response.json()["status"]) == (200, "cancelled")
    assert shop.post(f"{waiting}/cancel").status_code == 409
    gone = shop.send(body).json()["links"]["self"]
    flow.run_until_idle()
    assert shop.post(f"{gone}/cancel").json()["code"] == "already_left"
