import json
from pathlib import Path

import pytest
from django.core.management import call_command
from django.test import Client

from notifications.models import Notification
from preferences.models import User

pytestmark = pytest.mark.django_db


@pytest.fixture
def shop(settings, tmp_path: Path) -> dict[str, str]:
    """The demo, loaded; return what demo.json says."""
    settings.VAR_DIR, settings.EMBEDDED = tmp_path, True
    call_command("demo", verbosity=0)
    written: dict[str, str] = json.loads((tmp_path / "demo.json").read_text())
    return written


def test_without_the_demo_the_start_page_is_plain(client: Client, settings, tmp_path: Path) -> None:
    settings.VAR_DIR = tmp_path

    page = client.get("/").content.decode()

    assert "Sign in" in page
    assert "Campanile" not in page
    assert client.post("/demo/sign-in/").status_code == 404
    assert client.post("/demo/send/", {"order": "angelus"}).status_code == 404


def test_one_press_signs_in_as_ada(client: Client, shop: dict[str, str]) -> None:
    client.post("/demo/sign-in/")

    page = client.get("/").content.decode()
    assert "<carillon-inbox>" in page
    assert client.session["_auth_user_id"] == str(User.objects.get(user_id="ada").pk)


def test_one_press_exists_on_embedded_installations_only(client: Client, shop: dict[str, str], settings) -> None:
    settings.EMBEDDED = False

    assert client.post("/demo/sign-in/").status_code == 404
    assert "Sign in as Ada" not in client.get("/").content.decode()


def test_one_press_never_signs_in_as_staff(client: Client, shop: dict[str, str]) -> None:
    User.objects.filter(user_id="ada").update(is_staff=True)

    assert client.post("/demo/sign-in/").status_code == 404
    assert "_auth_user_id" not in client.session


@pytest.mark.parametrize(
    ("button", "type_key"),
    [
        ({"order": "angelus"}, "ORDER_CONFIRMATION"),
        ({"news": "shipped"}, "ORDER_SHIPPED"),
        ({"news": "comment"}, "NEW_COMMENT"),
        ({"news": "offers"}, "WEEKLY_OFFERS"),
    ],
)
def test_the_buttons_send_to_ada(client: Client, shop: dict[str, str], button: dict[str, str], type_key: str) -> None:
    client.post("/demo/sign-in/")

    answer = client.post("/demo/send/", button, headers={"Accept": "application/json"})

    assert answer.status_code == 204
    notification = Notification.objects.get()
    assert (notification.user.user_id, notification.type.key) == ("ada", type_key)


def test_the_buttons_do_nothing_for_others(client: Client, shop: dict[str, str]) -> None:
    client.post("/demo/send/", {"order": "angelus"})
    client.force_login(User.objects.get(user_id="bob"))
    client.post("/demo/send/", {"order": "angelus"})

    assert Notification.objects.count() == 0


def test_the_key_is_shown_to_this_machine_only(client: Client, shop: dict[str, str]) -> None:
    here = client.get("/", REMOTE_ADDR="127.0.0.1", headers={"Host": "127.0.0.1:8000"}).content.decode()
    elsewhere = client.get("/", REMOTE_ADDR="192.0.2.7", headers={"Host": "127.0.0.1:8000"}).content.decode()

    assert shop["live_key"] in here
    assert shop["live_key"] not in elsewhere


@pytest.mark.parametrize(
    "headers",
    [
        {"X-Forwarded-For": "127.0.0.1"},
        {"X-Forwarded-Host": "shop.example.com"},
        {"Forwarded": "for=192.0.2.7"},
        {"X-Real-IP": "192.0.2.7"},
        {"Via": "1.1 tunnel"},
        {"Host": "shop.example.com"},
    ],
)
def test_the_key_is_not_shown_through_a_proxy(client: Client, shop: dict[str, str], headers: dict[str, str]) -> None:
    page = client.get("/", REMOTE_ADDR="127.0.0.1", headers={"Host": "127.0.0.1:8000"} | headers).content.decode()

    assert shop["live_key"] not in page


def test_the_shop_says_that_it_speaks_english(client: Client, shop: dict[str, str]) -> None:
    page = client.get("/", headers={"Accept-Language": "ar"}).content.decode()

    assert '<html lang="en" dir="ltr">' in page
