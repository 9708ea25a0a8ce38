import pytest

from preferences.models import Topic, TopicSubscription, User

PATH = "/topics/news/subscribers"


@pytest.fixture
def news(db):
    return Topic.objects.create(key="news", name="News")


def subscribers(api):
    return [row["user_id"] for row in api.get(PATH)["results"]]


def test_a_topic_is_made_and_renamed(api):
    assert api("PUT", "/topics/news", {"name": "News"})[0] == 201
    status, answer = api("PUT", "/topics/news", {"name": "Newest"})

    assert (status, answer["key"], answer["name"], answer["subscribers"]) == (200, "news", "Newest", 0)
    assert api.get("/topics/news")["name"] == "Newest"
    assert [row["key"] for row in api.get("/topics")["results"]] == ["news"]


def test_a_topic_without_a_name_is_called_by_its_key(api):
    assert api("PUT", "/topics/news")[1]["name"] == "news"


def test_people_join_and_leave_and_ids_that_nobody_has_are_reported(api, ada, bob, news):
    assert api("POST", PATH, {"user_ids": ["ada", "ghost", "bob", "ada", "ghost"]}) == (
        200,
        {"changed": 2, "unknown_user_ids": ["ghost"]},
    )
    assert subscribers(api) == ["bob", "ada"]
    assert api.get("/topics/news")["subscribers"] == 2

    assert api("DELETE", PATH, {"user_ids": ["ada", "ghost"]}) == (
        200,
        {"changed": 1, "unknown_user_ids": ["ghost"]},
    )
    assert subscribers(api) == ["bob"]


def test_joining_twice_is_joining_once(api, ada, news):
    api("POST", PATH, {"user_ids": ["ada"]})

    assert api("POST", PATH, {"user_ids": ["ada"]})[1] == {"changed": 0, "unknown_user_ids": []}
    assert TopicSubscription.objects.count() == 1


def test_subscribers_come_in_pages(api, news):
    people = [User.objects.create_user(f"user-{n}") for n in range(5)]
    api("POST", PATH, {"user_ids": [user.user_id for user in people]})

    first = api.get(f"{PATH}?limit=3")
    rest = api.get(f"{PATH}?limit=3&cursor={first['next']}")

    listed = [row["user_id"] for row in first["results"] + rest["results"]]
    assert sorted(listed) == [user.user_id for user in people] and rest["next"] is None


@pytest.mark.slow
def test_ten_thousand_join_in_one_call(api, news):
    User.objects.bulk_create([User(user_id=f"user-{n}", password="!") for n in range(10_000)])
    ids = [f"user-{n}" for n in range(10_000)]

    assert api("POST", PATH, {"user_ids": ids})[1]["changed"] == 10_000
    assert api.faults("POST", PATH, {"user_ids": [*ids, "one more"]}) == {"/user_ids": "too_long"}


@pytest.mark.parametrize("method", ["GET", "POST", "DELETE"])
def test_a_topic_that_is_not_there_is_not_found(api, method):
    body = None if method == "GET" else {"user_ids": []}

    assert api(method, PATH, body)[0] == 404


def test_bad_input_is_named(api, news):
    assert api.faults("PUT", "/topics/a b", {"name": "", "colour": "red"}) == {
        "/key": "invalid_key",
        "/name": "too_short",
        "/colour": "unknown_field",
    }
    assert api.faults("POST", PATH, {}) == {"/user_ids": "required"}
    assert api.faults("POST", PATH, {"user_ids": [1]}) == {"/user_ids/0": "wrong_type"}


def test_a_key_without_the_scope_may_not(api_that_only_sends, news):
    assert api_that_only_sends("POST", PATH, {"user_ids": []})[0] == 403
