import json
from datetime import timedelta

import pytest

from notifications.models import Broadcast, OutboxMessage
from preferences import users
from preferences.models import Topic, TopicSubscription
from preferences.users import UserFields
from tests.flow import run_until_idle
from tests.notifications.api.conftest import pointers, service
from tests.notifications.broadcasts.conftest import crowd

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("outbox_accounts", "_people")]
PATH = "/api/v1/broadcasts"


@pytest.fixture
def _people(ada, bob, by_mail, settings):
    settings.FILTERABLE_ATTRIBUTES = ["plan", "seats", "beta"]


@pytest.fixture
def body():
    return {"type": "WEEKLY_OFFERS", "payload": {"title": "Hello", "body": "All."}, "audience": {"all": True}}


def told():
    return sorted(OutboxMessage.objects.values_list("user__user_id", flat=True))


def test_a_broadcast_is_accepted_and_shown_as_it_goes(shop, body):
    response = shop.post(PATH, body | {"name": "Winter", "priority": "HIGH"})

    assert response.status_code == 202
    answer = response.json()
    assert (answer["status"], answer["total"], answer["name"]) == ("materialising", None, "Winter")
    assert answer["audience"] == {"all": True} and answer["unknown_user_ids"] == []

    run_until_idle()

    shown = shop.get(answer["links"]["self"]).json()
    counts = {name: shown[name] for name in ("total", "planned", "queued", "sent", "failed", "skipped", "cancelled")}
    assert shown["status"] == "completed"
    assert counts == {"total": 2, "planned": 2, "queued": 0, "sent": 2, "failed": 0, "skipped": 0, "cancelled": 0}
    assert [row["id"] for row in shop.get(PATH).json()["results"]] == [answer["id"]]
    assert told() == ["ada", "bob"]


def test_the_idempotency_key_keeps_an_audience_from_being_told_twice(shop, body):
    first = shop.post(PATH, body, Idempotency_Key="once").json()

    assert shop.post(PATH, body, Idempotency_Key="once").json() == first
    assert Broadcast.objects.count() == 1


def test_unknown_ids_are_reported_and_left_out(shop, body):
    response = shop.post(PATH, body | {"audience": {"user_ids": ["ada", "ghost", "ada"]}})

    assert response.status_code == 202
    assert response.json()["unknown_user_ids"] == ["ghost"]
    assert (response.json()["total"], response.json()["audience"]) == (1, {"user_ids": 1})
    run_until_idle()
    assert told() == ["ada"]


def test_a_topic_is_an_audience(shop, body, ada):
    TopicSubscription.objects.create(topic=Topic.objects.create(key="news", name="News"), user=ada)

    shop.post(PATH, body | {"audience": {"topic": "news"}})
    run_until_idle()

    assert told() == ["ada"]


@pytest.mark.parametrize(
    ("wanted", "whom"),
    [
        ({"locale": ["de"]}, ["bob", "dieter"]),
        ({"locale": "de-AT"}, ["dieter"]),
        ({"locale": "en"}, ["ada", "noone"]),
        ({"locale": ["en", "de"], "timezone": "Europe/Berlin"}, ["bob"]),
        ({"timezone": "UTC"}, ["noone"]),
        ({"attributes.plan": "pro"}, ["ada", "dieter"]),
        ({"attributes.plan": ["pro", "free"], "locale": "de"}, ["bob", "dieter"]),
        ({"attributes.seats": 3}, ["dieter"]),
        ({"attributes.beta": True}, ["bob"]),
        ({"attributes.plan": "PRO"}, []),
    ],
)
def test_a_filter_finds_whom_it_says(shop, body, wanted, whom):
    for user_id, fields in {
        "ada": {"attributes": {"plan": "pro", "secret": 1}},
        "bob": {"attributes": {"plan": "free", "beta": True}},
        "dieter": {"locale": "de-AT", "timezone": "Europe/Vienna", "attributes": {"plan": "pro", "seats": 3}},
        "noone": {},
    }.items():
        users.upsert(user_id, UserFields(**fields, email=f"{user_id}@example.net"))

    assert shop.post(PATH, body | {"audience": {"filter": wanted}}).status_code == 202
    run_until_idle()

    assert sorted(set(told())) == whom


