import pytest

from notifications.models import Delivery
from tests.notifications.api.conftest import pointers, service
from tests.notifications.test_dead_letters import dead

PATH = "/api/v1/dead_letters"
NOBODY = "018f0000-0000-7000-8000-000000000000"


def test_dead_letters_are_listed_without_addresses(shop, ada, order_confirmation):
    letter = dead(ada, order_confirmation)

    answer = shop.get(PATH, channel="email", type="ORDER_CONFIRMATION", error="gave")

    assert answer.status_code == 200
    (found,) = answer.json()["results"]
    assert found["id"] == str(letter.id)
    assert (found["user_id"], found["type"], found["channel"]) == ("ada", "ORDER_CONFIRMATION", "email")
    assert (found["error"], found["attempts"], found["provider"]) == ("451 gave up", 8, None)
    assert "example.com" not in answer.content.decode()
    assert shop.get(PATH, channel="sms").json()["results"] == []


def test_a_key_sees_those_of_its_mode(shop_testing, ada, order_confirmation):
    dead(ada, order_confirmation)

    assert shop_testing.get(PATH).json()["results"] == []


@pytest.mark.parametrize("path", [PATH, f"{PATH}/replay", f"{PATH}/{NOBODY}/replay"])
def test_it_takes_the_scope_admin(caller, path):
    reader = service(caller, scopes=["read", "send"])

    answer = reader.get(path) if path == PATH else reader.post(path, {"filter": {}})
    assert answer.status_code == 403


def test_chosen_ones_are_sent_again(shop, ada, order_confirmation):
    first, second = dead(ada, order_confirmation), dead(ada, order_confirmation)

    answer = shop.post(f"{PATH}/replay", {"ids": [str(first.id), NOBODY]})

    assert (answer.status_code, answer.json()) == (202, {"replayed": 1, "not_found": [NOBODY]})
    assert dict(Delivery.objects.values_list("id", "status")) == {first.id: "queued", second.id: "failed"}


def test_all_that_fit_are_sent_again_at_a_rate(shop, ada, order_confirmation, weekly_offers):
    for _ in range(3):
        dead(ada, order_confirmation)
    dead(ada, weekly_offers)

    answer = shop.post(f"{PATH}/replay", {"filter": {"type": "ORDER_CONFIRMATION"}, "rate": "1/s"})

    assert answer.json()["replayed"] == 3
    due = sorted(Delivery.objects.filter(status="queued").values_list("due_at", flat=True))
    assert (due[-1] - due[0]).total_seconds() == 2


def test_one_is_sent_again_by_its_id(shop, ada, order_confirmation):
    letter = dead(ada, order_confirmation)

    assert shop.post(f"{PATH}/{letter.id}/replay").json() == {"replayed": 1, "not_found": []}
    assert shop.post(f"{PATH}/{letter.id}/replay").status_code == 404


@pytest.mark.parametrize(
    ("body", "found"),
    [
        ({}, {"": "invalid_value"}),
        ({"ids": [NOBODY], "filter": {}}, {"": "invalid_value"}),
        ({"filter": {}, "rate": "fast"}, {"/rate": "invalid_value"}),
        ({"filter": {"channel": "pigeon"}}, {"/filter/channel": "unknown_channel"}),
        ({"filter": {"colour": "red"}}, {"/filter/colour": "unknown_field"}),
    ],
)
def test_bad_requests_replay_nothing(shop, ada, order_confirmation, body, found):
    dead(ada, order_confirmation)

    answer = shop.post(f"{PATH}/replay", body)

    assert answer.status_code == 422
    assert pointers(answer) == found
    assert Delivery.objects.get().status == "failed"


def test_bad_filters_of_the_list_are_named(shop):
    assert pointers(shop.get(PATH, channel="pigeon", created_after="yesterday")) == {
        "/channel": "unknown_channel",
        "/created_after": "invalid_value",
    }
