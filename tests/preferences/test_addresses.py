import base64
import json
from ipaddress import ip_network

import pytest
from hypothesis import given
from hypothesis import strategies as st

from preferences.addresses import InvalidAddress, mask, normalise, reachable
from preferences.channels import CHANNELS

PUBLIC = base64.urlsafe_b64encode(b"\x04" + bytes(range(64))).decode().rstrip("=")
AUTH = base64.urlsafe_b64encode(bytes(range(240, 256))).decode()
SUBSCRIPTION = {
    "endpoint": "https://push.example/abc",
    "expirationTime": None,
    "keys": {"p256dh": PUBLIC, "auth": AUTH},
}


@pytest.mark.parametrize(
    ("channel", "written", "stored"),
    [
        ("email", " Ada.L@EXAMPLE.com ", "Ada.L@example.com"),
        ("email", "ada+news@münchen.de", "ada+news@xn--mnchen-3ya.de"),
        ("email", "ada@localhost", "ada@localhost"),
        ("sms", "+49 (0) 89 / 1234-567", "+49891234567"),
        ("voice", "+1 500 555 0006", "+15005550006"),
        ("webhook", "HTTPS://Example.COM:443?b=1&a=2", "https://example.com/?b=1&a=2"),
        ("webhook", "http://127.0.0.1:8080/Hook", "http://127.0.0.1:8080/Hook"),
        ("webhook", "http://[::1]:8080/", "http://[::1]:8080/"),
        ("chat", "slack://T1/B2/c3", "slack://T1/B2/c3"),
        ("push", " token:abc_DEF ", "token:abc_DEF"),
    ],
)
def test_an_address_has_one_form(channel, written, stored):
    assert normalise(channel, written) == stored
    assert normalise(channel, stored) == stored


@pytest.mark.parametrize(
    ("channel", "wrong"),
    [
        ("email", ""),
        ("email", "ada"),
        ("email", "@example.com"),
        ("email", "ada@"),
        ("email", "ada@example"),
        ("email", "ada@1.2.3.4"),
        ("email", "a b@example.com"),
        ("email", "ada@exa mple.com"),
        ("email", ".ada@example.com"),
        ("email", "a..b@example.com"),
        ("email", "ada@example..com"),
        ("email", "ada@-example.com"),
        ("email", "Ada <ada@example.com>"),
        ("email", "ada@example.com\r\nBcc: eve@example.com"),
        ("email", "ada@example.com, eve@example.com"),
        ("email", "a" * 65 + "@example.com"),
        ("email", "ada@" + "a." * 125 + "com"),
        ("email", "ada\0@example.com"),
        ("email", "ada\ud800@example.com"),
        ("sms", "089 1234567"),
        ("sms", "+1"),
        ("sms", "+49 call me"),
        ("sms", "+4989123456789012345"),
        ("sms", "+14155550100 ext. 5"),
        ("webhook", "example.com/hook"),
        ("webhook", "ftp://example.com/"),
        ("webhook", "javascript:alert(1)"),
        ("webhook", "https://user:secret@example.com/"),
        ("webhook", "https://example.com/#part"),
        ("webhook", "https://example.com:99999/"),
        ("webhook", "http://[::1"),
        ("webhook", "https:///path"),
        ("webhook", "https://exa mple.com/"),
        ("webhook", "https://example.com\\@evil.example/"),
        ("webhook", "https://example.com/" + "a" * 2048),
        ("chat", "just text"),
        ("chat", "slack://a b"),
        ("push", "a b"),
        ("push", "t" * 4097),
        ("web_push", "not json"),
        ("web_push", "[]"),
        ("web_push", json.dumps({"endpoint": "https://push.example/abc"})),
        ("web_push", json.dumps(SUBSCRIPTION | {"keys": {"p256dh": AUTH, "auth": AUTH}})),
        ("web_push", json.dumps(SUBSCRIPTION | {"keys": {"p256dh": "!!", "auth": AUTH}})),
        ("web_push", json.dumps(SUBSCRIPTION | {"endpoint": "javascript:alert(1)"})),
        ("web_push", json.dumps(SUBSCRIPTION | {"endpoint": "https://push.example/\n"})),
        ("web_push", json.dumps(SUBSCRIPTION | {"endpoint": 7})),
        ("web_push", json.dumps(SUBSCRIPTION | {"keys": None})),
        ("web_push", "[" * 5000 + "]" * 5000),
        ("in_app", "ada"),
    ],
)
def test_what_is_no_address_is_refused_with_a_sentence(channel, wrong):
    with pytest.raises(InvalidAddress, match=r"\.$"):
        normalise(channel, wrong)


