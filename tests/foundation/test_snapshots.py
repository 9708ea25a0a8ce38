"""What is read in a snapshot is of one moment, and keeps nobody from writing. No test transaction: two connections."""

import threading
from collections.abc import Callable

import pytest
from django.db import DatabaseError, connection

from preferences.models import User
from project.foundation.snapshots import snapshot

pytestmark = pytest.mark.django_db(transaction=True)


def elsewhere(act: Callable[[], object]) -> None:
    """Do something on another connection."""

    def run() -> None:
        try:
            act()
        finally:
            connection.close()

    thread = threading.Thread(target=run)
    thread.start()
    thread.join(30)
    assert not thread.is_alive()


def test_what_is_written_meanwhile_is_not_seen_and_not_kept_out() -> None:
    with snapshot():
        before = User.objects.count()
        elsewhere(lambda: User.objects.create_user("late"))
        during = User.objects.count()

    assert (before, during, User.objects.count()) == (0, 0, 1)


def test_nothing_is_left_open_after_it() -> None:
    with snapshot():
        User.objects.count()

    User.objects.create_user("ada")
    assert not connection.in_atomic_block
    with snapshot():
        assert User.objects.count() == 1


def test_it_ends_when_its_reader_gives_up() -> None:
    with pytest.raises(ValueError), snapshot():
        User.objects.count()
        raise ValueError

    User.objects.create_user("ada")


def test_nothing_can_be_written_in_it_on_postgresql() -> None:
    if connection.vendor != "postgresql":
        pytest.skip("SQLite lets the holder of a read transaction write")

    with pytest.raises(DatabaseError), snapshot():
        User.objects.create_user("ada")
