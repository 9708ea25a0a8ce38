from typing import Any

import pytest
from django.test import Client

from notifications.inbox.feed import NewItem
from notifications.models import InboxItem
from preferences.models import User
from tests.notifications.inbox.clients import INBOX, at_inbox, post, service


def test_a_service_reads_a_persons_inbox(ada: User, three: list[NewItem]) -> None:
    post(at_inbox(ada), f"{INBOX}/{three[0].id}/read")
    path = f"/api/v1/users/{ada.user_id}/inbox"

    def titles(client: Client, **query: Any) -> list[str]:
        return [item["title"] for item in client.get(path, query).json()["results"]]

    assert titles(service("read")) == ["Number 2", "Number 1", "Number 0"]
    assert titles(service("read"), is_read="true") == ["Number 0"]
    assert titles(service("read"), is_read="false", limit=1) == ["Number 2"]
    assert service("read").get(path, {"is_read": "yes"}).status_code == 422
    assert service("send").get(path).status_code == 403
    assert service("read").get("/api/v1/users/nobody/inbox").status_code == 404


def test_a_service_lets_a_browser_in(ada: User, three: list[NewItem]) -> None:
    answer = service("users").generic("POST", f"/api/v1/users/{ada.user_id}/tokens")

    assert answer.status_code == 201
    browser = Client(headers={"Authorization": f"Bearer {answer.json()['token']}"})
    assert len(browser.get(INBOX).json()["results"]) == 3


@pytest.mark.parametrize("body", [{"expires_in": 0}, {"expires_in": 3601}, {"expires_in": "1"}, {"sub": "bob"}])
def test_a_bad_lifetime_mints_nothing(ada: User, body: Any) -> None:
    assert post(service("users"), f"/api/v1/users/{ada.user_id}/tokens", body).status_code == 422


def test_nobody_gets_a_token_of_staff(db: None) -> None:
    User.objects.create_superuser("inbox-root")

    answer = post(service("users"), "/api/v1/users/inbox-root/tokens")

    assert (answer.status_code, answer.json()["code"]) == (403, "staff_user")


def test_minting_needs_its_scope_and_a_person(ada: User) -> None:
    assert post(service("read"), f"/api/v1/users/{ada.user_id}/tokens").status_code == 403
    assert post(service("users"), "/api/v1/users/nobody/tokens").status_code == 404
    assert post(service("users"), "/api/v1/users/%00/tokens").status_code == 404


def test_test_mode_never_touches_the_live_inbox(ada: User, three: list[NewItem]) -> None:
    token = post(service("users", mode="test"), f"/api/v1/users/{ada.user_id}/tokens").json()["token"]
    browser = Client(headers={"Authorization": f"Bearer {token}"})

    assert browser.get(INBOX).json() == {"results": [], "next": None, "seq": 0}
    assert browser.get(f"{INBOX}/counts").json()["total"] == 0
    assert post(browser, f"{INBOX}/read-all").json()["changed"] == 0
    assert post(browser, f"{INBOX}/{three[0].id}/read").status_code == 404
    assert service("read", mode="test").get(f"/api/v1/users/{ada.user_id}/inbox").json()["results"] == []
    assert not InboxItem.objects.filter(read_at__isnull=False).exists()
