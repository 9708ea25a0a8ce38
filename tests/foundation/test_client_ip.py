import pytest
from django.core.exceptions import ImproperlyConfigured
from django.test import RequestFactory

from preferences.models import ConsentRecord
from project import env
from project.foundation.client_ip import client_ip
from tests.notifications.api.conftest import service
from tests.notifications.conftest import ada, caller  # noqa: F401

PROXY, CLIENT, LIE = "10.0.0.1", "192.0.2.7", "203.0.113.9"


@pytest.fixture
def trust(monkeypatch, settings):
    def set_to(text):
        monkeypatch.setenv("TRUSTED_PROXIES", text)
        settings.TRUSTED_PROXIES = env.proxies("TRUSTED_PROXIES")

    return set_to


def asked(peer, *passed_on):
    headers = {"X-Forwarded-For": ", ".join(passed_on)} if passed_on else {}
    return client_ip(RequestFactory().get("/", REMOTE_ADDR=peer, headers=headers))


def test_nobody_is_believed_unless_named(trust):
    trust("")

    assert asked(PROXY, CLIENT) == PROXY
    assert asked("") == ""


@pytest.mark.parametrize(
    ("trusted", "peer", "passed_on", "found"),
    [
        ("1", PROXY, [LIE, CLIENT], CLIENT),
        ("2", PROXY, [LIE, CLIENT, "10.0.0.2"], CLIENT),
        ("2", CLIENT, [LIE], CLIENT),  # has come past the proxies
        ("1", PROXY, ["nonsense"], PROXY),
        ("1", PROXY, [], PROXY),
        ("10.0.0.0/8", PROXY, [LIE, CLIENT, "10.0.0.2"], CLIENT),
        ("10.0.0.0/8", CLIENT, [LIE], CLIENT),
        ("10.0.0.0/8", PROXY, [LIE, "nonsense"], PROXY),
        ("10.0.0.0/8", PROXY, ["10.0.0.3", "10.0.0.2"], "10.0.0.3"),
        ("10.0.0.0/8", PROXY, [f"{CLIENT}:4711"], CLIENT),
        ("fd00::/8,10.0.0.1", "fd00::1", [LIE, "[2001:db8::7]:4711", "::ffff:10.0.0.1"], "2001:db8::7"),
    ],
)
def test_the_client_is_the_first_before_the_trusted(trust, trusted, peer, passed_on, found):
    trust(trusted)

    assert asked(peer, *passed_on) == found


@pytest.mark.parametrize("text", ["-1", "10.0.0.0/33", "proxy"])
def test_what_names_no_proxy_is_refused(trust, text):
    with pytest.raises(ImproperlyConfigured, match="TRUSTED_PROXIES"):
        trust(text)


def test_the_ledger_keeps_the_clients_address(trust, ada, caller):  # noqa: F811
    trust("1")
    shop = service(caller)

    response = shop.client.patch(
        "/api/v1/users/ada/preferences",
        {"channels": {"email": False}},
        format="json",
        REMOTE_ADDR=PROXY,
        headers={"X-Forwarded-For": f"{LIE}, {CLIENT}", "Authorization": f"Bearer {shop.text}"},
    )

    assert response.status_code == 200
    assert {record.ip for record in ConsentRecord.objects.all()} == {CLIENT}
