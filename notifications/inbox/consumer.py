"""The inbox socket, /ws/inbox/: hello, what was missed, then live. docs/inbox.md describes the protocol."""

import asyncio
import logging
import time
from collections.abc import Callable
from typing import Any, TypeVar
from urllib.parse import urlsplit

import msgspec
from channels.db import database_sync_to_async
from channels.generic.websocket import AsyncWebsocketConsumer
from django.conf import settings
from django.http import parse_cookie
from django.http.request import split_domain_port, validate_host

from notifications.inbox import feed, hub, identity, marks, protocol
from notifications.inbox.identity import EndUser
from notifications.inbox.items import frame
from notifications.inbox.outlet import Outlet
from notifications.models import Mode
from project.foundation.problems import Problem

HELLO_SECONDS = 5
RECHECK_SECONDS = 300  # how long a socket outlives the end of its session
MOST_REPLAYED = 200  # missed items; above, the client asks again

logger = logging.getLogger(__name__)
Result = TypeVar("Result")


class InboxConsumer(AsyncWebsocketConsumer):  # type: ignore[misc]
    """One socket of one person."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.end_user: EndUser | None = None
        self._token: str | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._rechecking: asyncio.Task[None] | None = None

    async def connect(self) -> None:
        self.outlet = Outlet(self.base_send)
        await self.accept()
        if origin_is_allowed(self.scope):
            self._after(HELLO_SECONDS, lambda: self.outlet.close(protocol.NO_HELLO))
        else:
            self.outlet.close(protocol.WRONG_ORIGIN)

    async def receive(self, text_data: str | None = None, bytes_data: bytes | None = None) -> None:
        if len(text_data or bytes_data or "") > protocol.MOST_CHARACTERS:
            await self._refuse("too_large", f"A frame may have {protocol.MOST_CHARACTERS} characters.")
            self.outlet.close(protocol.TOO_BIG)
        elif not self.outlet.closed:
            try:
                kind, content = protocol.read(text_data)
                await self._act(kind, content)
            except protocol.Malformed as error:
                await self._refuse("invalid_frame", str(error))
            except Problem as error:
                await self._refuse(error.code, str(error))
            except Exception:
                logger.exception("inbox.socket_failed")
                self.outlet.close(protocol.SERVER_FAULT)

    async def disconnect(self, code: int) -> None:
        if self._timer is not None:
            self._timer.cancel()
        if self._rechecking is not None:
            self._rechecking.cancel()
        if self.end_user is not None:
            hub.leave(self.end_user.user.pk, self.outlet)
        self.outlet.drop()

    async def _act(self, kind: str, content: Any) -> None:
        if kind == "ping":
            await self.outlet.put('{"type":"pong"}')
        elif self.end_user is None and kind != "hello":
            await self._refuse("not_open", "Say hello first.")
        elif self.end_user is None:
            await self._open(content)
        elif kind == "hello":
            await self._refuse("already_open", "This socket is open already.")
        elif self.end_user.mode != Mode.LIVE:
            await self._refuse("not_found", "There is no such item in this inbox.")
        elif isinstance(content, protocol.ItemMark):
            user_pk = self.end_user.user.pk
            await in_thread(lambda: marks.mark(user_pk, content.id, kind, action=content.action))
        else:
            user_pk = self.end_user.user.pk
            await in_thread(lambda: marks.mark_all(user_pk, kind.removesuffix("-all"), category=content.category))

    async def _open(self, hello: protocol.Hello) -> None:
        self._token = hello.token
        end_user = await in_thread(self._identify)
        if end_user is None:
            self.outlet.close(protocol.NOT_AUTHENTICATED)
            return
        self.end_user = end_user
        self._check_again_later(end_user)
        # Live frames first, then what was missed: nothing can fall between. What is live already waits its turn.
        self.outlet.hold()
        if end_user.mode == Mode.LIVE:
            await hub.join(end_user.user.pk, self.outlet)
        at, frames = await in_thread(lambda: _missed(end_user, hello.since))
        for text in frames + self.outlet.release(lambda text: _number(text) <= at):
            await self.outlet.put(text)

    def _identify(self) -> EndUser | None:
        if self._token is not None:
            return identity.of_token(self._token)
        cookies = parse_cookie(_header(self.scope, b"cookie"))
        return identity.of_session(cookies.get(settings.SESSION_COOKIE_NAME))

    def _check_again_later(self, end_user: EndUser) -> None:
        left = RECHECK_SECONDS if end_user.expires_at is None else end_user.expires_at - time.time()
        self._after(max(0.0, min(left, RECHECK_SECONDS)), self._start_checking_again)

    def _start_checking_again(self) -> None:
        self._rechecking = asyncio.create_task(self._check_again())

    async def _check_again(self) -> None:
        try:
            end_user = await in_thread(self._identify)
        except Exception:
            logger.exception("inbox.recheck_failed")
            self.outlet.close(protocol.SERVER_FAULT)
            return
        if end_user is None or self.end_user is None or end_user.user.pk != self.end_user.user.pk:
            self.outlet.close(protocol.NOT_AUTHENTICATED)
        else:
            self._check_again_later(end_user)

    def _after(self, seconds: float, act: Callable[[], None]) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._timer = asyncio.get_running_loop().call_later(seconds, act)

    async def _refuse(self, code: str, detail: str) -> None:
        await self.outlet.put(frame(0, "error", code=code, detail=detail)[1])


def origin_is_allowed(scope: dict[str, Any]) -> bool:
    """Tell whether the page that opened a socket may: one of ours, or one that the operator named.

    A cookie goes to every port of a host, so the port tells our pages from those of other programs. Programs send no
    Origin, browsers always do.
    """
    origin = _header(scope, b"origin")
    if not origin or origin in settings.EMBED_ORIGINS:
        return True
    own = urlsplit(settings.PUBLIC_URL)
    if origin == f"{own.scheme}://{own.netloc}":
        return True
    host = _header(scope, b"host")
    name, _ = split_domain_port(host)
    return origin == f"{own.scheme}://{host}" and validate_host(name, settings.ALLOWED_HOSTS)


async def in_thread(act: Callable[[], Result]) -> Result:
    """Run database work beside the loop. Sockets do not wait for each other, as they would on Django's one thread."""
    result: Result = await database_sync_to_async(act, thread_sensitive=False)()
    return result


