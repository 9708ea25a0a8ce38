import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from importlib import import_module
from uuid import uuid4

import pytest
from django.conf import settings as django_settings
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
from django.db import connection, transaction
from pytest_django import Settings

from notifications.inbox import consumer, feed, hub, marks
from notifications.inbox.feed import NewItem
from preferences.models import Category, User
from tests.notifications.inbox.live import Socket, opened, serving

NewItemFor = Callable[..., NewItem]
pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    with serving() as address:
        yield address


@pytest.fixture
def open_socket(url: str) -> Iterator[Callable[..., Socket]]:
    with ExitStack() as sockets:
        yield lambda **options: sockets.enter_context(opened(url, **options))


@pytest.fixture
def ada(transactional_db: None) -> User:
    return User.objects.create_user("inbox-ada")


@pytest.fixture
def bob(transactional_db: None) -> User:
    return User.objects.create_user("inbox-bob")


@pytest.fixture
def shipping(transactional_db: None) -> Category:
    return Category.objects.create(key="inbox-shipping", name="Shipping")


def tell(*items: NewItem) -> None:
    """Put items into inboxes and tell of it, as the planner does."""
    with transaction.atomic():
        frames = feed.add_items(items)
        transaction.on_commit(lambda: hub.publish(frames))


def session_cookie(user: User) -> dict[str, str]:
    session = import_module(django_settings.SESSION_ENGINE).SessionStore()
    session[SESSION_KEY] = str(user.pk)
    session[BACKEND_SESSION_KEY] = django_settings.AUTHENTICATION_BACKENDS[0]
    session[HASH_SESSION_KEY] = user.get_session_auth_hash()
    session.save()
    return {"Cookie": f"{django_settings.SESSION_COOKIE_NAME}={session.session_key}"}


def test_a_new_item_comes_live_to_its_person_alone(
    ada: User, bob: User, open_socket: Callable[..., Socket], item_for: NewItemFor
) -> None:
    hers, his = open_socket(), open_socket()
    hers.hello(ada)
    his.hello(bob)
    assert hers.hear() == {"type": "ready", "seq": 0, "counts": {"unread": 0, "unseen": 0, "total": 0}}
    his.hear()

    tell(item_for(ada, title="For Ada"))

    created = hers.hear()
    assert (created["type"], created["item"]["title"], created["item"]["seq"]) == ("item.created", "For Ada", 1)
    assert hers.hear()["counts"] == {"unread": 1, "unseen": 1, "total": 1}
    assert his.hear_all() == []


def test_marks_by_one_socket_reach_all_of_the_person(
    ada: User, open_socket: Callable[..., Socket], item_for: NewItemFor
) -> None:
    item = item_for(ada)
    tell(item)
    one, two = open_socket(), open_socket()
    for socket in (one, two):
        socket.hello(ada)
        assert socket.hear()["counts"]["unread"] == 1

    one.say(type="read", id=str(item.id))

    for socket in (one, two):
        updated, counted = socket.hear(), socket.hear()
        assert (updated["type"], updated["item"]["read_at"] is not None) == ("item.updated", True)
        assert counted["counts"]["unread"] == 0

    two.say(type="archive-all")
    assert [one.hear()["type"] for _ in range(2)] == ["item.updated", "counts"]


def test_whoever_comes_back_gets_what_was_missed_in_its_order(
    ada: User, open_socket: Callable[..., Socket], item_for: NewItemFor
) -> None:
    items = [item_for(ada) for _ in range(4)]
    tell(*items)
    marks.mark(ada.pk, items[0].id, "read")
    socket = open_socket()

    socket.hello(ada, since=2)

    assert [socket.hear()["type"] for _ in range(1)] == ["ready"]
    assert [(frame["type"], frame["item"]["seq"]) for frame in socket.hear_all()] == [
        ("item.created", 3),
        ("item.created", 4),
        ("item.updated", 5),
    ]


def test_whoever_missed_nothing_gets_nothing(
    ada: User, open_socket: Callable[..., Socket], item_for: NewItemFor
) -> None:
    tell(item_for(ada))
    socket = open_socket()

    socket.hello(ada, since=1)

    assert [frame["type"] for frame in socket.hear_all()] == ["ready"]


@pytest.mark.parametrize("since", [0, 900])
def test_whoever_missed_too_much_or_is_ahead_of_us_asks_again(
    ada: User, open_socket: Callable[..., Socket], item_for: NewItemFor, since: int
) -> None:
    tell(*[item_for(ada) for _ in range(consumer.MOST_REPLAYED + 1)])
    socket = open_socket()

    socket.hello(ada, since=since)

    assert [frame["type"] for frame in socket.hear_all()] == ["ready", "resync"]


def test_nothing_is_missed_or_repeated_while_items_come_during_hello(
    ada: User, open_socket: Callable[..., Socket], item_for: NewItemFor
) -> None:
    items = [item_for(ada) for _ in range(60)]

    def keep_telling() -> None:
        for item in items:
            tell(item)
        connection.close()

    teller = threading.Thread(target=keep_telling)
    teller.start()
    sockets = []
    for _ in range(8):
        sockets.append(open_socket())
        sockets[-1].hello(ada, since=0)
        time.sleep(0.02)
    teller.join()

    for socket in sockets:
        seqs: list[int] = []
        while len(seqs) < len(items):
            frame = socket.hear()
            seqs += [frame["item"]["seq"]] if frame["type"].startswith("item.") else []
        assert seqs == list(range(1, 61))
        assert not [frame for frame in socket.hear_all() if frame["type"].startswith("item.")]


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
    settings.PUBLIC_URL, settings.ALLOWED_HOSTS = "https://carillon.example.com", ["127.0.0.1", "*"]
    settings.EMBED_ORIGINS = ["https://shop.example.com"]

    for origin in ("http://127.0.0.1:8000", "https://shop.example.com", "https://carillon.example.com"):
        socket = open_socket(additional_headers={"Origin": origin})
        socket.hello(ada)
        assert socket.hear()["type"] == "ready", origin
    for origin in ("https://evil.example.com", "https://carillon.example.com.evil.com", "null", "http://["):
        assert open_socket(additional_headers={"Origin": origin}).closed() == 4403, origin


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

    assert feed.counts([ada.pk])[ada.pk]["unread"] == 1


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
        patch.setattr(feed, "seq", lambda user_pk: 1 // 0)
        socket.hello(ada)
        assert socket.closed() == 1011
    again = open_socket()
    again.hello(ada)

    assert again.hear()["type"] == "ready"


def test_a_reader_that_is_slow_is_closed_and_delays_nobody(
    ada: User, open_socket: Callable[..., Socket], item_for: NewItemFor
) -> None:
    slow, quick = open_socket(max_queue=1), open_socket()
    slow.hello(ada)
    quick.hello(ada)
    quick.hear()
    time.sleep(0.2)  # both are in; from now on `slow` reads nothing

    text = json.dumps({"type": "counts", "padding": "x" * 20_000})
    started = time.monotonic()
    for _ in range(1500):
        hub.publish([(ada.pk, text)])
        quick.hear()

    assert time.monotonic() - started < 20
    assert slow.closed() == 4413
