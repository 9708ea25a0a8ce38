"""DKIM, verified by dkimpy against a DNS of our own."""

import base64
import re

import dkim
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from hypothesis import given, settings
from hypothesis import strategies as st

from notifications import mail
from notifications.mail.signing import Signer, check_private_key
from notifications.providers.base import Message
from project.foundation.ids import new_id

KEY = rsa.generate_private_key(65537, 2048)
HEADERS = {"List-Unsubscribe": "<https://n.example.com/u/abc/>", "List-Unsubscribe-Post": "List-Unsubscribe=One-Click"}


def pem(key, form=serialization.PrivateFormat.PKCS8) -> str:
    return key.private_bytes(serialization.Encoding.PEM, form, serialization.NoEncryption()).decode()


def signed(private_key: str = "", **parts: str) -> bytes:
    message = Message(new_id(), "email", "ada@example.com", {"subject": "Hi", "text": "Hello."} | parts, HEADERS)
    signer = Signer(domain="shop.example", selector="s1", private_key=private_key or pem(KEY))
    return signer.signed(mail.build(message, sender="Shop <hello@shop.example>").content)


def holds(content: bytes) -> bool:
    return bool(dkim.verify(content, dnsfunc=_dns))


def test_the_signature_holds_and_covers_what_people_act_on():
    content = signed(html="<p>Hello.</p>")

    assert holds(content)
    (covered,) = re.findall(rb"[;\s]h=(.*?);", content, flags=re.DOTALL)
    assert [name.strip() for name in covered.decode().split(":")] == [
        *("from", "from", "to", "subject", "date", "message-id", "list-unsubscribe", "list-unsubscribe-post"),
        *("mime-version", "content-type"),
    ]


@given(
    subject=st.text(max_size=200),
    text=st.text(st.sampled_from(" \t\n.aé=") | st.characters(codec="utf-8"), max_size=300),
    html=st.text(st.sampled_from(" \t\n.aé=") | st.characters(codec="utf-8"), max_size=300),
)
@settings(max_examples=40, deadline=None)
def test_the_signature_holds_for_any_content(subject, text, html):
    try:
        content = signed(subject=subject, text=text, html=html)
    except mail.CannotBeMailed:
        return
    assert holds(content)
    assert holds(content + b"\r\n")  # as a server adds it
    assert content.isascii()
    assert max(map(len, content.partition(b"\r\nFrom:")[0].split(b"\r\n"))) <= 78


@pytest.mark.parametrize(
    ("found", "put"),
    [
        (b"Subject: Hi", b"Subject: Pay here"),
        (b"Hello.", b"Goodbye."),
        (b"/u/abc/", b"/u/eve/"),
        (b"From: Shop", b"From: eve@example.com\r\nFrom: Shop"),
        (b"To: ada", b"To: eve"),
    ],
)
def test_nobody_can_change_what_was_signed(found, put):
    content = signed()

    assert found in content
    assert not holds(content.replace(found, put, 1))


@pytest.mark.parametrize(
    "written",
    [
        pem(KEY),
        pem(KEY, serialization.PrivateFormat.TraditionalOpenSSL),
        pem(KEY).replace("\n", " "),
        pem(KEY).replace("\n", "\\n"),
        pem(KEY).replace("\n", "\r\n"),
    ],
    ids=["PKCS 8", "PKCS 1", "on one line", "escaped", "CRLF"],
)
def test_a_key_is_read_however_it_was_pasted(written):
    check_private_key(written)
    assert holds(signed(written))


@pytest.mark.parametrize(
    "written",
    [
        "secret",
        pem(ec.generate_private_key(ec.SECP256R1())),
        pem(KEY)[:-200],
        "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----",
        KEY.public_key()
        .public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
        .decode(),
    ],
    ids=["no PEM", "another kind", "cut off", "nothing", "public"],
)
def test_what_is_no_rsa_private_key_is_refused(written):
    with pytest.raises(ValueError, match="RSA private key"):
        check_private_key(written)


def _dns(name: bytes, timeout: float = 5) -> bytes:
    assert name == b"s1._domainkey.shop.example."
    form = serialization.PublicFormat.SubjectPublicKeyInfo
    return b"v=DKIM1; k=rsa; p=" + base64.b64encode(KEY.public_key().public_bytes(serialization.Encoding.DER, form))
