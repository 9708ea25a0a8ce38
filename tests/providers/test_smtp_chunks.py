"""Many mails in one write, where a server takes chunks (RFC 3030)."""

import asyncio

import pytest
from msgspec.structs import replace

from notifications.providers import smtp_chunks
from notifications.providers.base import File
from notifications.providers.smtp_wire import Wire
from tests.providers.smtp_client import CHUNKS, chunking, kinds, mails, message, send, send_twice, smtp, words
from tests.providers.smtp_server import Server


def test_all_mails_of_a_connection_are_written_before_the_first_answer_is_awaited(monkeypatch):
    server = chunking()
    written = []
    original = Wire.write
    monkeypatch.setattr(Wire, "write", lambda wire, data: (written.append(bytes(data)), original(wire, data)))

    outcomes = send_twice(server, [message(1)], mails(2, 102), timeout=60)

    assert kinds(outcomes) == ["accepted"] * 100
    assert [mail.recipient for mail in server.received[1:]] == [f"{number}@example.com" for number in range(2, 102)]
    together = [data for data in written if data.count(b"BDAT") > 1]
    assert [data.count(b" LAST\r\n") for data in together] == [100]
    assert "DATA" not in words(server)


@pytest.mark.parametrize(
    ("extensions", "options"),
    [
        (("PIPELINING", "8BITMIME"), {}),
        (("CHUNKING", "8BITMIME"), {}),
        (CHUNKS, {"chunking": False}),
    ],
    ids=["no-chunking", "no-pipelining", "switched-off"],
)
def test_contents_go_one_by_one_unless_all_is_offered_and_wanted(extensions, options):
    server = Server(extensions=extensions)

    assert kinds(send(server, message(1), message(2), connections=1, **options)) == ["accepted"] * 2
    assert words(server).count("DATA") == 2 and "BDAT" not in words(server)


def test_dots_and_what_looks_like_the_end_of_a_mail_arrive_as_they_are():
    server = chunking()
    text = ".\n..two\n.\nMAIL FROM:<eve@example.com>\nRCPT TO:<eve@example.com>\nDATA\n.\nBDAT 3 LAST\nQUIT\n"

    outcomes = send_twice(
        server, [message(1)], [message(2, text=text), message(3, text="lone \r and \n in it"), message(4)]
    )

    assert kinds(outcomes) == ["accepted"] * 3 and len(server.received) == 4
    assert server.received[1].content.endswith(b"\r\n\r\n" + text.replace("\n", "\r\n").encode())
    assert not any("eve" in command for command in server.commands)
    for mail in server.received:
        rest = mail.content.replace(b"\r\n", b"")
        assert b"\r" not in rest and b"\n" not in rest


@pytest.mark.parametrize(
    ("stage", "reply", "kind"),
    [
        ("RCPT", "450 4.2.1 Mailbox busy", "transient"),
        ("RCPT", "452 4.2.2 Mailbox full", "transient"),
        ("RCPT", "550 5.1.1 <ada@example.com>: No such user", "recipient"),
        ("RCPT", "554 5.7.1 <ada@example.com>: Relay access denied", "account"),
        ("MAIL", "553 5.1.8 Sender address rejected", "account"),
        ("MAIL", "451 4.7.1 Greylisted", "transient"),
        ("MAIL", "552 5.3.4 Message too big", "recipient"),
        ("BDAT", "552 5.3.4 Message too big", "recipient"),
        ("BDAT", "452 4.3.1 No space", "transient"),
        (".", "554 5.7.1 Looks like spam", "recipient"),
        (".", "421 4.3.2 Going down", "transient"),
    ],
)
def test_a_refusal_in_the_middle_is_that_mail_s_alone(stage, reply, kind):
    async def refuse(session, command):
        hit = command == "." and session.recipient.startswith("5@") if stage == "." else False
        if stage in {"RCPT", "MAIL"} and command.startswith(stage):
            server.asked = getattr(server, "asked", 0) + 1
            hit = server.asked == 5
        if stage == "BDAT" and command == "." and session.recipient.startswith("5@"):
            hit = True
        if hit:
            session.say(reply)
            session.recipient = "" if stage != "RCPT" else session.recipient
            session.sender = "" if stage in {".", "BDAT"} else session.sender
        return hit

    server = chunking(hook=refuse)

    outcomes = send_twice(server, mails(1, 2), mails(2, 10))

    assert kinds(outcomes) == ["accepted"] * 3 + [kind] + ["accepted"] * 4
    assert [int(mail.recipient.partition("@")[0]) for mail in server.received] == [1, 2, 3, 4, 6, 7, 8, 9]
    assert reply[4:9] in outcomes[3].error and "@" not in outcomes[3].error


