"""What stands between us and a service, and can break: let pass, fall silent, hang up, refuse."""

import asyncio
import re
import threading
from contextlib import suppress
from dataclasses import dataclass, field

from tests.faults.background import Background


@dataclass
class Catch:
    """Holds one connection at a statement: before the service hears it, or after it was carried out unheard by us."""

    opening: re.Pattern[bytes]  # what the connection must have said first
    word: bytes  # what it is then held at
    before: bool
    caught: threading.Event = field(default_factory=threading.Event)


class _Link:
    """One connection through the proxy."""

    def __init__(self, client: asyncio.StreamWriter, service: asyncio.StreamWriter) -> None:
        self.writers = (client, service)
        self.opened = False  # it has said the opening of a catch
        self.held = asyncio.Event()
        self.held.set()

    def abort(self) -> None:
        for writer in self.writers:
            writer.transport.abort()


class Proxy:
    """`port` is where to connect instead of the service."""

    def __init__(self, background: Background, host: str, port: int) -> None:
        self._background = background
        self._service = (host, port)
        self._links: set[_Link] = set()
        self._catch: Catch | None = None
        self._flowing = asyncio.Event()
        self._flowing.set()
        self._server = background.run(self._listen(0))
        self.port: int = self._server.sockets[0].getsockname()[1]

    def reset(self) -> None:
        """Cut every open connection; new ones are let through."""
        self._background.call(self._abort_all)

    def drop(self) -> None:
        """Cut every open connection and refuse new ones, as a service that is down."""

        def drop() -> None:
            self._server.close()
            self._abort_all()

        self._background.call(drop)

    def stall(self) -> None:
        """Let connections be opened and say nothing more on any, as a network that swallows packets."""
        self._background.call(self._flowing.clear)

    def heal(self) -> None:
        """Let everything pass again."""

        async def heal() -> None:
            self._flowing.set()
            if not self._server.is_serving():
                self._server = await self._listen(self.port)

        self._background.run(heal())

    def catch(self, opening: str, word: str = "COMMIT", *, before: bool) -> Catch:
        """Hold the next connection that says `word` after `opening`; let it go by `reset` or `drop` alone."""
        catch = Catch(re.compile(opening.encode(), re.IGNORECASE), word.encode(), before)

        def set_catch() -> None:
            self._catch = catch

        self._background.call(set_catch)
        return catch

    def close(self) -> None:
        self.drop()

    async def _listen(self, port: int) -> asyncio.Server:
        return await asyncio.start_server(self._connect, "127.0.0.1", port)

    def _abort_all(self) -> None:
        for link in list(self._links):
            link.abort()

    async def _connect(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            service_reader, service_writer = await asyncio.open_connection(*self._service)
        except OSError:
            writer.transport.abort()
            return
        link = _Link(writer, service_writer)
        self._links.add(link)
        try:
            await asyncio.gather(
                self._pump(reader, service_writer, link, asking=True),
                self._pump(service_reader, writer, link, asking=False),
            )
        except (OSError, asyncio.CancelledError):
            pass
        finally:
            self._links.discard(link)
            link.abort()

    async def _pump(
        self, source: asyncio.StreamReader, target: asyncio.StreamWriter, link: _Link, *, asking: bool
    ) -> None:
        while data := await source.read(65536):
            await self._flowing.wait()
            if asking:
                await self._look(data, link)
            else:
                await link.held.wait()
            target.write(data)
            await target.drain()
        with suppress(OSError):
            target.write_eof()

    async def _look(self, data: bytes, link: _Link) -> None:
        catch = self._catch
        if catch is None:
            return
        link.opened = link.opened or bool(catch.opening.search(data))
        if link.opened and catch.word in data:
            self._catch = None
            link.held.clear()
            # Before: the word waits here. After: it goes on, and the answer waits.
            asyncio.get_running_loop().call_later(0 if catch.before else 0.3, catch.caught.set)
            if catch.before:
                await link.held.wait()
