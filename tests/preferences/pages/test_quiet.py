from typing import Any

import pytest
from django.test import Client

from preferences import consent
from preferences.consent import Origin, Wish
from preferences.models import ConsentRecord, User
from preferences.quiet_hours import DAYS
from tests.preferences.pages.conftest import undo

pytestmark = pytest.mark.django_db
URL = "/preferences/quiet-hours/"
NIGHTS = {"days": list(DAYS), "from": "22:00", "until": "07:00"}
NOON = {"days": ["sat", "sun"], "from": "12:00", "until": "14:00"}


def stored(user: User) -> dict[str, Any]:
    quiet: dict[str, Any] = User.objects.get(pk=user.pk).quiet_hours
    return quiet


def store(user: User, *weekly: dict[str, Any], timezone: str | None = None) -> None:
    wish = Wish("quiet_hours", {"timezone": timezone, "weekly": list(weekly)})
    consent.apply(user, wishes=[wish], origin=Origin("api", "key:1"))


def add(browser: Client, **fields: Any) -> Any:
    return browser.post(URL, {"do": "add", **NOON, **fields})


def test_a_window_is_added_and_said_in_words(browser: Client, ada: User) -> None:
    assert add(browser).status_code == 302

    assert stored(ada) == {"timezone": None, "weekly": [NOON]}
    page = browser.get("/preferences/")
    assert page.context["saved"] is not None
    (window,) = page.context["quiet"]["windows"]
    assert (window.days, window.start, window.end, window.next_day) == ("Weekend", "12:00", "14:00", False)
    assert ConsentRecord.objects.get().subject == "quiet_hours"


def test_the_nights_are_one_press(browser: Client, ada: User) -> None:
    browser.post(URL, {"do": "nights"})
    browser.post(URL, {"do": "nights"})

    assert stored(ada)["weekly"] == [NIGHTS]
    (window,) = browser.get("/preferences/").context["quiet"]["windows"]
    assert (window.days, window.next_day) == ("Every day", True)


def test_a_window_that_another_tab_has_added_stays(browser: Client, ada: User) -> None:
    store(ada, NIGHTS, timezone="Asia/Tokyo")

    add(browser, timezone="", timezone_shown="")  # as a tab sends it that was opened before

    assert stored(ada) == {"timezone": "Asia/Tokyo", "weekly": [NIGHTS, NOON]}


def test_one_window_is_removed_and_all_are(browser: Client, ada: User) -> None:
    store(ada, NIGHTS, NOON)

    browser.post(URL, {"do": "remove", "window": "sat,sun 12:00 14:00"})
    assert stored(ada)["weekly"] == [NIGHTS]

    browser.post(URL, {"do": "clear"})
    assert stored(ada) == {}


def test_undo_takes_back_one_change_and_no_later_one(browser: Client, ada: User) -> None:
    add(browser)
    restore = browser.get("/preferences/").context["saved"]["restore"]
    browser.post(URL, {"do": "nights"})

    browser.post("/preferences/undo/", {"restore": restore})

    assert stored(ada)["weekly"] == [NIGHTS]


def test_undo_brings_back_what_was_cleared(browser: Client, ada: User) -> None:
    store(ada, NIGHTS, NOON, timezone="Asia/Tokyo")
    before = stored(ada)

    browser.post(URL, {"do": "clear"})
    assert "Undone" in undo(browser)

    assert stored(ada) == before


def test_the_zone_is_the_persons_own_until_they_say_another(browser: Client, ada: User) -> None:
    store(ada, NIGHTS)
    assert "Yours (Europe/London)" in browser.get("/preferences/").content.decode()

    browser.post(URL, {"do": "zone", "timezone": "Asia/Tokyo", "timezone_shown": ""})

    assert stored(ada)["timezone"] == "Asia/Tokyo"


@pytest.mark.parametrize(
    ("fields", "place", "text"),
    [
        ({"from": "25:00"}, "quiet-from-error", "Enter a time from 00:00 to 23:59."),
        ({"until": ""}, "quiet-until-error", "Enter a time from 00:00 to 23:59."),
        ({"days": []}, "quiet-days-error", "Choose at least one day."),
        ({"timezone": "Mars/Olympus", "timezone_shown": ""}, "quiet-zone-error", "This time zone is not known."),
        (
            {"days": list(DAYS), "from": "08:00", "until": "08:00"},
            "quiet-until-error",
            "This would leave no open minute in the week.",
        ),
    ],
)
def test_what_is_wrong_stands_beside_its_field(
    browser: Client, ada: User, fields: dict[str, Any], place: str, text: str
) -> None:
    response = add(browser, **fields)
    page = response.content.decode()

    assert response.status_code == 422
    assert f'id="{place}"' in page
    assert f'aria-describedby="{place}"' in page
    assert text in page.partition(f'id="{place}"')[2].partition("</p>")[0]
    assert text in page.partition('role="alert"')[2].partition("</p>")[0]
    assert stored(ada) == {}


def test_what_was_entered_is_shown_again(browser: Client) -> None:
    page = add(browser, **{"from": "25:00", "until": "09:15"}).content.decode()

    assert 'value="09:15"' in page


def test_the_limit_of_windows_is_said(browser: Client, ada: User) -> None:
    store(
        ada,
        *(
            {"days": ["mon"], "from": f"{hour:02}:00", "until": f"{hour:02}:{half}"}
            for hour in range(14)
            for half in (10, 20)
        ),
    )

    response = add(browser)

    assert response.status_code == 422
    assert "That is too many." in response.content.decode()


@pytest.mark.parametrize("form", [{}, {"do": "nonsense"}, {"do": "remove", "window": "gone"}])
def test_a_malformed_form_changes_nothing(browser: Client, ada: User, form: dict[str, str]) -> None:
    store(ada, NIGHTS)

    assert browser.post(URL, form).status_code == 302
    assert stored(ada)["weekly"] == [NIGHTS]


@pytest.mark.parametrize(
    "token",
    [
        "quiet=1",
        "quiet={}",
        'quiet={"gone":[],"new":[{"days":["mon"],"from":"25:00","until":"1"}]}',
        'quiet={"gone":[],"new":[],"zone":"Mars/Olympus"}',
    ],
)
def test_a_malformed_undo_changes_nothing(browser: Client, ada: User, token: str) -> None:
    store(ada, NIGHTS)

    assert browser.post("/preferences/undo/", {"restore": token}).status_code == 302
    assert stored(ada) == {"timezone": None, "weekly": [NIGHTS]}
