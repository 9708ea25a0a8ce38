"""How much is read, how long it is waited for, and how much is held at once."""

import asyncio
import random
import time
from datetime import timedelta

import pytest

from notifications import delivery
from notifications.attachments import fetching, loading
from notifications.models import Attempt
from notifications.providers import loop
from tests.flow import run_until_idle
from tests.providers.http_server import Says

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("outbox_accounts")]

PDF = b"%PDF-1.7 an invoice"


def test_a_file_without_an_announced_end_is_cut_off(mailed, sent, monkeypatch, this_machine_allowed):
    monkeypatch.setattr(fetching, "MAX_BYTES", 100_000)
    written = []

    async def endless(reader, writer):
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n")
        try:
            while True:
                writer.write(b"a" * 10_000)
                written.append(10_000)
                await writer.drain()
        except OSError:
            pass
        finally:
            writer.close()

    server = loop.run(asyncio.start_server(endless, "127.0.0.1", 0), deadline_seconds=2)
    row = mailed({"url": f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/a.txt"})
    delivery.deliver_due("email")

    row.refresh_from_db()
    assert row.error == "Attachment 1: the files of one mail may have 100000 bytes together."
    assert sum(written) < 20_000_000  # what lies in the sockets' buffers, and no more
    server.close()


def test_no_more_is_read_than_a_mail_may_carry(mailed, files, sent, monkeypatch):
    monkeypatch.setattr(fetching, "MAX_BYTES", 100_000)
    server = files(Says(200, b"a" * 200_000))

    row = mailed({"url": f"{server.url}/a.txt"})
    delivery.deliver_due("email")

    row.refresh_from_db()
    assert (row.status, row.dead) == ("failed", True)
    assert row.error == "Attachment 1: the files of one mail may have 100000 bytes together."


def test_files_that_are_too_large_together_fail_the_mail(mailed, files, sent, monkeypatch):
    monkeypatch.setattr(loading, "MAX_BYTES", 1000)
    server = files(Says(200, b"a" * 600))

    row = mailed({"url": f"{server.url}/a.txt"}, {"url": f"{server.url}/b.txt"})
    delivery.deliver_due("email")

    row.refresh_from_db()
    assert row.error == "Attachment 2: the files of one mail may have 1000 bytes together."


def test_what_has_no_room_waits_for_the_next_sub_batch_untried(mailed, files, sent, monkeypatch):
    monkeypatch.setattr(loading, "_MOST_BYTES", 1)
    monkeypatch.setattr(loading, "_AT_ONCE", 1)
    server = files(Says(200, PDF))

    rows = [mailed({"url": f"{server.url}/{n}.pdf"}) for n in range(3)]
    assert delivery.deliver_due("email") == 3

    assert len(sent) == 1
    run_until_idle()
    assert len(sent) == 3 and len(server.asked) == 3
    for row in rows:
        row.refresh_from_db()
        assert (row.status, row.attempts) == ("sent", 1)


def test_files_of_mails_that_are_given_up_take_their_room_too(mailed, files, sent, monkeypatch):
    monkeypatch.setattr(loading, "_MOST_BYTES", 1000)
    monkeypatch.setattr(loading, "_AT_ONCE", 1)
    monkeypatch.setattr(loading, "MAX_BYTES", 1000)
    server = files(Says(200, b"a" * 600))

    for n in range(3):
        mailed({"url": f"{server.url}/{n}.txt"}, {"url": f"{server.url}/{n}{n}.txt"})
    delivery.deliver_due("email")

    assert len(server.asked) == 2, "those of the first mail fill the room, though it cannot go out"


def test_a_server_that_hangs_is_asked_once_and_then_left_alone(mailed, files, sent, monkeypatch):
    monkeypatch.setattr(loading, "TIME_SECONDS", 2.0)
    monkeypatch.setattr(random, "random", lambda: 1.0)  # waits are whole
    server = files(Says(200, PDF, then="stall"))

    rows = [mailed({"url": f"{server.url}/{n}.pdf"}) for n in range(2)] + [mailed()]
    began = time.monotonic()
    delivery.deliver_due("email")
    took = time.monotonic() - began
    late = mailed({"url": f"{server.url}/late.pdf"})
    delivery.deliver_due("email")

    assert took < 9
    for row in [*rows, late]:
        row.refresh_from_db()
    assert [row.error for row in rows] == ["Attachment 1: it did not come in time."] * 2 + [""]
    assert [row.status for row in rows] == ["queued", "queued", "sent"]
    assert late.error == "Attachment 1: the server did not answer a moment ago."
    assert late.due_at > Attempt.objects.get(delivery=late).finished_at + timedelta(seconds=29)
    assert len(server.asked) == 2
