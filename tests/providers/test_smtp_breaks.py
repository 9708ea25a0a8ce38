"""What SMTP makes of servers that break off, fall silent, drip, flood or limit."""

import asyncio
import re
import time

import pytest

from notifications.providers import smtp as smtp_provider
from tests.providers.smtp_client import kinds, message, send, smtp
from tests.providers.smtp_server import Server


def test_a_connection_that_breaks_before_the_last_dot_took_nothing():
    async def reset(session, command):
        if command.startswith("RCPT"):
            session.break_off()
        return command.startswith("RCPT")

    assert kinds(send(Server(hook=reset), message())) == ["transient"]


@pytest.mark.parametrize("count", [1, 3])
def test_a_connection_that_breaks_after_a_refusal_blames_no_other_mail(count):
    async def reset(session, command):
        if command == "RSET":
            session.break_off()
        return command == "RSET"

    server = Server(hook=reset, replies={"RCPT": ["550 5.1.1 No such user"]})

    outcomes = send(server, *(message(number) for number in range(count)), connections=1)

    assert kinds(outcomes) == ["recipient", *["accepted"] * (count - 1)]


def test_a_large_mail_cut_off_midway_was_not_taken():
    async def reset(session, command):
        if command != "DATA":
            return False
        session.say("354 Go on")
        await session.reader.readexactly(100_000)
        session.break_off()
        return True

    large = message(text="\n".join(["x" * 70] * 100_000))

    assert kinds(send(Server(hook=reset), large)) == ["transient"]


def test_a_mail_refused_midway_leaves_its_leftovers_to_no_other_mail():
    async def refuse(session, command):
        if command != "DATA" or server.commands.count("DATA") > 1:
            return False
        session.say("354 Go on")
        await session.reader.readexactly(100_000)
        session.say("552 5.3.4 Too big\r\n500 5.5.1 What?\r\n500 5.5.1 What?\r\n500 5.5.1 What?")
        await asyncio.sleep(0.2)
        return True

    server = Server(hook=refuse)
    large = message(1, text="\n".join(["x" * 70] * 100_000))

    assert kinds(send(server, large, message(2), connections=1)) == ["recipient", "accepted"]
    assert [mail.content.count(b"Mail 2") for mail in server.received] == [1]


def test_a_yes_counts_though_the_server_falls_silent_right_after_it():
    async def silent(session, command):
        return session.mails > 0

    server = Server(hook=silent)

    assert kinds(send(server, message(1), message(2), connections=1, timeout=0.5)) == ["accepted", "throttled"]


@pytest.mark.parametrize("ending", ["reset", "silence"])
def test_an_answer_lost_after_the_last_dot_leaves_the_outcome_unknown(ending):
    async def lose(session, command):
        if command == "." and ending == "reset":
            session.break_off()
        return command == "."

    assert kinds(send(Server(hook=lose), message(), timeout=0.5)) == ["unknown"]


def test_only_the_mail_in_flight_is_in_doubt_when_a_server_falls_silent():
    async def silent(session, command):
        return session.server.commands.count(".") == 3

    server = Server(hook=silent)

    outcomes = send(server, *(message(number) for number in range(6)), connections=1, timeout=0.5)

    assert kinds(outcomes) == ["accepted", "accepted", "unknown", "throttled", "throttled", "throttled"]


@pytest.mark.parametrize("quiet_at", ["greeting", "EHLO", "MAIL", "DATA"])
def test_a_hanging_server_holds_nobody_past_the_deadline(quiet_at):
    async def hang(session, command):
        return command.startswith(quiet_at)

    server = Server(hook=hang, greeting="" if quiet_at == "greeting" else "220 test")
    if quiet_at == "greeting":
        server.greeting = "220-still thinking"
    started = time.monotonic()

    outcomes = send(server, message(1), message(2), timeout=0.6)

    assert set(kinds(outcomes)) == {"transient"}
    assert time.monotonic() - started < 2


def test_a_slow_server_is_begun_with_no_mail_that_it_may_be_cut_off_at():
    async def think(session, command):
        if command == ".":
            await asyncio.sleep(0.6)
        return False

    outcomes = send(Server(hook=think), *(message(number) for number in range(5)), connections=1, timeout=2)

    # Begun at 0, 0.6 and 1.2 s. One begun at 1.8 s would be cut off at 2, perhaps taken, and sent again.
    assert kinds(outcomes)[:2] == ["accepted"] * 2
    assert set(kinds(outcomes)) == {"accepted", "throttled"}


def test_a_server_that_drips_one_byte_at_a_time_holds_nobody_past_the_deadline():
    async def drip(session, command):
        if not command.startswith("MAIL"):
            return False
        for byte in b"250 2.1.0 " + b"o" * 100:
            session.writer.write(bytes([byte]))
            await asyncio.sleep(0.1)
        return True

    started = time.monotonic()

    assert kinds(send(Server(hook=drip), message(), timeout=0.5)) == ["transient"]
    assert time.monotonic() - started < 2


