"""Many websockets from one process, cheaply: epoll and raw bytes, and a ledger of what each socket was sent."""

import base64
import os
import select
import socket
import struct
import time
from collections.abc import Sequence

_AT_ONCE = 64  # sockets that are being opened at a time
_HELLO = '{"type":"hello","token":"%s","since":null}'
TEXT, CLOSE = 0x1, 0x8


class Sockets:
    """Open websockets on one port of this machine. They read whenever `receive` is called, and never else."""

    def __init__(self, port: int, tokens: Sequence[str]) -> None:
        """Open one socket per token, say hello and wait until each was answered."""
        self._poll = select.epoll()
        self._sockets: dict[int, socket.socket] = {}
        self._got: dict[int, bytearray] = {}
        self.order: list[int] = []  # file numbers, in the order of the tokens
        started = time.perf_counter()
        for start in range(0, len(tokens), _AT_ONCE):
            self._open(port, tokens[start : start + _AT_ONCE])
        self.seconds_to_open = time.perf_counter() - started

    def receive(self, frames_each: int, seconds: float) -> float:
        """Read until every socket has so many text frames more, at most `seconds`; return how long that took.

        All frames have one size in one burst: bytes are counted while the clock runs, frames after it has stopped.
        """
        started = last = time.perf_counter()
        size = 0
        wanted = float("inf")
        total = 0
        while total < wanted and time.perf_counter() - started < seconds:
            for number, _ in self._poll.poll(0.5, 4096):
                data = self._sockets[number].recv(262_144)
                if not data:
                    self._poll.unregister(number)
                    continue
                got = self._got[number]
                got += data
                total += len(data)
                last = time.perf_counter()
                if not size:
                    size = _whole(got)
                    wanted = size * frames_each * len(self.order) if size else wanted
        return last - started

    def taken(self) -> list[list[bytes]]:
        """Return the texts each socket was sent since the last call, in the order of the tokens."""
        taken = []
        for number in self.order:
            texts, rest = _frames(self._got[number])
            self._got[number] = bytearray(rest)
            taken.append(texts)
        return taken

    def close(self) -> None:
        self._poll.close()
        for opened in self._sockets.values():
            opened.close()

    def _open(self, port: int, tokens: Sequence[str]) -> None:
        fresh = []
        for token in tokens:
            opened = socket.create_connection(("127.0.0.1", port), timeout=60)
            key = base64.b64encode(os.urandom(16)).decode()
            opened.sendall(
                f"GET /ws/inbox/ HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                f"Sec-WebSocket-Key: {key}\r\nSec-WebSocket-Version: 13\r\n\r\n".encode()
            )
            fresh.append((opened, token))
        for opened, token in fresh:
            head = b""
            while b"\r\n\r\n" not in head:
                head += opened.recv(4096)
            if not head.startswith(b"HTTP/1.1 101"):
                raise RuntimeError(f"The socket was refused: {head[:200]!r}")
            opened.sendall(_masked((_HELLO % token).encode()))
        for opened, _ in fresh:
            self._wait_until_ready(opened)
            number = opened.fileno()
            self._sockets[number], self._got[number] = opened, bytearray()
            self.order.append(number)
            opened.setblocking(False)
            self._poll.register(number, select.EPOLLIN)

    def _wait_until_ready(self, opened: socket.socket) -> None:
        got = b""
        while not _frames(got)[0]:
            data = opened.recv(4096)
            if not data:
                raise RuntimeError("The socket was closed at its hello.")
            got += data
        if b"ready" not in _frames(got)[0][0]:
            raise RuntimeError(f"No ready: {got[:200]!r}")


def _masked(payload: bytes) -> bytes:
    """Return a client's text frame; a mask of zeros is a mask (RFC 6455 §5.3)."""
    size = len(payload)
    head = struct.pack("!BB", 0x81, 0x80 | size) if size < 126 else struct.pack("!BBH", 0x81, 0x80 | 126, size)
    return head + bytes(4) + payload


def _whole(data: bytes | bytearray) -> int:
    """Return how many bytes the first frame of `data` has, its head included; 0 when it is not all there."""
    if len(data) < 4:
        return 0
    short = data[1] & 0x7F
    size = 2 + short if short < 126 else 4 + int.from_bytes(data[2:4], "big")
    return size if len(data) >= size else 0


def _frames(data: bytes | bytearray) -> tuple[list[bytes], bytes]:
    """Return the texts of the whole frames, and what is left. A close frame becomes its reason's bytes."""
    texts, at, view = [], 0, memoryview(bytes(data))
    while size := _whole(bytes(view[at : at + 70_000])):
        head = 2 if view[at + 1] & 0x7F < 126 else 4
        if view[at] & 0x0F in (TEXT, CLOSE):
            texts.append(bytes(view[at + head : at + size]))
        at += size
    return texts, bytes(view[at:])
