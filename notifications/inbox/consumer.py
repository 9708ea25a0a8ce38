"""The inbox socket, /ws/inbox/: hello, what was missed, then live. docs/inbox.md describes the protocol."""

import asyncio
import logging
import math
import time
from collections.abc import Awaitable, Callable
from typing import Any
from urllib.parse import urlsplit

from channels.generic.websocket import AsyncWebsocketConsumer
from django.conf import settings
from django.http import parse_cookie
from django.http.request import split_domain_port, validate_host

from notifications.inbox import arrivals, feed, hub, identity, marks, protocol
from notifications.inbox.arrivals import in_thread
from notifications.inbox.items import frame
from notifications.inbox.outlet import Outlet, Send
from notifications.inbox.tokens import Claims
from notifications.models import Mode
from project.foundation.problems import Problem

HELLO_SECONDS = 5
RECHECK_SECONDS = 300  # how long a socket outlives the end of its session
MOST_REPLAYED = 200  # missed items; above, the client asks again

logger = logging.getLogger(__name__)
Receive = Callable[[], Awaitable[dict[str, Any]]]


class InboxConsumer(AsyncWebsocketConsumer):  # type: ignore[misc]
    """One socket of one person."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._claims: Claims | None = None
        self._session_key: str | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._rechecking: asyncio.Task[None] | None = None

    async def __call__(self, scope: dict[str, Any], receive: Receive, send: Send) -> None:
        """Serve the socket until it closes.

        Channels' own loop would take a task for each socket, and a hop through a thread for each of its frames.
        """
        self.base_send, self.outlet = send, Outlet(send)
        await receive()  # websocket.connect
        try:
            await self._connect(scope)
            while (message := await receive())["type"] == "websocket.receive":
                await self.receive(message.get("text"), message.get("bytes"))
        finally:
            self._leave()

    async def _connect(self, scope: dict[str, Any]) -> None:
        self._session_key = parse_cookie(_header(scope, b"cookie")).get(settings.SESSION_COOKIE_NAME)
        await self.accept()
        if origin_is_allowed(scope):
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

    def _leave(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
        if self._rechecking is not None:
            self._rechecking.cancel()
        if self._claims is not None:
            hub.leave(self._claims.user_pk, self.outlet)
        self.outlet.drop()

    async def _act(self, kind: str, content: Any) -> None:
        if kind == "ping":
            await self.outlet.put('{"type":"pong"}')
        elif self._claims is None and kind != "hello":
            await self._refuse("not_open", "Say hello first.")
        elif self._claims is None:
            await self._open(content)
        elif kind == "hello":
            await self._refuse("already_open", "This socket is open already.")
        elif self._claims.mode != Mode.LIVE:
            await self._refuse("not_found", "There is no such item in this inbox.")
        elif isinstance(content, protocol.ItemMark):
            user_pk = self._claims.user_pk
            await in_thread(lambda: marks.mark(user_pk, content.id, kind, action=content.action))
        else:
            user_pk = self._claims.user_pk
            await in_thread(lambda: marks.mark_all(user_pk, kind.removesuffix("-all"), category=content.category))

    async def _open(self, hello: protocol.Hello) -> None:
        if hello.token is not None:
            self._session_key = None
        claims = await self._claimed(hello.token)
        if claims is None:
            self.outlet.close(protocol.NOT_AUTHENTICATED)
            return
        self._claims = claims
        # Live frames first, then how it stands: nothing can fall between. What is live already waits its turn.
        self.outlet.hold()
        if claims.mode == Mode.LIVE:
            await hub.join(claims.user_pk, self.outlet)
        arrival = await arrivals.ask(claims.user_pk)
        if arrival is None or arrival.user_id != claims.user_id:
            self.outlet.close(protocol.NOT_AUTHENTICATED)
            return
        self._check_again_later(claims)
        at, frames = await _missed(claims, arrival.standing, hello.since)
        for text in frames + self.outlet.release(at):
            await self.outlet.put(text)

    async def _claimed(self, token: str | None) -> Claims | None:
        """Return who the client says to be, and can prove to have been let in as; a token needs no query."""
        if token is not None:
            return identity.claims_of(token)
        key = self._session_key
        end_user = await in_thread(lambda: identity.of_session(key)) if key else None
        if end_user is None:
            return None
        return Claims(end_user.user.user_id, end_user.user.pk, end_user.mode, math.inf)

    def _check_again_later(self, claims: Claims) -> None:
        left = claims.expires_at - time.time()
        self._after(max(0.0, min(left, RECHECK_SECONDS)), self._start_checking_again)

    def _start_checking_again(self) -> None:
        self._rechecking = asyncio.create_task(self._check_again())

    async def _check_again(self) -> None:
        claims = self._claims
        assert claims is not None, "Only an open socket is looked at again."
        try:
            if await self._may_stay(claims):
                self._check_again_later(claims)
            else:
                self.outlet.close(protocol.NOT_AUTHENTICATED)
        except Exception:
            logger.exception("inbox.recheck_failed")
            self.outlet.close(protocol.SERVER_FAULT)

    async def _may_stay(self, claims: Claims) -> bool:
        if self._session_key is not None:
            now = await self._claimed(None)
            return now is not None and now.user_pk == claims.user_pk
        if claims.expires_at <= time.time():
            return False
        arrival = await arrivals.ask(claims.user_pk)
        return arrival is not None and arrival.user_id == claims.user_id

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


async def _missed(claims: Claims, standing: feed.Standing, since: int | None) -> tuple[int, list[str]]:
    """Return the number that the frames bring a client to, and the frames: ready, then what changed after `since`."""
    if claims.mode != Mode.LIVE:
        return 0, [_ready(feed.Standing())]
    at, frames = standing.seq, [_ready(standing)]
    if since is None or since == at:
        return at, frames
    changes = await in_thread(lambda: feed.changes(claims.user_pk, since=since, limit=MOST_REPLAYED))
    if changes.more or since > at:
        return at, [*frames, hub.RESYNC]
    for item in changes.items:
        fresh = not (item["seen_at"] or item["read_at"] or item["archived_at"])
        frames.append(frame(claims.user_pk, "item.created" if fresh else "item.updated", item=item)[1])
    return max([at, *(item["seq"] for item in changes.items)]), frames


def _ready(standing: feed.Standing) -> str:
    return frame(0, "ready", seq=standing.seq, counts=standing.counts)[1]


def _header(scope: dict[str, Any], name: bytes) -> str:
    return next((value.decode("latin-1") for key, value in scope.get("headers", ()) if key == name), "")
