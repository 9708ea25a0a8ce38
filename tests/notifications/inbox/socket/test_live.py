import json
import threading
import time
from collections.abc import Callable

import pytest
from django.db import connection

from notifications.inbox import consumer, hub, marks
from notifications.inbox.feed import NewItem
from preferences.models import User
from tests.notifications.inbox.live import Socket, tell

NewItemFor = Callable[..., NewItem]
pytestmark = pytest.mark.django_db(transaction=True)


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
