"""People at the door: whether they may come in, and how their inbox stands. Whoever comes at once is asked for at once.

When a server starts anew, all sockets come back within seconds. A query each would be thousands on as many connections:
while one query is under way, all that arrive wait for the next, so there is one connection, and the more arrive, the
cheaper each is.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from channels.db import database_sync_to_async

from notifications.inbox.feed import Standing
from preferences.models import User

MOST_AT_ONCE = 500

Result = TypeVar("Result")


@dataclass(frozen=True)
class Arrival:
    """A person who may come in."""

    user_id: str
    standing: Standing


class Door:
    """Those who wait to be looked up, on one event loop."""

    def __init__(self) -> None:
        self._waiting: dict[int, asyncio.Future[Arrival | None]] = {}
        self._asking: asyncio.Task[None] | None = None

    async def ask(self, user_pk: int) -> Arrival | None:
        """Return the person; None when there is no such person any more, or they may not come in."""
        loop = asyncio.get_running_loop()
        if self._asking is None or self._asking.get_loop() is not loop:
            self._waiting = {}
            self._asking = loop.create_task(self._ask())
        return await asyncio.shield(self._waiting.setdefault(user_pk, loop.create_future()))

    async def _ask(self) -> None:
        try:
            while self._waiting:
                asked = {pk: self._waiting.pop(pk) for pk in list(self._waiting)[:MOST_AT_ONCE]}
                try:
                    found = await in_thread(lambda: look_up(list(asked)))  # noqa: B023  # awaited here
                except Exception as error:  # each of them says so itself
                    for future in asked.values():
                        future.set_exception(error)
                else:
                    for pk, future in asked.items():
                        future.set_result(found.get(pk))
        finally:
            self._asking = None


def look_up(user_pks: list[int]) -> dict[int, Arrival]:
    """Return those of these people who may come in, by key, in one query."""
    people = User.objects.filter(pk__in=user_pks, is_active=True, erased_at=None).values_list(
        "pk", "user_id", *(f"inbox_counter__{column}" for column in ("seq", "unread", "unseen", "total"))
    )
    return {pk: Arrival(user_id, Standing(*(number or 0 for number in numbers))) for pk, user_id, *numbers in people}


async def in_thread(act: Callable[[], Result]) -> Result:
    """Run database work beside the loop. Sockets do not wait for each other, as they would on Django's one thread."""
    result: Result = await database_sync_to_async(act, thread_sensitive=False)()
    return result


_door = Door()
ask = _door.ask
