"""SMTP against a real server on a real socket that follows a script."""

import asyncio

import pytest

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
    assert server.commands.count(".") == 1
