import uuid
from datetime import UTC, datetime, timedelta, timezone

import pytest

from notifications.models import Delivery, InboxItem, Notification
from preferences.models import ContactPoint, FrequencyCount, User
from tests.notifications.api.conftest import pointers, service


@pytest.fixture(autouse=True)
def _ready(ada, typed):
    pass


def test_a_send_is_accepted_and_answered_with_what_was_stored(shop, body):
    response = shop.send(body)

    assert response.status_code == 202
    answer = response.json()
    stored = Notification.objects.get()
    assert answer == {
        "notification_id": str(stored.id),
        "status": "accepted",
        "user_id": "ada",
        "type": "ORDER_CONFIRMATION",
        "priority": "HIGH",
        "mode": "live",
        "created_at": answer["created_at"],
        "send_at": None,
        "links": {"self": f"/api/v1/notifications/{stored.id}"},
    }
    assert stored.payload == body["payload"]
    assert stored.channels_preferred == ["email", "sms"]
    assert stored.occurred_at.isoformat() == "2026-11-21T18:05:00+00:00"
    assert stored.metadata == {"trace": "x"}
    assert stored.caller == shop.key.caller
    assert shop.get(answer["links"]["self"]).json()["notification_id"] == answer["notification_id"]


def test_the_old_address_is_the_same_view(shop, body):
    response = shop.send(body, path="/api/notifications/send")

    assert response.status_code == 202


def test_a_test_key_makes_test_notifications(shop_testing, body):
    assert shop_testing.send(body).json()["mode"] == "test"
    assert Notification.objects.get().mode == "test"


def test_the_person_in_the_body_is_stored_with_the_notification(shop, body):
    response = shop.send(body | {"user_id": "dora", "user": {"email": "dora@example.com", "name": "Dora"}})

    assert response.status_code == 202, response.content
    assert Notification.objects.get().user == User.objects.get(user_id="dora")
    assert ContactPoint.objects.get(user__user_id="dora", channel="email").address == "dora@example.com"


def test_faults_of_the_person_point_into_user_and_nobody_is_stored(shop, body):
    response = shop.send(body | {"user_id": "dora", "user": {"email": "nonsense", "timezone": "Mars/Base"}})

    assert set(pointers(response)) == {"/user/email", "/user/timezone"}
    assert not User.objects.filter(user_id="dora").exists()


def test_staff_cannot_be_changed_by_a_send(shop, body):
    User.objects.create_user("root", is_staff=True)

    response = shop.send(body | {"user_id": "root", "user": {"email": "evil@example.com"}})

    assert (response.status_code, response.json()["code"]) == (403, "staff_user")
    assert not Notification.objects.exists()


def test_send_at_and_expires_at_are_kept_in_utc(shop, body):
    berlin = (datetime.now(tz=UTC) + timedelta(days=2)).replace(microsecond=0).astimezone(timezone(timedelta(hours=2)))

    response = shop.send(
        body | {"send_at": berlin.isoformat(), "expires_at": (berlin + timedelta(hours=1)).isoformat()}
    )

    assert response.json()["status"] == "scheduled"
    assert response.json()["send_at"] == berlin.astimezone(UTC).isoformat().replace("+00:00", "Z")
    stored = Notification.objects.get()
    assert (stored.send_at, stored.due_at) == (berlin, berlin)
    assert stored.expires_at == berlin + timedelta(hours=1)


def test_expiring_before_it_begins_is_a_fault(shop, body):
    tomorrow, later = datetime.now(tz=UTC) + timedelta(days=1), datetime.now(tz=UTC) + timedelta(days=2)

    response = shop.send(body | {"send_at": later.isoformat(), "expires_at": tomorrow.isoformat()})
    assert pointers(response) == {"/expires_at": "invalid_value"}
    response = shop.send(body | {"expires_at": "2020-01-01T00:00:00Z"})
    assert pointers(response) == {"/expires_at": "invalid_value"}
    response = shop.send(body | {"send_at": (later + timedelta(days=800)).isoformat()})
    assert pointers(response) == {"/send_at": "invalid_value"}