def _missed(end_user: EndUser, since: int | None) -> tuple[int, list[str]]:
    """Return the number that the frames bring a client to, and the frames: ready, then what changed after `since`."""
    user_pk = end_user.user.pk
    if end_user.mode != Mode.LIVE:
        return 0, [frame(user_pk, "ready", seq=0, counts=feed.Standing().counts)[1]]
    standing = feed.standing(user_pk)
    at = standing.seq
    frames = [frame(user_pk, "ready", seq=at, counts=standing.counts)[1]]
    if since is None or since == at:
        return at, frames
    changes = feed.changes(user_pk, since=since, limit=MOST_REPLAYED)
    if changes.more or since > at:
        return at, [*frames, hub.RESYNC]
    for item in changes.items:
        fresh = not (item["seen_at"] or item["read_at"] or item["archived_at"])
        frames.append(frame(user_pk, "item.created" if fresh else "item.updated", item=item)[1])
    return max([at, *(item["seq"] for item in changes.items)]), frames


def _number(text: str) -> float:
    """Return the change number of a live frame; one without a number is always news."""
    content = msgspec.json.decode(text)
    found = content.get("item", content).get("seq")
    return float("inf") if found is None else float(found)


def _header(scope: dict[str, Any], name: bytes) -> str:
    return next((value.decode("latin-1") for key, value in scope.get("headers", ()) if key == name), "")