def test_a_browser_subscription_is_the_same_whether_text_or_object_and_however_written():
    shuffled = {"keys": {"auth": AUTH.rstrip("="), "p256dh": PUBLIC + "="}, "endpoint": SUBSCRIPTION["endpoint"]}

    stored = normalise("web_push", SUBSCRIPTION)

    assert stored == normalise("web_push", json.dumps(shuffled, indent=2)) == normalise("web_push", stored)
    assert set(json.loads(stored)) == {"endpoint", "keys"}


def test_only_a_browser_subscription_may_be_an_object():
    with pytest.raises(InvalidAddress):
        normalise("email", {"address": "ada@example.com"})


@pytest.mark.parametrize(
    ("channel", "address", "shown"),
    [
        ("email", "ada@example.com", "a•••@example.com"),
        ("sms", "+49891234589", "+49•••89"),
        ("voice", "+14155550123", "+1•••23"),
        ("webhook", "https://example.com/secret/path?token=1", "https://example.com/•••"),
        ("chat", "tgram://123:secret/456", "tgram://•••"),
        ("push", "abcdefghijklmnop1234", "•••1234"),
        ("push", "short", "•••"),
        ("in_app", "", ""),
    ],
)
def test_a_masked_address_can_be_recognised_and_not_used(channel, address, shown):
    assert mask(channel, address) == shown


def test_a_masked_subscription_shows_only_who_runs_it():
    assert mask("web_push", normalise("web_push", SUBSCRIPTION)) == "https://push.example/•••"


@given(channel=st.sampled_from(sorted(CHANNELS)), text=st.text(max_size=80))
def test_any_text_is_refused_or_comes_into_a_stable_form(channel, text):
    try:
        stored = normalise(channel, text)
    except InvalidAddress:
        return
    assert normalise(channel, stored) == stored
    assert stored.isprintable()
    mask(channel, stored)


@given(email=st.emails())
def test_common_addresses_are_taken_and_masked(email):
    try:
        stored = normalise("email", email)
    except InvalidAddress:
        # Only what no mail server can be asked about: reserved or overlong labels.
        assert len(email) > 60 or "--" in email or email.rsplit(".", 1)[-1].isdigit() or email.isascii()
        return
    local, _, domain = stored.rpartition("@")
    assert domain == domain.lower()
    assert email.startswith(local)
    assert len(local) < 2 or local not in mask("email", stored).partition("@")[0]


@pytest.mark.parametrize(
    "address",
    [
        "http://hooks.example.com/",
        "https://10.0.0.7/",
        "https://hooks.example.com:8443/",
        "https://169.254.169.254/meta",
    ],
)
def test_a_webhook_that_could_never_be_asked_is_refused_when_it_is_given(address):
    with pytest.raises(InvalidAddress):
        reachable("webhook", address)


def test_inside_an_allowed_network_it_is_not(settings):
    settings.EGRESS_ALLOW = [ip_network("10.0.0.0/8")]

    assert reachable("webhook", "http://10.0.0.7:8080/in") == "http://10.0.0.7:8080/in"


@pytest.mark.parametrize("address", ["file:///etc/passwd", "dbus://", "mailto://user:pass@example.com", "nosuch://x"])
def test_a_chat_address_that_reaches_elsewhere_is_refused_when_it_is_given(address):
    with pytest.raises(InvalidAddress):
        reachable("chat", address)


def test_a_chat_address_is_taken_as_it_is():
    assert reachable("chat", "slack://T1/A1/abc") == "slack://T1/A1/abc"