@pytest.mark.parametrize(
    ("wrong", "found"),
    [
        ({"audience": {}}, {"/audience": "invalid_value"}),
        ({"audience": {"all": False}}, {"/audience": "invalid_value"}),
        (
            {"audience": {"all": True, "topic": "news"}},
            {"/audience": "invalid_value", "/audience/topic": "unknown_topic"},
        ),
        ({"audience": {"everyone": True}}, {"/audience/everyone": "unknown_field"}),
        ({"audience": {"topic": "nowhere"}}, {"/audience/topic": "unknown_topic"}),
        ({"audience": {"user_ids": []}}, {"/audience/user_ids": "empty_audience"}),
        ({"audience": {"user_ids": ["ghost"]}}, {"/audience/user_ids": "empty_audience"}),
        ({"audience": {"user_ids": ["ada", 7]}}, {"/audience/user_ids/1": "wrong_type"}),
        ({"audience": {"filter": {}}}, {"/audience/filter": "empty_audience"}),
        (
            {"audience": {"filter": {"attributes.secret": 1, "email": "a", "locale": ["de", 7], "timezone": "Mars"}}},
            {
                "/audience/filter/attributes.secret": "unknown_field",
                "/audience/filter/email": "unknown_field",
                "/audience/filter/locale/1": "wrong_type",
                "/audience/filter/timezone": "invalid_timezone",
            },
        ),
        ({"audience": {"filter": {"attributes.plan": []}}}, {"/audience/filter/attributes.plan": "invalid_value"}),
        ({"audience": {"filter": {"attributes.plan": {"$ne": 1}}}}, {"/audience/filter/attributes.plan": "wrong_type"}),
        (
            {"type": "NONE", "payload": {"link": "javascript:1"}},
            {"/type": "unknown_type", "/payload/link": "invalid_link"},
        ),
        ({"payload": {}}, {"/payload/title": "required"}),
        ({"local_time": "25:00"}, {"/local_time": "invalid_value"}),
        ({"local_time": "9:00"}, {"/local_time": "invalid_value"}),
        ({"local_time": 9}, {"/local_time": "wrong_type"}),
        ({"attachments": [{}]}, {"/attachments": "not_available"}),
        ({"send_at": "2999-01-01T00:00:00Z"}, {"/send_at": "invalid_value"}),
        ({"send_at": "tomorrow", "colour": 1}, {"/send_at": "invalid_value", "/colour": "unknown_field"}),
    ],
)
def test_bad_input_is_named_all_at_once(shop, body, wrong, found):
    response = shop.post(PATH, body | wrong)

    assert response.status_code == 422, response.content
    assert pointers(response) == found
    assert not Broadcast.objects.exists()


@pytest.mark.parametrize("count", [10_001, 1_000_000])
def test_too_many_ids_are_refused_with_what_to_do_instead(shop, body, count):
    ids = [f"u{n}" for n in range(count)]
    for headers in ({}, {"Idempotency_Key": "k"}):
        response = shop.post_raw(PATH, json.dumps(body | {"audience": {"user_ids": ids}}).encode(), **headers)

        assert (response.status_code, response.json()["code"]) == (413, "too_large")
        assert "topic" in response.json()["detail"] and "CSV" in response.json()["detail"]


def test_ten_thousand_ids_are_taken(shop, body):
    people = crowd(10_000)

    response = shop.post(PATH, body | {"audience": {"user_ids": [user.user_id for user in people]}})

    assert (response.status_code, response.json()["total"]) == (202, 10_000)


def test_a_broadcast_is_paused_resumed_and_cancelled(shop, body):
    own = shop.post(PATH, body).json()["links"]["self"]

    assert shop.post(f"{own}/pause").json()["status"] == "paused"
    run_until_idle()
    assert told() == []
    assert shop.post(f"{own}/resume").json()["status"] == "materialising"
    assert shop.post(f"{own}/cancel").json()["status"] == "cancelled"
    run_until_idle()
    assert told() == []


@pytest.mark.parametrize("act", ["pause", "resume", "cancel"])
def test_a_finished_broadcast_is_left_alone(shop, body, act):
    own = shop.post(PATH, body).json()["links"]["self"]
    run_until_idle()

    response = shop.post(f"{own}/{act}")

    assert (response.status_code, response.json()["code"]) == (409, "broadcast_state")
    assert shop.get(own).json()["status"] == "completed"


def test_another_caller_and_the_other_mode_see_nothing(shop, shop_testing, stranger, body):
    own = shop.post(PATH, body).json()["links"]["self"]

    for other in (shop_testing, stranger):
        assert other.get(own).status_code == other.post(f"{own}/cancel").status_code == 404
        assert other.get(PATH).json()["results"] == []


def test_a_key_without_the_scope_may_not(caller, body):
    assert service(caller, scopes={"send"}).post(PATH, body).status_code == 403


def test_a_scheduled_broadcast_says_so(shop, body, clock_now):
    later = (clock_now + timedelta(hours=1)).isoformat()

    assert shop.post(PATH, body | {"send_at": later}).json()["status"] == "scheduled"


@pytest.mark.parametrize(
    ("whom", "total", "unknown"),
    [({"all": True}, 2, []), ({"user_ids": ["bob", "nobody"]}, 1, ["nobody"]), ({"filter": {"locale": ["fr"]}}, 0, [])],
)
def test_a_dry_run_counts_the_audience_and_shows_one_rendering(shop, body, whom, total, unknown):
    response = shop.post(f"{PATH}?dry_run=true", body | {"audience": whom})

    assert response.status_code == 200, response.content
    answer = response.json()
    assert (answer["total"], answer["unknown_user_ids"]) == (total, unknown)
    assert (answer["user_id"] is None) == (not total)
    assert bool(answer["content"]) == bool(total)
    if total:
        assert answer["content"]["email"]["subject"] == "Hello"
    run_until_idle()
    assert told() == [] and not Broadcast.objects.exists()


@pytest.mark.parametrize("at", ["09:00\n", "24:00", "9:00", "٠٩:٠٠"])
def test_what_is_no_time_of_day_is_refused(shop, body, at):
    refused = shop.post(PATH, body | {"local_time": at})

    assert refused.status_code == 422
    assert [error["pointer"] for error in refused.json()["errors"]] == ["/local_time"]


def test_a_local_time_is_taken_and_shown(shop, body):
    created = shop.post(PATH, body | {"local_time": "09:00"})

    assert created.status_code == 202, created.content
    assert created.json()["local_time"] == "09:00"
    assert shop.get(f"{PATH}/{created.json()['id']}").json()["local_time"] == "09:00"
    assert Broadcast.objects.get().local_time == "09:00"
