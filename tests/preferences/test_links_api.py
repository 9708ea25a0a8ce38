"""Links to settings that services make and revoke."""

from datetime import datetime, timedelta
from urllib.parse import urlsplit

import pytest

from preferences.models import PreferenceLink, User
from project.foundation import clock

PATH = "/users/ada/preference_links"


def test_a_made_link_opens_the_settings_until_it_is_revoked(api, client, ada):
    status, link = api("POST", PATH, {"expires_in": "7d"})
    page = urlsplit(link["url"]).path

    assert status == 201
    assert datetime.fromisoformat(link["expires_at"]) - clock.now() > timedelta(days=6)
    assert client.get(page).status_code == 200

    assert api("DELETE", f"{PATH}/{link['id']}")[0] == 204
    assert client.get(page).status_code == 410
    assert api("DELETE", f"{PATH}/{link['id']}")[0] == 404


def test_all_links_end_at_once(api, client, ada):
    pages = [urlsplit(api("POST", PATH, {})[1]["url"]).path for _ in range(2)]

    assert api("DELETE", PATH)[0] == 204

    assert [client.get(page).status_code for page in pages] == [410, 410]
    assert User.objects.get(pk=ada.pk).link_generation == 1


@pytest.mark.parametrize(
    ("body", "fault"),
    [
        ({"expires_in": "soon"}, "invalid_duration"),
        ({"expires_in": "91d"}, "invalid_value"),
        ({"expires_in": "5s"}, "invalid_value"),
        ({"expires_in": 7}, "wrong_type"),
    ],
)
def test_a_life_that_is_none_is_refused(api, ada, body, fault):
    assert api.faults("POST", PATH, body) == {"/expires_in": fault}
    assert not PreferenceLink.objects.exists()


def test_staff_get_no_link_and_strangers_no_answer(api, ada):
    User.objects.filter(pk=ada.pk).update(is_staff=True)

    assert api("POST", PATH, {})[0] == 403
    assert api("POST", "/users/nobody/preference_links", {})[0] == 404


def test_it_wants_the_scope(api_that_only_sends, ada):
    assert api_that_only_sends("POST", PATH, {})[0] == 403