def test_the_same_notification_id_is_answered_alike_and_sends_once(shop, body):
    body["notification_id"] = str(uuid.uuid4())
    first = shop.send(body)

    second = shop.send(body | {"timestamp": "2026-11-21T18:06:00Z"})

    assert (first.status_code, second.status_code) == (202, 202)
    assert second.json() == first.json()
    assert second["Idempotent-Replayed"] == "true"
    assert "Idempotent-Replayed" not in first
    assert Notification.objects.count() == 1


def test_the_same_notification_id_with_another_body_is_refused(shop, body):
    body["notification_id"] = str(uuid.uuid4())
    shop.send(body)

    response = shop.send(body | {"priority": "LOW"})

    assert (response.status_code, response.json()["code"]) == (422, "idempotency_key_reused")


def test_a_repeat_does_not_bring_back_what_a_person_was(shop, body):
    body |= {"notification_id": str(uuid.uuid4()), "user": {"name": "Ada the First"}}
    shop.send(body)
    User.objects.filter(user_id="ada").update(name="Ada the Second")

    assert shop.send(body)["Idempotent-Replayed"] == "true"

    assert User.objects.get(user_id="ada").name == "Ada the Second"


def test_a_repeat_is_answered_even_when_it_could_not_be_accepted_any_more(shop, body, typed):
    body["notification_id"] = str(uuid.uuid4())
    first = shop.send(body)
    typed.schema = {"type": "object", "required": ["other"]}
    typed.save()

    assert shop.send(body).json() == first.json()


def test_two_callers_may_use_the_same_notification_id(shop, stranger, body):
    body["notification_id"] = str(uuid.uuid4())

    assert shop.send(body).json() != stranger.send(body).json()


@pytest.mark.parametrize(
    "link",
    [
        "javascript:alert(1)",
        "JavaScript:alert(1)",
        "data:text/html,x",
        "/order",
        "https://",
        "ftp://x/y",
        "http://[",
        " https://a.b",
        "https://a b",
    ],
)
def test_a_link_must_be_safe_to_follow(shop, body, link):
    body["payload"]["link"] = link

    assert pointers(shop.send(body)) == {"/payload/link": "invalid_link"}


def test_declared_app_schemes_are_links_and_javascript_never_is(shop, body, settings):
    settings.LINK_SCHEMES = ["myshop", "javascript"]

    body["payload"]["link"] = "myshop://order/1"
    assert shop.send(body).status_code == 202
    body["payload"]["link"] = "javascript:alert(1)"
    assert shop.send(body).status_code == 422


def test_what_is_not_built_is_refused_and_never_ignored(shop, body):
    assert pointers(shop.send(body | {"digest_key": "k"})) == {"/digest_key": "not_available"}
    assert shop.send(body | {"digest_key": None}).status_code == 202


def test_a_dry_run_tells_nobody(shop, body):
    response = shop.post("/api/v1/notifications/send?dry_run=true", body | {"user": {"name": "Ada Lovelace"}})

    assert response.status_code == 200, response.content
    answer = response.json()
    rules = {each["channel"]: (each["allowed"], each["rule"]) for each in answer["decisions"]}
    assert rules == {"email": (True, "required"), "sms": (True, "preferred")}
    assert set(answer["content"]) == {"email", "sms"} and answer["content"]["email"]["subject"]
    assert answer["cost"] == {"messages": {"email": 1, "sms": 1}, "sms_segments": 1}
    assert User.objects.get(user_id="ada").name != "Ada Lovelace"
    assert not Delivery.objects.exists() and not InboxItem.objects.exists()
    assert not Notification.objects.exists()


def test_a_send_takes_a_constant_number_of_queries(shop, body, django_assert_max_num_queries):
    shop.send(body)
    with django_assert_max_num_queries(8):
        assert shop.send(body).status_code == 202


def test_a_key_without_the_scope_is_refused(caller, body):
    reader = service(caller, scopes=["read"])

    response = reader.send(body)

    assert (response.status_code, response.json()["code"]) == (403, "forbidden")


def test_a_dry_run_counts_towards_no_cap_and_obeys_them(shop, body, ada):
    ada.frequency_caps = [{"channel": "sms", "category": None, "max": 1, "per": "week"}]
    ada.save()

    for _ in range(2):
        answer = shop.post("/api/v1/notifications/send?dry_run=1", body).json()
        assert {each["channel"]: each["allowed"] for each in answer["decisions"]} == {"email": True, "sms": True}

    assert not FrequencyCount.objects.exists()
