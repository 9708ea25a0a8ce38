from typing import Any

import pytest
from django.test import Client

from preferences.models import Category, User
from tests.preferences.pages.conftest import undo

pytestmark = pytest.mark.django_db
URL = "/preferences/digest/"


def stored(user: User) -> tuple[dict[str, str], str]:
    user.refresh_from_db(fields=["digests", "digest_at"])
    return user.digests, user.digest_at


def test_a_category_comes_once_a_day_at_the_hour_chosen(browser: Client, ada: User, offers: Category) -> None:
    browser.post(URL, {"shown": ["offers:off"], "on": ["offers"], "at": "18:00", "at_shown": ""})

    assert stored(ada) == ({"offers": "daily"}, "18:00")
    lines = browser.get("/preferences/").context["digest"]["lines"]
    assert [line.name for line in lines if line.on] == ["Offers"]


def test_only_what_was_moved_is_stored(browser: Client, ada: User, offers: Category, orders: Category) -> None:
    User.objects.filter(pk=ada.pk).update(digests={"orders": "daily"}, digest_at="09:00")

    # As a tab sends it that was opened before the other one turned `orders` on.
    browser.post(URL, {"shown": ["offers:off", "orders:off"], "on": ["offers"], "at": "", "at_shown": ""})

    assert stored(ada) == ({"offers": "daily", "orders": "daily"}, "09:00")


def test_undo_takes_back_the_category_and_the_hour(browser: Client, ada: User, offers: Category) -> None:
    browser.post(URL, {"shown": ["offers:off"], "on": ["offers"], "at": "18:00", "at_shown": ""})

    assert "Undone" in undo(browser)
    assert stored(ada) == ({}, "")


def test_an_hour_set_to_the_minute_by_a_caller_stays_to_be_seen(browser: Client, ada: User) -> None:
    User.objects.filter(pk=ada.pk).update(digest_at="18:30")

    assert "<option selected>18:30</option>" in browser.get("/preferences/").content.decode()


def test_an_unknown_hour_is_refused_beside_its_field(browser: Client, ada: User) -> None:
    response = browser.post(URL, {"at": "25:00", "at_shown": ""})

    assert response.status_code == 422
    assert 'aria-describedby="digest-at-error"' in response.content.decode()
    assert stored(ada) == ({}, "")


@pytest.mark.parametrize(
    "form",
    [
        {"shown": ["gone:off"], "on": ["gone"]},
        {"shown": ["offers:maybe"], "on": ["offers"]},
        {"shown": ["offers"], "on": ["offers"]},
        {"on": ["offers"]},
    ],
)
def test_a_malformed_form_changes_nothing(browser: Client, ada: User, offers: Category, form: dict[str, Any]) -> None:
    assert browser.post(URL, form).status_code == 302
    assert stored(ada) == ({}, "")


@pytest.mark.parametrize("token", ["digest=1", 'digest={"of":1}', 'digest={"of":[["gone","daily"]],"at":"25:00"}'])
def test_a_malformed_undo_changes_nothing(browser: Client, ada: User, token: str) -> None:
    assert browser.post("/preferences/undo/", {"restore": token}).status_code == 302
    assert stored(ada) == ({}, "")
