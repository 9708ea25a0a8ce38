"""SMTP: encryption, sign-in, and addresses that are none."""

import asyncio
import base64
import ssl
from datetime import UTC, datetime, timedelta

import dkim
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import NameOID

from notifications.providers import options
from notifications.providers.options import BadOptions
from notifications.providers.smtp import SMTP, SMTPOptions
from tests.providers.smtp_client import CHUNKS, kinds, message, send, smtp
from tests.providers.smtp_server import Server


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


def test_a_server_that_offers_nothing_is_spoken_to_in_clear_when_nothing_else_was_asked_for():
    server = Server()

    assert kinds(send(server, message(), security=None)) == ["accepted"]


def test_encryption_that_is_offered_is_used_whatever_the_certificate(certificate):
    server = Server(extensions=("STARTTLS",), tls=certificate)

    assert kinds(send(server, message(), host="127.0.0.1", security=None)) == ["accepted"]
    assert [command.split(" ")[0] for command in server.commands[:2]] == ["EHLO", "STARTTLS"]


def test_a_password_wants_encryption_unless_somebody_said_otherwise():
    server = Server(extensions=("AUTH PLAIN",))

    assert kinds(send(server, message(), security=None, username="shop", password="secret")) == ["account"]
    assert not any(command.startswith("AUTH") for command in server.commands)


def test_what_is_said_in_clear_after_starttls_is_an_attack(certificate):
    async def inject(session, command):
        if command == "STARTTLS":
            session.writer.write(b"220 Go on\r\n250 injected\r\n")
        return command == "STARTTLS"

    server = Server(extensions=("STARTTLS",), hook=inject)

    assert kinds(send(server, message(), host="localhost", security="starttls")) == ["transient"]
    assert server.received == []


@pytest.mark.parametrize("extensions", [("PIPELINING",), CHUNKS], ids=["one by one", "together"])
def test_tls_from_the_first_byte(certificate, extensions):
    server = Server(extensions=extensions)
    text = "\n".join(["x" * 70] * 20_000)

    async def run():
        server._server = await asyncio.start_server(server._serve, "localhost", 0, ssl=certificate, limit=1 << 24)
        server.port = server._server.sockets[0].getsockname()[1]
        provider = smtp(server, host="localhost", security="tls", connections=1, timeout=20)
        outcomes = await provider.send_many([message(1), message(2, text=text), message(3, text=text), message(4)])
        await provider.close()
        server._server.close()
        return outcomes

    assert kinds(asyncio.run(run())) == ["accepted"] * 4
    assert [len(mail.content) > len(text) for mail in server.received] == [False, True, True, False]


@pytest.mark.parametrize("extensions", [("PIPELINING",), CHUNKS], ids=["one by one", "together"])
def test_an_account_with_a_key_signs_what_it_sends(extensions):
    server = Server(extensions=extensions)
    key = rsa.generate_private_key(65537, 1024)
    form = serialization.PublicFormat.SubjectPublicKeyInfo
    record = b"v=DKIM1; p=" + base64.b64encode(key.public_key().public_bytes(serialization.Encoding.DER, form))
    signing = {"dkim_domain": "example.com", "dkim_selector": "s1", "dkim_private_key": _pem(key)}

    assert kinds(send(server, message(1), message(2), **signing)) == ["accepted", "accepted"]

    assert [dkim.verify(mail.content, dnsfunc=lambda name, timeout: record) for mail in server.received] == [True, True]


def test_half_a_dkim_set_up_is_the_account_s_fault():
    with pytest.raises(BadOptions, match="together"):
        SMTP(SMTPOptions(host="127.0.0.1", dkim_domain="example.com"), timeout=1)


@pytest.mark.parametrize(
    "wrong",
    [
        {"dkim_private_key": "secret"},
        {"dkim_domain": "example.com; x=y"},
        {"dkim_selector": "s 1"},
        {"return_path": "Shop <a@b.example>"},
        {"return_path": "a@b.example\r\nRCPT TO:<eve@example.com>"},
    ],
)
def test_what_cannot_be_signed_or_returned_to_is_refused(wrong):
    faults = options.faults(SMTPOptions, {"host": "127.0.0.1"} | wrong)

    assert [(fault.pointer, fault.code) for fault in faults] == [(f"/options/{next(iter(wrong))}", "invalid_value")]


def _pem(key):
    form = serialization.PrivateFormat.PKCS8
    return key.private_bytes(serialization.Encoding.PEM, form, serialization.NoEncryption()).decode()
