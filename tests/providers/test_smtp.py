"""SMTP against a real server on a real socket that follows a script."""

import asyncio
import email
from email import policy

import pytest
from msgspec import structs

from notifications.providers.base import File
from tests.providers.smtp_client import kinds, message, send, smtp
from tests.providers.smtp_server import Server


@pytest.mark.parametrize("extensions", [("PIPELINING", "8BITMIME"), ()], ids=["pipelined", "lock-step"])
def test_every_mail_arrives_as_it_was_written(extensions):
    server = Server(extensions=extensions)

    outcomes = send(server, message(1), message(2, to="bob@example.com", text=".dot\n..two\n.\nend"), connections=1)

    assert kinds(outcomes) == ["accepted", "accepted"]
    first, second = server.received
    assert (first.sender, first.recipient) == ("shop@example.com", "ada@example.com")
    assert second.content.endswith(b"\r\n\r\n.dot\r\n..two\r\n.\r\nend\r\n")
    assert outcomes[0].provider_message_id.encode() in first.content


def test_mail_after_mail_goes_over_one_connection():
    server = Server()

    send(server, *(message(number) for number in range(20)), connections=1)

    assert len(server.received) == 20
    assert server.connections == 1


def test_an_account_opens_no_more_connections_than_it_may():
    server = Server()

    async def run():
        async with server:
            provider = smtp(server, connections=2)
            batches = ([message(10 * batch + number) for number in range(10)] for batch in range(1, 5))
            return await asyncio.gather(*(provider.send_many(batch) for batch in batches))

    outcomes = asyncio.run(run())

    assert all(kinds(batch) == ["accepted"] * 10 for batch in outcomes)
    assert len(server.received) == 40
    assert server.most_at_once == 2


def test_without_pipelining_each_command_waits_for_its_answer():
    waiting = []

    async def note(session, command):
        await asyncio.sleep(0.01)
        waiting.append(bytes(session.reader._buffer))
        return False

    server = Server(extensions=(), hook=note)

    assert kinds(send(server, message())) == ["accepted"]
    assert set(waiting) == {b""}


@pytest.mark.parametrize(
    ("stage", "reply", "kind"),
    [
        ("RCPT", "450 4.2.1 Mailbox busy", "transient"),
        ("RCPT", "451 4.3.0 Try later", "transient"),
        ("RCPT", "452 4.2.2 Mailbox full", "transient"),
        ("RCPT", "550 5.1.1 <ada@example.com>: No such user", "recipient"),
        ("RCPT", "550 No such user here", "recipient"),
        ("RCPT", "550 5.7.1 Blocked by the recipient's policy", "recipient"),
        ("RCPT", "554 5.7.1 <ada@example.com>: Relay access denied", "account"),
        ("RCPT", "530 5.7.0 Authentication required", "account"),
        ("RCPT", "550 5.1.8 Sender's domain not found", "account"),
        ("MAIL", "553 5.1.8 Sender address rejected", "account"),
        ("MAIL", "552 5.3.4 Message too big", "recipient"),
        ("MAIL", "451 4.7.1 Greylisted", "transient"),
        ("DATA", "554 5.5.1 No valid recipients", "recipient"),
        ("DATA", "451 4.3.0 Try later", "transient"),
        (".", "554 5.7.1 Looks like spam", "recipient"),
        (".", "452 4.3.1 No space", "transient"),
        (".", "421 4.3.2 Going down", "transient"),
    ],
)
@pytest.mark.parametrize("extensions", [("PIPELINING",), ()], ids=["pipelined", "lock-step"])
def test_a_refusal_means_what_its_codes_say_and_spoils_no_other_mail(stage, reply, kind, extensions):
    server = Server(extensions=extensions, replies={stage: [reply]})

    outcomes = send(server, message(1), message(2), connections=1)

    assert kinds(outcomes) == [kind, "accepted"]
    assert len(server.received) == 1
    assert b"Mail 2" in server.received[0].content
    assert "@" not in outcomes[0].error


def test_a_server_that_wants_content_for_nobody_gets_none():
    server = Server(replies={"RCPT": ["550 5.1.1 No such user"]}, wants_content_for_nobody=True)

    outcomes = send(server, message(1), message(2), connections=1)

    assert kinds(outcomes) == ["recipient", "accepted"]
    assert [mail.content.count(b"Mail 2") for mail in server.received] == [1]
    assert (server.commands.count("."), server.connections) == (2, 1)


