import json

import pytest
from django.test import Client

from preferences import links
from preferences.models import User
from project.foundation.models import AuditEvent

pytestmark = pytest.mark.django_db


@pytest.fixture
def ada() -> User:
    return User.objects.create_user("ada", name="Ada Lovelace")


def test_who_is_signed_in_downloads_their_own_data(browser: Client, ada: User) -> None:
    page = browser.get("/preferences/").content.decode()
    answer = browser.post("/preferences/export/")

    assert 'action="/preferences/export/"' in page
    assert answer["Content-Disposition"].startswith("attachment")
    assert json.loads(answer.getvalue())["profile"][0]["name"] == "Ada Lovelace"
    line = AuditEvent.objects.get(action="user.exported")
    assert (line.actor, line.target) == (f"user:{ada.pk}", f"user:{ada.pk}")


def test_nothing_is_downloaded_by_opening_an_address(browser: Client) -> None:
    answer = browser.get("/preferences/export/")

    assert (answer.status_code, answer["Location"]) == (302, "/preferences/")
    assert not AuditEvent.objects.exists()


def test_who_is_not_signed_in_is_asked_to(client: Client) -> None:
    assert client.post("/preferences/export/")["Location"].startswith("/login/?next=/preferences/export/")


def test_no_page_of_others_can_press_the_button(ada: User) -> None:
    strict = Client(enforce_csrf_checks=True)
    strict.force_login(ada)

    assert strict.post("/preferences/export/").status_code == 403


def test_the_link_in_a_mail_shows_settings_and_not_all_data(client: Client, ada: User) -> None:
    path = links.settings_url(ada.pk, ada.link_generation).removeprefix("http://127.0.0.1:8000")

    page = client.get(path).content.decode()

    assert "To download your data, sign in." in page
    assert "Download my data" not in page
    assert client.post(f"{path}export/").status_code == 404
