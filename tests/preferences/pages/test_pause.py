from datetime import UTC, datetime, timedelta

import pytest
from django.test import Client

from preferences import consent, links
from preferences.models import Category, ConsentRecord, Mute, User
from project.foundation import clock
from templates_app.models import Type
from tests.preferences.pages.conftest import undo

pytestmark = pytest.mark.django_db
URL = "/preferences/pause/"
NOW = datetime(2026, 7, 1, 21, 30, tzinfo=UTC)  # 22:30 in London


@pytest.fixture(autouse=True)
def now(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clock, "now", lambda: NOW)


def mutes(user: User) -> dict[str, datetime | None]:
    rows = Mute.objects.filter(user=user).values_list("category__key", "type_key", "until")
    return {category or type_key: until for category, type_key, until in rows}


@pytest.mark.parametrize(
    ("span", "until"),
    [
        ("hour", NOW + timedelta(hours=1)),
        ("tomorrow", datetime(2026, 7, 2, 7, tzinfo=UTC)),  # 8:00 in London
        ("week", NOW + timedelta(days=7)),
        ("forever", None),
    ],
)
def test_everything_is_paused_for_as_long_as_asked(
    browser: Client, ada: User, span: str, until: datetime | None
) -> None:
    assert browser.post(URL, {"what": "", "for": span}).status_code == 302

    assert mutes(ada) == {"": until}
    assert "All your notifications are paused." in browser.get("/preferences/").content.decode()


def test_tomorrow_is_the_persons_own(browser: Client, ada: User) -> None:
    User.objects.filter(pk=ada.pk).update(timezone="Asia/Tokyo")  # 6:30 on the second of July

    browser.post(URL, {"what": "", "for": "tomorrow"})

    assert mutes(ada) == {"": datetime(2026, 7, 2, 23, tzinfo=UTC)}  # 8:00 on the third
    assert "Paused until 3 July 2026, 08:00 JST." in browser.get("/preferences/").content.decode()


def test_one_category_is_paused_and_the_others_stay(browser: Client, ada: User, offers: Category) -> None:
    browser.post(URL, {"what": "category:offers", "for": "week"})

    assert mutes(ada) == {"offers": NOW + timedelta(days=7)}
    assert [pause.name for pause in browser.get("/preferences/").context["pauses"]] == ["Offers"]


def test_what_a_caller_has_muted_is_shown_by_name_and_can_be_resumed(
    browser: Client, ada: User, weekly_offers: Type
) -> None:
    consent.mute(ada, type_key="WEEKLY_OFFERS", source="api", actor="key:1")

    page = browser.get("/preferences/").content.decode()
    browser.post(URL, {"resume": "type:WEEKLY_OFFERS"})

    assert "Offers of the week" in page
    assert mutes(ada) == {}


def test_a_pause_that_is_over_is_not_shown(browser: Client, ada: User) -> None:
    Mute.objects.create(user=ada, until=NOW - timedelta(minutes=1))

    assert "All your notifications are paused." not in browser.get("/preferences/").content.decode()


def test_undo_takes_a_pause_back_and_a_resumption_too(browser: Client, ada: User) -> None:
    browser.post(URL, {"what": "", "for": "hour"})
    assert "Undone" in undo(browser)
    assert mutes(ada) == {}

    browser.post(URL, {"what": "", "for": "week"})
    browser.post(URL, {"resume": ""})
    undo(browser)
    assert mutes(ada) == {"": NOW + timedelta(days=7)}


def test_pausing_leaves_a_line_in_the_ledger(browser: Client) -> None:
    browser.post(URL, {"what": "", "for": "forever"})

    record = ConsentRecord.objects.get()
    assert (record.subject, record.new, record.source, record.actor) == (
        "mute:all",
        "forever",
        "settings_page",
        "user:ada",
    )


def test_a_link_from_a_mail_pauses_its_owner_alone(ada: User, bob: User) -> None:
    path = links.settings_url(bob.pk, bob.link_generation).partition("/preferences/")[2]

    Client().post(f"/preferences/{path}pause/", {"what": "", "for": "forever"})

    assert mutes(bob) == {"": None}
    assert mutes(ada) == {}


@pytest.mark.parametrize(
    "form",
    [
        {},
        {"what": ""},
        {"what": "", "for": "a_while"},
        {"what": "category:gone", "for": "hour"},
        {"what": "planet:earth", "for": "hour"},
        {"what": "type:" + "x" * 101, "for": "hour"},
        {"resume": "category:gone"},
    ],
)
def test_a_malformed_form_changes_nothing(browser: Client, ada: User, form: dict[str, str]) -> None:
    assert browser.post(URL, form).status_code == 302
    assert mutes(ada) == {}


@pytest.mark.parametrize(
    "token", ["pause=", "pause=1", 'pause=["","2026-07-02T10:00"]', 'pause=["category:gone","forever"]', "pause=[[],1]"]
)
def test_a_malformed_undo_changes_nothing(browser: Client, ada: User, token: str) -> None:
    assert browser.post("/preferences/undo/", {"restore": token}).status_code == 302
    assert mutes(ada) == {}