def test_a_mail_is_announced_with_the_content_of_the_one_before_it():
    together = []

    async def note(session, command):
        if command == ".":
            await asyncio.sleep(0.01)
            together.append(bytes(session.reader._buffer).split(b"\r\n"))
        return False

    server = Server(hook=note)

    assert kinds(send(server, message(1), message(2), message(3), connections=1)) == ["accepted"] * 3
    envelope = [b"MAIL FROM:<shop@example.com>", b"RCPT TO:<ada@example.com>", b"DATA", b""]
    assert together == [envelope, envelope, [b""]]


def test_nothing_follows_data_before_the_server_asks_for_content():
    followed = []

    async def note(session, command):
        if command == "DATA":
            await asyncio.sleep(0.01)
            followed.append(bytes(session.reader._buffer))
        return False

    assert kinds(send(Server(hook=note), message(1), message(2), connections=1)) == ["accepted"] * 2
    assert followed == [b"", b""]


@pytest.mark.parametrize("size", [100, 15_000, 17_000, 1_000_000])
def test_a_mail_of_any_size_arrives_whole(size):
    server = Server()
    text = "\n".join(["x" * 70] * (size // 71))

    outcomes = send(server, *(message(number, text=text) for number in range(3)), connections=1)

    assert kinds(outcomes) == ["accepted"] * 3
    wire = text.replace("\n", "\r\n").encode()
    assert [mail.content.partition(b"\r\n\r\n")[2] for mail in server.received] == [wire + b"\r\n"] * 3


def test_answers_of_several_lines_are_one_answer_each():
    server = Server(replies={"DATA": "354-Go\r\n354 on", ".": "250-2.0.0 Queued\r\n250 2.0.0 as 17"})

    assert kinds(send(server, *(message(number) for number in range(3)), connections=1)) == ["accepted"] * 3
    assert len(server.received) == 3


@pytest.mark.parametrize("size", [1, 7, 40])
def test_answers_may_come_in_pieces(size):
    async def in_pieces(session, command):
        if command.startswith("MAIL"):
            session.sender = "shop@example.com"
            text = b"250 2.1.0 Ok\r\n250 2.1.5 Ok\r\n354 Go on\r\n"
            for start in range(0, len(text), size):
                session.writer.write(text[start : start + size])
                await asyncio.sleep(0.001)
            session.recipient = (await session.reader.readline()).decode().partition("<")[2].partition(">")[0]
            await session.reader.readline()
            await session.take_content()
        return command.startswith("MAIL")

    server = Server(hook=in_pieces)

    assert kinds(send(server, *(message(number) for number in range(3)), connections=1)) == ["accepted"] * 3
    assert len(server.received) == 3


def test_bounces_go_where_the_account_says():
    server = Server()

    send(server, message(), return_path="bounces@example.com")

    assert server.received[0].sender == "bounces@example.com"
    assert b"From: Shop <shop@example.com>\r\n" in server.received[0].content


def test_every_outcome_belongs_to_its_own_mail():
    async def choosy(session, command):
        number = int(session.recipient.partition("@")[0] or 0) if session.recipient else 0
        if command.startswith("RCPT") and int(command.partition("<")[2].partition("@")[0]) % 5 == 1:
            session.say("550 5.1.1 No such user")
            return True
        if command == "." and number % 5 == 2:
            session.sender = session.recipient = ""
            session.say("452 4.3.1 No space")
            return True
        return False

    messages = [message(number, to=f"{number}@example.com") for number in range(1, 101)]
    server = Server(hook=choosy)

    outcomes = send(server, *messages, connections=8)

    expected = {0: "accepted", 1: "recipient", 2: "transient", 3: "accepted", 4: "accepted"}
    assert kinds(outcomes) == [expected[number % 5] for number in range(1, 101)]
    assert sorted(int(mail.recipient.partition("@")[0]) for mail in server.received) == [
        number for number in range(1, 101) if expected[number % 5] == "accepted"
    ]


def test_files_arrive_byte_for_byte():
    server = Server()
    content = bytes(range(256)) * 400
    files = (File("Rechnung März.pdf", "application/pdf", content), File("dots.txt", "text/plain", b".\r\n..\r\n.\r\n"))

    outcomes = send(server, structs.replace(message(1), files=files), message(2))

    assert kinds(outcomes) == ["accepted", "accepted"]
    (mail,) = [each for each in server.received if b"Mail 1" in each.content]
    found = list(email.message_from_bytes(mail.content, policy=policy.default).iter_attachments())
    assert [each.get_filename() for each in found] == ["Rechnung März.pdf", "dots.txt"]
    assert [each.get_payload(decode=True) for each in found] == [content, b".\r\n..\r\n.\r\n"]
