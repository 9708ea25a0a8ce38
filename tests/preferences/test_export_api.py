"""The link to everything about a person: who makes one, who may use it, and what ends it."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.test import Client

from preferences import contact_points, export_links, links
from preferences.models import User
from project.foundation.models import AuditEvent
from tests.preferences.conftest import Api, api_with

pytestmark = pytest.mark.django_db


def path_of(api: Api, user_id: str = "ada") -> str:
    """Ask for a link; return its path."""
    url: str = api.get(f"/users/{user_id}/export")["url"]
    return url.removeprefix("http://127.0.0.1:8000")


def document(client: Client, path: str) -> Any:
    answer = client.get(path)
    assert answer.status_code == 200
    return json.loads(answer.getvalue())


def lines() -> list[tuple[str, str, str]]:
    return [(each.actor.partition(":")[0], each.action, each.target) for each in AuditEvent.objects.order_by("id")]


def test_a_link_gives_everything_to_who_has_no_key(api: Api, ada: User, client: Client) -> None:
    contact_points.add(ada, channel="email", address="ada@example.com")

    found = document(client, path_of(api))

    assert found["user_id"] == "ada"
    assert found["contact_points"][0]["address"] == "ada@example.com"
    assert found["complete"] is True


def test_it_is_a_file_that_nobody_on_the_way_keeps(api: Api, ada: User, client: Client) -> None:
    answer = client.get(path_of(api))

    assert answer["Content-Type"] == "application/json; charset=utf-8"
    assert answer["Content-Disposition"].startswith('attachment; filename="carillon-2')
    assert "no-store" in answer["Cache-Control"]
    assert answer["X-Robots-Tag"] == "noindex, nofollow"
    assert answer["Referrer-Policy"] == "no-referrer"


def test_it_says_when_it_ends_and_ends_then(api: Api, ada: User, client: Client, settings: Any) -> None:
    ends = datetime.fromisoformat(api.get("/users/ada/export")["expires_at"])
    settings.EXPORT_LINK_LIFE = timedelta(seconds=-1)

    assert timedelta(hours=23, minutes=59) < ends - datetime.now(tz=UTC) <= timedelta(hours=24)
    over = client.get(path_of(api))
    assert over.status_code == 410
    assert "This link no longer works" in over.content.decode()
    assert over["Referrer-Policy"] == "no-referrer"


def test_the_making_and_each_use_leave_a_line_without_a_name(api: Api, ada: User, client: Client) -> None:
    path = path_of(api)
    client.head(path)
    document(client, path)
    document(client, path)

    assert lines()[-3:] == [
        ("key", "user.export_link_made", f"user:{ada.pk}"),
        ("link", "user.exported", f"user:{ada.pk}"),
        ("link", "user.exported", f"user:{ada.pk}"),
    ]
    made, used = AuditEvent.objects.filter(action__startswith="user.export").order_by("id")[:2]
    assert used.actor == f"link:{made.detail['link']}"
    assert used.ip == "127.0.0.1"


def test_revoking_a_persons_links_ends_it(api: Api, ada: User, client: Client) -> None:
    path = path_of(api)

    api("DELETE", "/users/ada/preference_links")

    assert client.get(path).status_code == 410


def test_erasure_ends_it(api: Api, ada: User, client: Client) -> None:
    path = path_of(api)

    assert api("DELETE", "/users/ada")[0] == 202

    assert client.get(path).status_code == 410
    assert api("GET", "/users/ada/export")[0] == 404


@pytest.mark.parametrize("spoil", ["{}x", "x{}", "0{}", "{}.{}"])
def test_a_link_that_was_changed_opens_nothing(api: Api, ada: User, client: Client, spoil: str) -> None:
    token = path_of(api).split("/")[2]

    assert client.get(f"/export/{spoil.format(token, token)}/").status_code == 410


def test_links_to_settings_open_no_export_and_the_other_way_round(api: Api, ada: User, client: Client) -> None:
    to_settings = links.settings_url(ada.pk, ada.link_generation).split("/")[-2]
    to_export = path_of(api).split("/")[2]

    assert client.get(f"/export/{to_settings}/").status_code == 410
    assert client.get(f"/preferences/{to_export}/").status_code == 410


def test_it_outlives_a_change_of_the_secret_key(api: Api, ada: User, client: Client, settings: Any) -> None:
    path = path_of(api)
    settings.SECRET_KEY_FALLBACKS = [settings.SECRET_KEY]
    settings.SECRET_KEY = "another key for tests only, of no use anywhere else, and long enough as well"

    assert client.get(path).status_code == 200


def test_it_can_only_be_read(api: Api, ada: User, client: Client) -> None:
    assert client.post(path_of(api)).status_code == 405


def test_staff_and_strangers_get_no_link(api: Api, grace: User) -> None:
    assert api("GET", "/users/grace/export")[1]["code"] == "staff_user"
    assert api("GET", "/users/nobody/export")[0] == 404
    assert AuditEvent.objects.filter(action="user.export_link_made").count() == 0


def test_a_key_needs_the_scope_of_users(ada: User) -> None:
    assert api_with({"preferences", "read", "send"})("GET", "/users/ada/export")[0] == 403


def test_a_link_holds_no_name() -> None:
    somebody = User.objects.create_user("zoe-of-xanthos")  # "ada" may come about in what is written in hex

    assert "zoe" not in export_links.make(somebody, actor="system").url
