"""An HTTP/2 service without encryption for tests: it obeys the same script as tests.providers.http_server."""

import asyncio
import json
from collections import deque
from typing import Any

import h2.config
import h2.connection
import h2.events

from tests.providers.http_server import Asked, Says, Script


class Http2Service:
    """`async with Http2Service(Says(200)) as service:` listens at `service.url`."""

    def __init__(self, *says: Says | Script) -> None:
        self.says = deque(says or [Says()])
        self.asked: list[Asked] = []
        self.connections = 0
        self._writers: set[asyncio.StreamWriter] = set()
        self._tasks: set[asyncio.Task[None]] = set()

    async def __aenter__(self) -> "Http2Service":
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"
        return self

    async def __aexit__(self, *_: object) -> None:
        self._server.close()
        for writer in list(self._writers):
            writer.transport.abort()
        await asyncio.sleep(0)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        self._writers.add(writer)
        connection = h2.connection.H2Connection(h2.config.H2Configuration(client_side=False))
        connection.initiate_connection()
        writer.write(connection.data_to_send())
        requests: dict[int, tuple[dict[str, str], bytearray]] = {}
        try:
            while data := await reader.read(65536):
                for event in connection.receive_data(data):
                    self._take(event, connection, requests, writer)
                writer.write(connection.data_to_send())
                await writer.drain()
        except (OSError, asyncio.CancelledError):
            pass
        finally:
            self._writers.discard(writer)
            writer.close()

    def _take(self, event: Any, connection: Any, requests: Any, writer: asyncio.StreamWriter) -> None:
        if isinstance(event, h2.events.RequestReceived):
            headers = {name.decode(): value.decode() for name, value in event.headers}
            requests[event.stream_id] = (headers, bytearray())
        elif isinstance(event, h2.events.DataReceived):
            requests[event.stream_id][1].extend(event.data)
            connection.acknowledge_received_data(event.flow_controlled_length, event.stream_id)
        elif isinstance(event, h2.events.StreamEnded):
            headers, body = requests.pop(event.stream_id)
            task = asyncio.ensure_future(self._answer(event.stream_id, headers, bytes(body), connection, writer))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def _answer(self, stream: int, headers: Any, body: bytes, connection: Any, writer: Any) -> None:
        asked = Asked(headers[":method"], headers[":path"], headers, body)
        self.asked.append(asked)
        script = self.says[0] if len(self.says) == 1 else self.says.popleft()
        says = script(asked) if callable(script) else script
        await asyncio.sleep(says.delay)
        if says.then == "hang":
            return
        if says.then == "reset":
            writer.transport.abort()
            return
        content = says.body if isinstance(says.body, bytes) else json.dumps(says.body).encode()
        connection.send_headers(stream, [(":status", str(says.status)), *says.headers.items()], end_stream=not content)
        if content:
            connection.send_data(stream, content, end_stream=True)
        writer.write(connection.data_to_send())
