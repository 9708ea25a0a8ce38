"""SMTP against a real server on a real socket that follows a script."""

import asyncio
import ssl
import time
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from notifications.providers.base import Message, Outcome
from notifications.providers.smtp import SMTP, SMTPOptions
from tests.providers.smtp_server import Server


def message(number: int = 1, to: str = "ada@example.com", text: str = "Hello.") -> Message:
    return Message(
        delivery_id=UUID(int=number), channel="email", to=to, parts={"subject": f"Mail {number}", "text": text}
    )


def send(server: Server, *messages: Message, timeout: float = 5, **options: object) -> list[Outcome]:
    """Start the server, send once, stop it."""

    async def run() -> list[Outcome]:
        async with server:
            provider = smtp(server, timeout=timeout, **options)
            try:
                return await provider.send_many(messages)
            finally:
                await provider.close()

    return asyncio.run(run())


def smtp(server: Server, *, timeout: float = 5, **options: object) -> SMTP:
    stated = {"host": "127.0.0.1", "port": server.port, "security": "none", "from_": "Shop <shop@example.com>"}
    return SMTP(SMTPOptions(**stated | options), timeout=timeout)


def kinds(outcomes: list[Outcome]) -> list[str]:
    return [outcome.kind for outcome in outcomes]


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


def test_a_connection_that_breaks_before_the_last_dot_took_nothing():
    async def reset(session, command):
        if command.startswith("RCPT"):
            session.break_off()
        return command.startswith("RCPT")

    assert kinds(send(Server(hook=reset), message())) == ["transient"]


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


@pytest.mark.parametrize("ending", ["reset", "silence"])
def test_an_answer_lost_after_the_last_dot_leaves_the_outcome_unknown(ending):
    async def lose(session, command):
        if command == "." and ending == "reset":
            session.break_off()
        return command == "."

    assert kinds(send(Server(hook=lose), message(), timeout=0.5)) == ["unknown"]


def test_only_the_mail_in_flight_is_in_doubt_when_a_server_falls_silent():
    async def silent(session, command):
        return command == "." and session.server.commands.count(".") == 3

    server = Server(hook=silent)

    outcomes = send(server, *(message(number) for number in range(6)), connections=1, timeout=0.5)

    assert kinds(outcomes) == ["accepted", "accepted", "unknown", "transient", "transient", "transient"]


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

    assert kinds(asyncio.run(run())) == ["transient", "transient"]


def test_a_server_that_speaks_no_smtp_took_nothing():
    assert kinds(send(Server(greeting="HTTP/1.1 400 Bad Request"), message())) == ["transient"]


@pytest.mark.parametrize("mechanism", ["PLAIN", "LOGIN"])
def test_the_account_signs_in(mechanism):
    replies = {"AUTH": ["235 Welcome"] if mechanism == "PLAIN" else ["334 VXNlcm5hbWU6"]}
    if mechanism == "LOGIN":
        replies |= {"c2hvcA==": "334 UGFzc3dvcmQ6", "c2VjcmV0": "235 Welcome"}

    async def words(session, command):
        reply = replies.get(command.split(" ")[0])
        if isinstance(reply, str):
            session.say(reply)
        return isinstance(reply, str)

    server = Server(extensions=(f"AUTH {mechanism}",), replies={"AUTH": replies["AUTH"]}, hook=words)

    assert kinds(send(server, message(), username="shop", password="secret")) == ["accepted"]
    if mechanism == "PLAIN":
        assert "AUTH PLAIN AHNob3AAc2VjcmV0" in server.commands


@pytest.mark.parametrize(
    ("reply", "kind"), [("535 5.7.8 Wrong password", "account"), ("454 4.7.0 Try later", "transient")]
)
def test_a_refused_sign_in_blames_the_account_and_no_recipient(reply, kind):
    server = Server(extensions=("AUTH PLAIN",), replies={"AUTH": reply})

    outcomes = send(server, message(1), message(2), username="shop", password="wrong")

    assert kinds(outcomes) == [kind, kind]
    assert server.received == []


def test_no_password_is_sent_where_encryption_was_asked_for_and_not_offered():
    server = Server(extensions=("AUTH PLAIN",))

    outcomes = send(server, message(), security="starttls", username="shop", password="secret")

    assert kinds(outcomes) == ["account"]
    assert not any(command.startswith("AUTH") for command in server.commands)


def test_a_recipient_that_is_no_address_is_refused_before_the_server_hears_of_it():
    server = Server()

    outcomes = send(server, message(1, to="ada@example.com>\r\nRCPT TO:<eve@example.com"), message(2))

    assert kinds(outcomes) == ["recipient", "accepted"]
    assert not any("eve" in command for command in server.commands)


def test_an_address_beyond_ascii_needs_a_server_that_takes_it():
    able, unable = Server(), Server(extensions=("PIPELINING",))

    assert kinds(send(able, message(to="jürgen@bücher.example"))) == ["accepted"]
    assert "MAIL FROM:<shop@example.com> SMTPUTF8 BODY=8BITMIME" in able.commands
    assert able.received[0].recipient == "jürgen@xn--bcher-kva.example"
    assert kinds(send(unable, message(to="jürgen@bücher.example"))) == ["recipient"]


@pytest.fixture
def certificate(tmp_path, monkeypatch):
    """A server's TLS context, its certificate trusted by this process alone."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    now = datetime.now(tz=UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    pem = tmp_path / "server.pem"
    pem.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
        + made.public_bytes(serialization.Encoding.PEM)
    )
    monkeypatch.setenv("SSL_CERT_FILE", str(pem))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pem)
    return context


def test_starttls_encrypts_before_anything_is_said(certificate):
    server = Server(extensions=("STARTTLS", "PIPELINING", "AUTH PLAIN"), tls=certificate, replies={"AUTH": "235 Ok"})

    outcomes = send(server, message(), host="localhost", security="starttls", username="shop", password="secret")

    assert kinds(outcomes) == ["accepted"]
    assert [command.split(" ")[0] for command in server.commands[:4]] == ["EHLO", "STARTTLS", "EHLO", "AUTH"]


def test_a_certificate_of_another_name_is_not_accepted(certificate):
    server = Server(extensions=("STARTTLS",), tls=certificate)

    outcomes = send(server, message(), host="127.0.0.1", security="starttls")

    assert kinds(outcomes) == ["account"]
    assert server.received == []


def test_what_is_said_in_clear_after_starttls_is_an_attack(certificate):
    async def inject(session, command):
        if command == "STARTTLS":
            session.writer.write(b"220 Go on\r\n250 injected\r\n")
        return command == "STARTTLS"

    server = Server(extensions=("STARTTLS",), hook=inject)

    assert kinds(send(server, message(), host="localhost", security="starttls")) == ["transient"]
    assert server.received == []


def test_tls_from_the_first_byte(certificate):
    server = Server()

    async def run():
        server._server = await asyncio.start_server(server._serve, "localhost", 0, ssl=certificate)
        server.port = server._server.sockets[0].getsockname()[1]
        provider = smtp(server, host="localhost", security="tls")
        outcomes = await provider.send_many([message()])
        await provider.close()
        server._server.close()
        return outcomes

    assert kinds(asyncio.run(run())) == ["accepted"]
