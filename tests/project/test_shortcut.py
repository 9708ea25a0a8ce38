import asyncio

import pytest
from django.conf import settings
from django.test import AsyncClient
from django.utils import translation

from project import shortcut
from tests.notifications.api.conftest import _empty_cache, body, shop, typed  # noqa: F401
from tests.notifications.conftest import ada, caller, order_confirmation, orders  # noqa: F401

KEYS = "/api/v1/keys"


@pytest.fixture
def passed_by(monkeypatch):
    """Return how often the layers behind the shortcut were passed by."""
    taken = []
    real = shortcut._is_of_a_service

    def noted(request):
        taken.append(real(request))
        return taken[-1]

    monkeypatch.setattr(shortcut, "_is_of_a_service", noted)
    return lambda: taken.pop()


@pytest.mark.parametrize("path", [KEYS, "/api/v1/keys/nothing", "/api/v1/nowhere", "/api/v1/users/ada"])
def test_an_answer_has_the_same_headers_either_way(shop, path, passed_by):  # noqa: F811
    short = shop.get(path)
    assert passed_by()
    long = shop.client.get(path, headers={"authorization": f"Bearer {shop.text}", "cookie": "a=b"})
    assert not passed_by()

    assert short.status_code == long.status_code
    assert _headers(short) == _headers(long)


def test_a_path_that_lacks_its_slash_is_still_sent_on(shop):  # noqa: F811
    assert shop.get("/api/v1/schema")["Location"] == "/api/v1/schema/"


@pytest.mark.parametrize(
    ("path", "headers"),
    [
        (KEYS, {}),
        (KEYS, {"authorization": "Bearer x", "cookie": "sessionid=x"}),
        (KEYS, {"authorization": "Bearer x", "accept-language": "de"}),
        ("/login/", {"authorization": "Bearer x"}),
        ("/api/docs/", {"authorization": "Bearer x"}),
    ],
)
@pytest.mark.django_db
def test_whoever_may_be_a_browser_goes_the_long_way(client, path, headers, passed_by):
    client.get(path, headers=headers)

    assert not passed_by()


def test_a_host_that_is_not_ours_is_refused(shop, settings):  # noqa: F811
    settings.ALLOWED_HOSTS = ["example.com"]

    assert shop.get(KEYS).status_code == 400


def test_no_language_is_left_over_from_the_request_before(shop):  # noqa: F811
    translation.activate("de")

    assert shop.get(KEYS)["Content-Language"] == settings.LANGUAGE_CODE
    assert translation.get_language() == settings.LANGUAGE_CODE


@pytest.mark.django_db(transaction=True)
def test_under_asgi_everything_goes_the_long_way_and_is_answered(shop):  # noqa: F811
    async def ask():
        return await AsyncClient().get(KEYS, headers={"authorization": f"Bearer {shop.text}"})

    answer = asyncio.run(ask())

    assert answer.status_code == 200 and answer["Content-Security-Policy"]


def _headers(response):
    policy = sorted(response["Content-Security-Policy"].split("; "))
    own = {"X-Request-ID", "Content-Length", "Content-Security-Policy"}
    return policy, {name: value for name, value in response.headers.items() if name not in own}
