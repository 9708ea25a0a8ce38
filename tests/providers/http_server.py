"""An HTTP service for tests: it obeys a script and keeps what it was asked."""

import asyncio
import json
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl


@dataclass(frozen=True)
class Asked:
    """One request."""

    method: str
    path: str  # with its query
    headers: dict[str, str]  # names in lower case
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def form(self) -> dict[str, str]:
        return dict(parse_qsl(self.body.decode(), keep_blank_values=True))


@dataclass(frozen=True)
class Says:
    """What the service does with a request."""

    status: int = 200
    body: Any = b""  # bytes as they are, or anything that JSON can hold
    headers: dict[str, str] = field(default_factory=dict)
    delay: float = 0.0  # seconds before the answer
    then: str = "answer"  # or "hang": say nothing; "reset": hang up; "stall": hang after the head; "cut": hang up there


Script = Callable[[Asked], Says]


class Service:
    """`async with Service(Says(201)) as service:` listens at `service.url`; without a script it says 200.

    `says` is taken one by one, the last one again and again; or it is a function of the request.
    """

    def __init__(self, *says: Says | Script, ssl: Any = None) -> None:
        self.says = deque(says or [Says()])
        self.asked: list[Asked] = []
        self.connections = 0
        self.most_at_once = 0
        self._at_once = 0
        self._ssl = ssl
        self._writers: set[asyncio.StreamWriter] = set()

    async def __aenter__(self) -> "Service":
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0, ssl=self._ssl)
        self.port = self._server.sockets[0].getsockname()[1]
        self.url = f"{'https' if self._ssl else 'http'}://127.0.0.1:{self.port}"
        return self

    async def __aexit__(self, *_: object) -> None:
        self._server.close()
        for writer in list(self._writers):
            writer.transport.abort()
        await asyncio.sleep(0)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        self._writers.add(writer)
        try:
            while await self._answer(reader, writer):
                pass
        except (OSError, asyncio.IncompleteReadError, asyncio.CancelledError):
            pass
        finally:
            self._writers.discard(writer)
            writer.close()

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        asked = await _read(reader)
        self.asked.append(asked)
        says = self.says.popleft() if len(self.says) > 1 else self.says[0]
        says = says if isinstance(says, Says) else says(asked)
        self._at_once += 1
        self.most_at_once = max(self.most_at_once, self._at_once)
        try:
            await asyncio.sleep(says.delay)
            return await _obey(says, writer)
        finally:
            self._at_once -= 1


async def _obey(says: Says, writer: asyncio.StreamWriter) -> bool:
    body = says.body if isinstance(says.body, bytes) else json.dumps(says.body).encode()
    fields = {"Content-Length": str(len(body)), **says.headers}
    head = "".join(f"{name}: {value}\r\n" for name, value in fields.items())
    if says.then == "hang":
        await asyncio.sleep(3600)
    if says.then == "reset":
        writer.transport.abort()
        return False
    writer.write(f"HTTP/1.1 {says.status} Said\r\n{head}\r\n".encode())
    if says.then == "stall":
        await asyncio.sleep(3600)
    if says.then == "cut":
        await writer.drain()
        writer.transport.abort()
        return False
    writer.write(body)
    await writer.drain()
    return True


async def _read(reader: asyncio.StreamReader) -> Asked:
    first, *lines = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
    method, path, _ = first.split(" ")
    headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines if line)}
    return Asked(method, path, headers, await reader.readexactly(int(headers.get("content-length", 0))))
