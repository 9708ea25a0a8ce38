"""What one mail costs on the wire, in writes: each of them waits for the answer to the one before."""

import asyncio
from collections.abc import Iterator
from typing import Any

import pytest

from notifications.mail import Mail
from notifications.providers.smtp_chunks import Chunking, Chunks, Letter
from notifications.providers.smtp_connection import Connection
from notifications.providers.smtp_wire import Wire
from tests import steps
from tests.providers.smtp_client import kinds, message, send
from tests.providers.smtp_server import Server


@pytest.mark.parametrize(
    ("extensions", "most"),
    [(("PIPELINING", "8BITMIME", "CHUNKING"), 0), (("PIPELINING", "8BITMIME"), 1), (("8BITMIME",), 4)],
)
def test_one_more_mail_costs_no_write_with_chunks_one_with_pipelining_and_four_without(
    extensions: tuple[str, ...], most: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    few = _writes(20, extensions, monkeypatch)
    many = _writes(60, extensions, monkeypatch)

    assert many - few <= most * 40


def test_a_connection_costs_one_greeting_whatever_it_carries(monkeypatch: pytest.MonkeyPatch) -> None:
    server = Server()

    outcomes = send(server, *[message(number) for number in range(50)], connections=1)

    assert set(kinds(outcomes)) == {"accepted"} and len(server.received) == 50
    assert server.connections == 1
    assert [command.split()[0] for command in server.commands].count("EHLO") == 1


def _writes(count: int, extensions: tuple[str, ...], monkeypatch: pytest.MonkeyPatch) -> int:
    """Send `count` mails over one connection; return how often it was written to."""
    written: list[bytes] = []
    original = Wire.write

    def noted(wire: Wire, data: bytes) -> None:
        written.append(data)
        original(wire, data)

    with monkeypatch.context() as patched:
        patched.setattr(Wire, "write", noted)
        server = Server(extensions=extensions)
        outcomes = send(server, *[message(number) for number in range(count)], connections=1, timeout=60)
    assert set(kinds(outcomes)) == {"accepted"} and len(server.received) == count
    return len(written)


def test_one_more_mail_costs_no_more_instructions_than_it_did() -> None:
    """The bound is what was counted when it was written, plus a quarter."""
    assert asyncio.run(_instructions_of_one_more()) <= 555


def test_one_more_mail_of_those_that_leave_together_costs_no_more_instructions_than_it_did() -> None:
    """The bound is what was counted when it was written, plus a quarter."""
    few, many = (asyncio.run(_instructions_together(count)) for count in (20, 60))

    assert (many - few) / 40 <= 230


class _Silent(asyncio.Transport):
    def write(self, data: Any) -> None:
        return None


async def _instructions_of_one_more() -> int:
    wire, settled = Wire(), []
    wire._transport = _Silent()
    letters: Iterator[Letter] = iter(
        [Letter(n, Mail("a@a.example", "b@b.example", "<1>", b"", False)) for n in range(9)]
    )
    connection = Connection(wire, {"PIPELINING": ""})
    carrying = asyncio.create_task(
        connection.carry(lambda: next(letters, None), lambda letter, outcome: settled.append(outcome))
    )
    await asyncio.sleep(0)
    wire.data_received(b"250 a\r\n250 b\r\n354 c\r\n")
    counted = [steps.count(lambda: wire.data_received(b"250 d\r\n250 a\r\n250 b\r\n354 c\r\n")) for _ in range(8)]
    wire.data_received(b"250 d\r\n")
    await carrying
    assert [outcome.kind for outcome in settled] == ["accepted"] * 9
    return counted[-2]


async def _instructions_together(count: int) -> int:
    """Count writing so many mails, reading their answers and settling; building them is left out."""
    wire, settled = Wire(), []
    wire._transport = _Silent()
    wire.patient = True
    one = Mail("a@a.example", "b@b.example", "<1>", b"Hello.\r\n", False)
    letters: Iterator[Letter] = iter([Letter(number, one) for number in range(count)])
    talk = Chunks(wire, Chunking(), clean=False).carry(
        lambda: next(letters, None), lambda letter, outcome: settled.append(outcome)
    )
    counted = steps.count(lambda: next(talk))
    counted += steps.count(lambda: wire.data_received(b"250 Ok\r\n" * 4 * count))
    counted += steps.count(lambda: next(talk, None))
    assert [outcome.kind for outcome in settled] == ["accepted"] * count
    return counted
