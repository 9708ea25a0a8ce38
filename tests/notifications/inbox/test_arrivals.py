import asyncio
import threading
from collections.abc import Callable
from typing import Any

import pytest
from django.utils import timezone

from notifications.inbox import arrivals, feed
from notifications.inbox.arrivals import Arrival, Door
from notifications.inbox.feed import NewItem
from preferences.models import User

NewItemFor = Callable[..., NewItem]


def test_whoever_comes_in_is_looked_up_with_their_counts_in_one_query(
    ada: User, bob: User, item_for: NewItemFor, django_assert_num_queries: Any
) -> None:
    feed.add_items([item_for(ada), item_for(ada)])

    with django_assert_num_queries(1):
        found = arrivals.look_up([ada.pk, bob.pk, 0])

    assert found == {
        ada.pk: Arrival("inbox-ada", feed.Standing(2, 2, 2, 2)),
        bob.pk: Arrival("inbox-bob", feed.Standing()),
    }


@pytest.mark.parametrize("change", [{"is_active": False}, {"erased_at": timezone.now()}])
def test_whoever_may_not_come_in_is_not_found(ada: User, change: dict[str, Any]) -> None:
    User.objects.filter(pk=ada.pk).update(**change)

    assert arrivals.look_up([ada.pk]) == {}


def test_all_who_come_while_one_is_looked_up_are_the_next_query(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[list[int]] = []
    go_on = threading.Event()

    def look_up(user_pks: list[int]) -> dict[int, Arrival]:
        asked.append(user_pks)
        go_on.wait(5)
        return {pk: Arrival(f"p{pk}", feed.Standing()) for pk in user_pks if pk % 2}

    async def scenario() -> list[Arrival | None]:
        door = Door()
        first = asyncio.create_task(door.ask(1))
        await asyncio.sleep(0.05)
        others = [asyncio.create_task(door.ask(pk)) for pk in (2, 3, 3, 4)]
        await asyncio.sleep(0.05)
        go_on.set()
        return [await task for task in (first, *others)]

    monkeypatch.setattr(arrivals, "look_up", look_up)
    found = asyncio.run(scenario())

    assert asked == [[1], [2, 3, 4]]
    assert [arrival and arrival.user_id for arrival in found] == ["p1", None, "p3", "p3", None]


def test_a_failure_is_told_to_each_and_the_next_may_come(monkeypatch: pytest.MonkeyPatch) -> None:
    answers = [lambda: 1 // 0, lambda: {1: Arrival("p1", feed.Standing())}]
    monkeypatch.setattr(arrivals, "look_up", lambda user_pks: answers.pop(0)())

    async def scenario() -> None:
        door = Door()
        for failed in await asyncio.gather(door.ask(1), door.ask(2), return_exceptions=True):
            assert isinstance(failed, ZeroDivisionError)
        assert await door.ask(1) == Arrival("p1", feed.Standing())

    asyncio.run(scenario())