def test_every_outcome_belongs_to_its_own_mail():
    async def choosy(session, command):
        number = int(session.recipient.partition("@")[0] or 0) if session.recipient else 0
        if command.startswith("RCPT") and int(command.partition("<")[2].partition("@")[0]) % 5 == 1:
            session.say("550-5.1.1 No such\r\n550 5.1.1 user")
            return True
        if command == "." and number % 5 == 2:
            session.sender = session.recipient = ""
            session.say("452 4.3.1 No space")
            return True
        await asyncio.sleep(0)
        return False

    server = chunking(hook=choosy)
    outcomes = send(server, *mails(1, 201), connections=8)

    expected = {0: "accepted", 1: "recipient", 2: "transient", 3: "accepted", 4: "accepted"}
    assert kinds(outcomes) == [expected[number % 5] for number in range(1, 201)]
    assert sorted(int(mail.recipient.partition("@")[0]) for mail in server.received) == [
        number for number in range(1, 201) if expected[number % 5] == "accepted"
    ]


def test_files_and_large_mails_arrive_whole_in_bounded_writes(monkeypatch):
    sizes = []
    original = Wire.write
    monkeypatch.setattr(Wire, "write", lambda wire, data: (sizes.append(len(data)), original(wire, data)))
    server = chunking()
    content = bytes(range(256)) * 4000
    files = (File("a.bin", "application/octet-stream", content),)
    text = "\n".join(["x" * 70] * 3000)

    outcomes = send_twice(
        server,
        [message(1)],
        [replace(message(2), files=files), *(message(n, text=text) for n in range(3, 9)), message(9)],
    )

    assert kinds(outcomes) == ["accepted"] * 8
    wire = text.replace("\n", "\r\n").encode()
    assert [mail.content.partition(b"\r\n\r\n")[2] for mail in server.received[2:-1]] == [wire + b"\r\n"] * 6
    assert len(server.received[1].content) > len(content) * 4 / 3
    assert max(sizes) <= smtp_chunks._AT_ONCE + 1024


def test_an_address_beyond_ascii_is_announced_as_such():
    server = chunking()

    send_twice(server, [message(1)], [message(2), message(3, to="jürgen@bücher.example"), message(4)])

    assert server.commands.count("MAIL FROM:<shop@example.com> SMTPUTF8 BODY=8BITMIME") == 1
    assert server.received[2].recipient == "jürgen@xn--bcher-kva.example"
    assert not any("BINARYMIME" in command for command in server.commands)


@pytest.mark.parametrize(("pace", "most"), [(0.001, 1), (0.1, 8)], ids=["quick", "slow"])
def test_mails_are_shared_out_evenly_over_connections_that_are_worth_it(pace, most):
    server = chunking()

    async def carried(provider, count):
        before = {session: session.mails for session in server.open_sessions}
        await provider.send_many(mails(0, count))
        gained = [session.mails - before.get(session, 0) for session in server.open_sessions]
        return sorted(mails for mails in gained if mails)

    async def run():
        async with server:
            provider = smtp(server, connections=8, timeout=60)
            await provider.send_many(mails(0, 100))
            many = await carried(provider, 100)
            provider._pace = pace
            return many, await carried(provider, 8)

    assert asyncio.run(run()) == ([9, *[13] * 7], [8 // most] * most)
    assert server.connections == 8
