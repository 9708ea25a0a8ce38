import json
from collections.abc import Callable
from urllib.parse import urlsplit
from uuid import uuid4

import pytest
from pytest_django import Settings

from notifications.inbox import arrivals, consumer, feed
from notifications.inbox.feed import NewItem
from preferences.models import User
from tests.notifications.inbox.live import Socket, session_cookie, tell

NewItemFor = Callable[..., NewItem]
pytestmark = pytest.mark.django_db(transaction=True)


def test_a_session_opens_the_socket_without_a_token(ada: User, open_socket: Callable[..., Socket]) -> None:
    socket = open_socket(additional_headers=session_cookie(ada))

    socket.hello(None)

    assert socket.hear()["type"] == "ready"


@pytest.mark.parametrize("spoil", ["password", "is_active", "logout"])
def test_a_session_that_is_over_does_not(ada: User, open_socket: Callable[..., Socket], spoil: str) -> None:
    cookie = session_cookie(ada)
    if spoil == "password":
        ada.set_password("another")
    elif spoil == "is_active":
        ada.is_active = False
    else:
        cookie = {"Cookie": "sessionid=nothing"}
    ada.save()
    socket = open_socket(additional_headers=cookie)

    socket.hello(None)

    assert socket.closed() == 4401


def test_without_a_valid_token_the_socket_is_closed(open_socket: Callable[..., Socket]) -> None:
    for token in (None, "", "x", "a.b.c"):
        socket = open_socket()
        socket.say(type="hello", token=token, since=None)
        assert socket.closed() == 4401, token


def test_the_socket_closes_when_its_token_expires(ada: User, open_socket: Callable[..., Socket]) -> None:
    socket = open_socket()
    socket.hello(ada, seconds=2)
    assert socket.hear()["type"] == "ready"

    assert socket.closed() == 4401


def test_a_logout_closes_the_socket_when_it_is_looked_at_again(
    ada: User, open_socket: Callable[..., Socket], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(consumer, "RECHECK_SECONDS", 0.2)
    socket = open_socket(additional_headers=session_cookie(ada))
    socket.hello(None)
    socket.hear()
    assert socket.hear_all(seconds=0.5) == []

    ada.set_password("another")
    ada.save()

    assert socket.closed() == 4401


def test_silence_instead_of_a_hello_closes_the_socket(
    open_socket: Callable[..., Socket], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(consumer, "HELLO_SECONDS", 0.3)
    socket = open_socket()
    socket.say(type="ping")
    assert socket.hear() == {"type": "pong"}

    assert socket.closed() == 4408


def test_only_our_own_pages_and_named_ones_may_open_a_socket(
    ada: User, open_socket: Callable[..., Socket], settings: Settings
) -> None:
    settings.PUBLIC_URL, settings.ALLOWED_HOSTS = "https://carillon.example.com", ["127.0.0.1"]
    settings.EMBED_ORIGINS = ["https://shop.example.com"]

    for origin in ("https://shop.example.com", "https://carillon.example.com"):
        socket = open_socket(additional_headers={"Origin": origin})
        socket.hello(ada)
        assert socket.hear()["type"] == "ready", origin
    for origin in (
        "https://evil.example.com",
        "https://carillon.example.com.evil.com",
        "https://carillon.example.com:8443",
        "http://carillon.example.com",
        "http://127.0.0.1:1.evil.com",
        "null",
        "http://[",
    ):
        assert open_socket(additional_headers={"Origin": origin}).closed() == 4403, origin


def test_a_page_of_the_host_it_was_called_by_may_open_a_socket_and_its_neighbours_may_not(
    ada: User, url: str, open_socket: Callable[..., Socket], settings: Settings
) -> None:
    settings.PUBLIC_URL, settings.ALLOWED_HOSTS = "http://localhost:1", ["127.0.0.1", "localhost"]
    host = urlsplit(url).netloc

    socket = open_socket(additional_headers={"Origin": f"http://{host}"})
    socket.hello(ada)
    assert socket.hear()["type"] == "ready"

    # A cookie goes to every port of a host: another program's page must not listen with it.
    for origin in ("http://127.0.0.1:3000", "http://localhost:3000", f"https://{host}"):
        assert open_socket(additional_headers={"Origin": origin}).closed() == 4403, origin
    settings.ALLOWED_HOSTS = ["localhost"]
    assert open_socket(additional_headers={"Origin": f"http://{host}"}).closed() == 4403


MALFORMED: list[str | bytes] = [
    "",
    "{",
    "[]",
    "null",
    '"read"',
    "{}",
    '{"type": 5}',
    '{"type": "dance"}',
    '{"type": "read"}',
    '{"type": "read", "id": "7"}',
    '{"type": "read", "id": null}',
    '{"type": "clicked", "id": "018f0000-0000-7000-8000-000000000000", "action": -1}',
    '{"type": "hello", "since": -1}',
    '{"type": "\\ud800"}',
    '{"type": "read-all", "category": "\\u0000"}',
    "[" * 4000,
    b"\x00\xff",
]


def test_a_malformed_frame_is_answered_and_harms_nothing(ada: User, open_socket: Callable[..., Socket]) -> None:
    socket = open_socket()
    socket.hello(ada)
    socket.hear()

    for text in MALFORMED:
        socket.connection.send(text)
        refusal = socket.hear()
        assert (refusal["type"], refusal["code"]) == ("error", "invalid_frame"), text

    socket.say(type="hello", token=None)
    assert socket.hear()["code"] == "already_open"
    socket.say(type="ping")
    assert socket.hear() == {"type": "pong"}


def test_a_frame_that_is_too_large_closes_the_socket(ada: User, open_socket: Callable[..., Socket]) -> None:
    socket = open_socket()
    socket.hello(ada)
    socket.hear()

    socket.connection.send(json.dumps({"type": "ping", "x": "y" * 5000}))

    assert socket.hear()["code"] == "too_large"
    assert socket.closed() == 1009


def test_marks_of_what_is_not_ones_own_are_refused(
    ada: User, bob: User, open_socket: Callable[..., Socket], item_for: NewItemFor
) -> None:
    item = item_for(ada)
    tell(item)
    socket = open_socket()
    socket.say(type="read", id=str(item.id))
    assert socket.hear()["code"] == "not_open"
    socket.hello(bob)
    socket.hear()

    for id in (item.id, uuid4()):
        socket.say(type="read", id=str(id))
        assert socket.hear()["code"] == "not_found"

    assert feed.standing(ada.pk).counts["unread"] == 1


def test_a_test_token_hears_nothing_of_the_live_inbox(
    ada: User, open_socket: Callable[..., Socket], item_for: NewItemFor
) -> None:
    item = item_for(ada)
    tell(item)
    socket = open_socket()
    socket.hello(ada, mode="test", since=0)
    assert socket.hear() == {"type": "ready", "seq": 0, "counts": {"unread": 0, "unseen": 0, "total": 0}}

    tell(item_for(ada))
    assert socket.hear_all() == []
    socket.say(type="read", id=str(item.id))
    assert socket.hear()["code"] == "not_found"


def test_a_fault_of_ours_closes_the_socket_and_the_client_may_come_back(
    ada: User, open_socket: Callable[..., Socket], monkeypatch: pytest.MonkeyPatch
) -> None:
    socket = open_socket()
    with monkeypatch.context() as patch:
        patch.setattr(arrivals, "look_up", lambda user_pks: 1 // 0)
        socket.hello(ada)
        assert socket.closed() == 1011
    again = open_socket()
    again.hello(ada)

    assert again.hear()["type"] == "ready"
