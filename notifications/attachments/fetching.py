"""Files of callers, fetched by URL when the mail leaves: through the guard of egress, within a time and a size.

A URL is asked once, however many mails of a sub-batch want it. Redirects are not followed: where they lead is judged
by nobody who gave the URL. A server that did not answer in time is left alone for a while, so that it holds up one
sub-batch and not the ones behind it.
"""

import asyncio
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from notifications import retries
from notifications.attachments import names
from notifications.attachments.body import MAX_BYTES
from notifications.providers.base import Outcome
from project.foundation import egress
from project.foundation.egress import Target
from project.foundation.on_demand import OnDemand

if TYPE_CHECKING:
    import aiohttp
    import yarl
else:
    aiohttp, yarl = OnDemand("aiohttp"), OnDemand("yarl")

TIME_SECONDS = 10.0  # for all files of a sub-batch
LEFT_ALONE_SECONDS = 30.0  # a server that did not answer
_MOST_ADDRESSES = 2  # of one host that are tried
_CONNECT_SECONDS = 4.0
_LATER_MAY_WORK = {408, 425, 429}  # and 5xx
_GENERIC = {"", names.ANY_TYPE, "binary/octet-stream", "application/x-download", "application/force-download"}

_silent: dict[str, float] = {}  # until when (time.monotonic) each host of this process is left alone


@dataclass(frozen=True, slots=True)
class Fetched:
    content: bytes
    content_type: str  # as the server says, without parameters; "" when it says nothing of use


class NotFetched(Exception):
    """The file is not to be had: for now ("transient") or for good ("recipient"). Its words begin in small letters."""

    def __init__(self, outcome: Outcome) -> None:
        super().__init__(outcome.error)
        self.outcome = outcome


class Fetching:
    """The files of one sub-batch. `async with` keeps its connections; `get` may be called many times at once."""

    def __init__(self, *, deadline: float, resolver: egress.Resolver | None = None) -> None:
        """`deadline` is a time of the running loop's clock."""
        self._deadline = deadline
        self._resolver = resolver
        self._asked: dict[str, asyncio.Task[Fetched]] = {}
        self.held = 0  # bytes of files in memory, those of mails that had to be given up included

    async def __aenter__(self) -> "Fetching":
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=0),
            cookie_jar=aiohttp.DummyCookieJar(),
            headers={"User-Agent": "Carillon", "Accept": "*/*", "Accept-Encoding": "identity"},
            auto_decompress=False,  # a small answer must not become a large file
        )
        return self

    async def __aexit__(self, *_: object) -> None:
        for task in self._asked.values():
            task.cancel()
        await asyncio.gather(*self._asked.values(), return_exceptions=True)
        await self._session.close()

    async def get(self, url: str) -> Fetched:
        """Return the file behind a URL. Raises NotFetched."""
        if url not in self._asked:
            self._asked[url] = asyncio.create_task(self._fetch(url))
        return await self._asked[url]

    async def _fetch(self, url: str) -> Fetched:
        host = urlsplit(url).netloc
        if _silent.get(host, 0.0) > time.monotonic():
            raise _for_now("the server did not answer a moment ago.", retry_after=LEFT_ALONE_SECONDS)
        try:
            async with asyncio.timeout_at(self._deadline):
                return await self._from_any(await egress.resolve(url, resolver=self._resolver))
        except egress.Refused as refusal:
            raise _for_good(f"the URL is not allowed. {refusal}") from None
        except egress.NotFound:
            raise _for_now("the URL's host was not found.") from None
        except TimeoutError:
            _leave_alone(host)
            raise _for_now("it did not come in time.") from None
        except (aiohttp.ClientError, OSError, ValueError):
            raise _for_now("the connection to its server broke.") from None

    async def _from_any(self, targets: list[Target]) -> Fetched:
        *first, last = targets[:_MOST_ADDRESSES]
        for target in first:
            try:
                return await self._from(target)
            except (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError):
                continue
        return await self._from(last)

    async def _from(self, target: Target) -> Fetched:
        # As it was given: signed URLs do not bear another spelling.
        url = yarl.URL(target.url, encoded=target.url.isascii())
        timeout = aiohttp.ClientTimeout(total=None, connect=_CONNECT_SECONDS)
        async with self._session.get(
            url,
            headers={"Host": target.host},
            allow_redirects=False,
            server_hostname=target.server_name,
            timeout=timeout,
        ) as response:
            _judge(response)
            content = bytearray()
            async for chunk in response.content.iter_any():
                content += chunk
                if len(content) > MAX_BYTES:
                    raise _too_large()
        if not content:
            raise _for_good("the server sent an empty file.")
        if names.is_program(bytes(content[:64])):
            raise _for_good("it is a program, which mailboxes refuse.")
        self.held += len(content)
        stated = names.plain(response.headers.get("Content-Type", ""))
        return Fetched(bytes(content), "" if stated in _GENERIC else stated)


def forget() -> None:
    """Ask servers again that did not answer."""
    _silent.clear()


def _judge(response: "aiohttp.ClientResponse") -> None:
    """Raise NotFetched unless the answer is a file that may be read."""
    status = response.status
    if status in _LATER_MAY_WORK or status >= 500:
        wait = retries.read_retry_after(response.headers.get("Retry-After", ""), datetime.now(tz=UTC))
        raise _for_now(f"the server answered {status}.", retry_after=wait)
    if 300 <= status < 400:
        raise _for_good(f"the server answered {status}, and redirects are not followed.")
    if status != 200:
        raise _for_good(f"the server answered {status}.")
    if response.headers.get("Content-Encoding", "identity").strip().lower() not in ("", "identity"):
        raise _for_good("the server sent it packed, though it was asked not to.")
    if (response.content_length or 0) > MAX_BYTES:
        raise _too_large()


def _leave_alone(host: str) -> None:
    now = time.monotonic()
    for other in [other for other, until in _silent.items() if until <= now]:
        del _silent[other]
    _silent[host] = now + LEFT_ALONE_SECONDS


def _too_large() -> NotFetched:
    return _for_good(f"the files of one mail may have {MAX_BYTES} bytes together.")


def _for_now(error: str, *, retry_after: float | None = None) -> NotFetched:
    return NotFetched(Outcome.transient(error, retry_after=retry_after))


def _for_good(error: str) -> NotFetched:
    return NotFetched(Outcome.recipient(error))
