from collections.abc import Callable
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.test import Client
from django.utils import timezone
from pytest_django import Settings

from notifications.inbox.feed import NewItem
from notifications.models import InboxItem
from preferences.models import Category, ConsentRecord, Mute, User
from tests.notifications.inbox.clients import INBOX, at_inbox, post, service

NewItemFor = Callable[..., NewItem]


def test_a_person_reads_their_inbox_newest_first_page_by_page(ada: User, three: list[NewItem]) -> None:
    browser = at_inbox(ada)

    first = browser.get(INBOX, {"limit": 2}).json()
    second = browser.get(INBOX, {"limit": 2, "cursor": first["next"]}).json()

    assert [item["title"] for item in first["results"]] == ["Number 2", "Number 1"]
    assert [item["title"] for item in second["results"]] == ["Number 0"]
    assert (second["next"], second["seq"]) == (None, 3)


def test_an_item_is_as_the_contract_says(ada: User, three: list[NewItem]) -> None:
    item = at_inbox(ada).get(INBOX).json()["results"][0]

    assert set(item) == {
        "id", "seq", "type", "category", "title", "body", "link", "actions", "priority",
        "created_at", "seen_at", "read_at", "archived_at", "snoozed_until", "why",
    }  # fmt: skip
    assert (item["id"], item["category"], item["why"]) == (str(three[2].id), "inbox-shipping", "You ordered something.")
    assert item["created_at"].endswith("Z")


def test_what_changed_since_a_number_comes_oldest_first(ada: User, three: list[NewItem]) -> None:
    browser = at_inbox(ada)
    post(browser, f"{INBOX}/{three[0].id}/archive")

    changed = browser.get(INBOX, {"since": 2}).json()

    assert [(item["title"], item["seq"]) for item in changed["results"]] == [("Number 2", 3), ("Number 0", 4)]
    assert changed["seq"] == 4
    assert browser.get(INBOX, {"since": 4}).json()["results"] == []


def test_counts_answer_several_filters_at_once(ada: User, three: list[NewItem]) -> None:
    browser = at_inbox(ada)
    post(browser, f"{INBOX}/{three[0].id}/read")

    counts = browser.get(
        f"{INBOX}/counts?filter=status:read&filter=status:unread,category:inbox-shipping&filter=category:none"
    ).json()

    assert {name: counts[name] for name in ("unread", "unseen", "total", "seq")} == {
        "unread": 2,
        "unseen": 2,
        "total": 3,
        "seq": 4,
    }
    assert [found["count"] for found in counts["filters"]] == [1, 2, 0]


@pytest.mark.parametrize(
    ("act", "field"),
    [("seen", "seen_at"), ("read", "read_at"), ("archive", "archived_at"), ("clicked", "read_at")],
)
def test_a_mark_answers_with_the_item(ada: User, three: list[NewItem], act: str, field: str) -> None:
    answer = post(at_inbox(ada), f"{INBOX}/{three[0].id}/{act}")

    assert answer.status_code == 200
    assert answer.json()[field] is not None


@pytest.mark.parametrize(("act", "field"), [("seen", "unseen"), ("read", "unread"), ("archive", "total")])
def test_a_mark_of_all_answers_with_the_counts(ada: User, three: list[NewItem], act: str, field: str) -> None:
    answer = post(at_inbox(ada), f"{INBOX}/{act}-all").json()

    assert answer["changed"] == 3
    assert answer["counts"][field] == 0


@pytest.mark.parametrize(
    "path", [*(f"/%s/{act}" for act in ("seen", "read", "unread", "archive", "unarchive", "clicked"))]
)
def test_another_persons_item_is_not_there(ada: User, bob: User, three: list[NewItem], path: str) -> None:
    before = list(InboxItem.objects.values())

    theirs = post(at_inbox(bob), INBOX + path % three[0].id)
    nobodys = post(at_inbox(bob), INBOX + path % uuid4())

    assert (theirs.status_code, theirs.json()["code"]) == (404, "not_found")
    assert nobodys.json()["detail"] == theirs.json()["detail"]
    assert list(InboxItem.objects.values()) == before
    assert post(at_inbox(bob), f"{INBOX}/read-all").json()["changed"] == 0
    assert at_inbox(bob).get(INBOX).json()["results"] == []


def test_muting_a_type_or_a_category_from_an_item_is_on_record(
    ada: User, bob: User, three: list[NewItem], shipping: Category
) -> None:
    until = timezone.now() + timedelta(days=7)

    of_type = post(at_inbox(ada), f"{INBOX}/{three[0].id}/mute", {"scope": "type", "until": until.isoformat()})
    of_category = post(at_inbox(ada), f"{INBOX}/{three[0].id}/mute", {"scope": "category"})
    by_another = post(at_inbox(bob), f"{INBOX}/{three[0].id}/mute", {"scope": "category"})

    assert of_type.json()["key"] == "PARCEL_SENT"
    assert of_category.json() == {"scope": "category", "key": "inbox-shipping", "until": "forever"}
    assert by_another.status_code == 404
    assert Mute.objects.get(user=ada, type_key="PARCEL_SENT").until == until
    assert Mute.objects.get(user=ada, category=shipping).until is None
    assert set(ConsentRecord.objects.values_list("source", "actor")) == {("inbox", "user:inbox-ada")}