def test_an_answer_without_an_end_is_cut_off():
    async def flood(session, command):
        if command.startswith("EHLO"):
            session.writer.write(b"250-more\r\n" * 100_000)
        return command.startswith("EHLO")

    assert kinds(send(Server(hook=flood), message())) == ["transient"]


def test_a_kept_connection_that_the_server_closed_is_opened_anew():
    server = Server()

    async def run():
        async with server:
            provider = smtp(server)
            first = await provider.send_many([message(1)])
            server.hang_up()
            await asyncio.sleep(0.05)
            return first + await provider.send_many([message(2)])

    assert kinds(asyncio.run(run())) == ["accepted", "accepted"]
    assert [mail.content.count(b"Mail 2") for mail in server.received] == [0, 1]
    assert server.connections == 2


def test_a_kept_connection_that_breaks_under_the_next_mail_neither_loses_nor_doubles_it():
    async def reset(session, command):
        if command.startswith("MAIL") and session.mails == 1:
            session.break_off()
            return True
        return False

    server = Server(hook=reset)

    async def run():
        async with server:
            provider = smtp(server)
            return await provider.send_many([message(1)]) + await provider.send_many([message(2)])

    assert kinds(asyncio.run(run())) == ["accepted", "accepted"]
    assert len(server.received) == 2


def test_a_server_that_limits_mails_per_connection_gets_the_rest_on_new_ones():
    server = Server(most_mails=3)

    outcomes = send(server, *(message(number) for number in range(10)), connections=1)

    assert set(kinds(outcomes)) == {"accepted"}
    assert len(server.received) == 10


def test_a_server_that_takes_one_mail_a_connection_blames_none_of_them():
    server = Server(most_mails=1)

    outcomes = send(server, *(message(number) for number in range(20)), connections=4)

    assert kinds(outcomes) == ["accepted"] * 20
    assert len(server.received) == 20


def test_one_silent_connection_holds_up_none_of_the_others():
    async def first_is_silent(session, command):
        session.silent = getattr(session, "silent", False) or command == "." and session is server.open_sessions[0]
        return session.silent

    server = Server(hook=first_is_silent)

    outcomes = send(server, *(message(number) for number in range(50)), connections=4, timeout=1)

    assert sorted(kinds(outcomes)) == ["accepted"] * 48 + ["throttled", "unknown"]
    assert len(server.received) == 48


def test_a_mail_that_breaks_every_connection_takes_no_other_with_it():
    async def reset(session, command):
        if command.startswith("RCPT") and "poison" in command:
            session.break_off()
            return True
        return False

    server = Server(hook=reset)
    messages = [message(number, to="poison@example.com" if number == 5 else "ada@example.com") for number in range(20)]

    outcomes = send(server, *messages, connections=3)

    assert kinds(outcomes) == ["transient" if number == 5 else "accepted" for number in range(20)]
    assert len(server.received) == 19


def test_a_connection_that_was_idle_for_long_is_asked_for_a_sign_of_life(monkeypatch):
    monkeypatch.setattr(smtp_provider, "_FRESH_SECONDS", 0)

    async def deaf(session, command):
        return session.mails > 0

    for hook, connections in ((None, 1), (deaf, 2)):
        server = Server(hook=hook)
        assert kinds(_send_twice(server)) == ["accepted", "accepted"]
        assert "NOOP" in server.commands
        assert server.connections == connections


def test_idle_connections_are_closed_after_a_while(monkeypatch):
    monkeypatch.setattr(smtp_provider, "_IDLE_SECONDS", 0.05)
    server = Server()

    async def run():
        async with server:
            provider = smtp(server)
            await provider.send_many([message(1)])
            await asyncio.sleep(0.2)
            return "QUIT" in server.commands, server.open_sessions

    assert asyncio.run(run()) == (True, [])


def _send_twice(server):
    async def run():
        async with server:
            provider = smtp(server)
            return await provider.send_many([message(1)]) + await provider.send_many([message(2)])

    return asyncio.run(run())


def test_a_server_that_limits_connections_still_gets_every_mail():
    async def one_only(session, command):
        if command.startswith("EHLO") and session is not session.server.open_sessions[0]:
            session.say("421 4.7.0 Too many connections")
            session.writer.close()
            return True
        await asyncio.sleep(0.001)
        return False

    server = Server(hook=one_only)

    outcomes = send(server, *(message(number) for number in range(10)), connections=4)

    assert set(kinds(outcomes)) == {"accepted"}


def test_a_server_that_is_not_there_took_nothing():
    async def run():
        async with Server() as server:
            provider = smtp(server)
        await asyncio.sleep(0.01)
        return await provider.send_many([message(1), message(2)])

    outcomes = asyncio.run(run())

    assert kinds(outcomes) == ["transient", "transient"]
    assert re.fullmatch(r"The mail server 127.0.0.1:\d+ cannot be reached: Connection refused.", outcomes[0].error)


def test_a_server_that_speaks_no_smtp_took_nothing():
    assert kinds(send(Server(greeting="HTTP/1.1 400 Bad Request"), message())) == ["transient"]