@pytest.mark.parametrize(
    ("body", "pointers"),
    [
        ({"scope": "everything", "until": 5}, ["/scope", "/until"]),
        ({"scope": "type", "until": "tomorrow"}, ["/until"]),
        ({"scope": "type", "until": "2020-01-01T00:00:00Z"}, ["/until"]),
        ({"scope": "type", "until": "2099-01-01T00:00:00"}, ["/until"]),
        ({"extra": 1}, ["/extra", "/scope"]),
    ],
)
def test_a_bad_mute_names_its_faults(ada: User, three: list[NewItem], body: Any, pointers: list[str]) -> None:
    answer = post(at_inbox(ada), f"{INBOX}/{three[0].id}/mute", body)

    assert answer.status_code == 422
    assert sorted(fault["pointer"] for fault in answer.json()["errors"]) == pointers
    assert not Mute.objects.exists()


@pytest.mark.parametrize(
    "query",
    [
        "status=new",
        "status=%00",
        "category=%00",
        "since=-1",
        "since=x",
        "since=99999999999999999999",
        "since=²",
        "limit=0",
        "limit=201",
        "limit=x",
        "cursor=%00",
        "cursor=zzz",
        "since=1&cursor=zzz",
    ],
)
def test_a_bad_question_is_a_422(ada: User, three: list[NewItem], query: str) -> None:
    answer = at_inbox(ada).get(f"{INBOX}?{query}")

    assert answer.status_code == 422
    assert answer.json()["errors"]


@pytest.mark.parametrize(
    "query", ["filter=unread", "filter=status:new", "filter=a:b", "&".join(["filter=status:all"] * 21)]
)
def test_a_bad_filter_is_a_422(ada: User, query: str) -> None:
    assert at_inbox(ada).get(f"{INBOX}/counts?{query}").status_code == 422


@pytest.mark.parametrize("query", ["category=none", "category=" + "x" * 3000])
def test_a_category_that_is_not_there_has_nothing(ada: User, three: list[NewItem], query: str) -> None:
    answer = at_inbox(ada).get(f"{INBOX}?{query}")

    assert (answer.status_code, answer.json().get("results")) == (200, [])


def test_snoozing_is_not_available_yet(ada: User, three: list[NewItem]) -> None:
    by_post = post(at_inbox(ada), f"{INBOX}/{three[0].id}/snooze", {"until": "2099-01-01T00:00:00Z"})
    by_list = at_inbox(ada).get(INBOX, {"status": "snoozed"})

    assert [answer.json()["errors"][0]["code"] for answer in (by_post, by_list)] == ["not_available"] * 2


@pytest.mark.parametrize("body", [b"[]", b'{"x": 1}', b'"a"', b'{"x": "\\ud800"}'])
def test_a_mark_takes_no_body_but_an_empty_one(ada: User, three: list[NewItem], body: bytes) -> None:
    answer = at_inbox(ada).post(f"{INBOX}/{three[0].id}/read", body, content_type="application/json")

    assert answer.status_code == 422
    assert not InboxItem.objects.filter(read_at__isnull=False).exists()


def test_a_mark_needs_no_body_at_all(ada: User, three: list[NewItem]) -> None:
    assert at_inbox(ada).generic("POST", f"{INBOX}/{three[0].id}/read").status_code == 200


@pytest.mark.parametrize("header", [None, "Bearer", "Bearer x", "Basic eDp4", "Bearer crl_live_abcdefgh_x"])
def test_without_a_token_or_a_session_nobody_gets_in(db: None, header: str | None) -> None:
    answer = Client(headers={"Authorization": header} if header else {}).get(INBOX)

    assert (answer.status_code, answer["Content-Type"]) == (401, "application/problem+json")
    assert answer["WWW-Authenticate"].startswith("Bearer")


def test_an_api_key_is_no_way_into_an_inbox(ada: User) -> None:
    assert service("read", "users").get(INBOX).status_code == 401


def test_a_token_is_no_api_key(ada: User) -> None:
    assert at_inbox(ada).get("/api/v1/users").status_code == 401
    assert at_inbox(ada).get(f"/api/v1/users/{ada.user_id}/inbox").status_code == 401


def test_a_session_opens_the_inbox_and_its_marks_need_the_csrf_token(ada: User, three: list[NewItem]) -> None:
    browser = Client(enforce_csrf_checks=True)
    browser.force_login(ada)

    listed = browser.get(INBOX)
    refused = post(browser, f"{INBOX}/read-all")
    csrf = {"X-CSRFToken": browser.cookies["csrftoken"].value}
    marked = browser.post(f"{INBOX}/read-all", {}, content_type="application/json", headers=csrf)

    assert len(listed.json()["results"]) == 3
    assert (refused.status_code, refused.json()["code"]) == (403, "forbidden")
    assert marked.json()["changed"] == 3


def test_pages_of_other_origins_get_in_only_where_the_operator_named_them(
    ada: User, three: list[NewItem], settings: Settings
) -> None:
    settings.EMBED_ORIGINS = ["https://shop.example.com"]
    browser = at_inbox(ada)

    asked = Client().options(INBOX, headers={"Origin": "https://shop.example.com"})
    named = browser.get(INBOX, headers={"Origin": "https://shop.example.com"})
    other = browser.get(INBOX, headers={"Origin": "https://evil.example.com"})

    assert asked.status_code == 204
    assert "Authorization" in asked["Access-Control-Allow-Headers"]
    assert named["Access-Control-Allow-Origin"] == "https://shop.example.com"
    assert "Access-Control-Allow-Credentials" not in named
    assert "Access-Control-Allow-Origin" not in other
