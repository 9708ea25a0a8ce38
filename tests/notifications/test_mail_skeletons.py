"""Mails from a skeleton say what Django's mails say: both are read back by the standard library and compared."""

import email
from email import policy
from uuid import UUID

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from notifications import mail
from notifications.mail import plain, skeletons
from notifications.mail.headers import one_line
from notifications.providers.base import Message

SENDERS = ["shop@example.com", "Shop <shop@example.com>", "Läden & Söhne <shop@bücher.example>", '"A, B" <a@b.example>']
HEADERS = {
    "List-Unsubscribe": "<https://notify.example.com/u/" + "a" * 60 + "/>, <mailto:u@example.com?subject=unsubscribe>",
    "List-Unsubscribe-Post": "List-Unsubscribe=One-Click",
}

anything = st.text(max_size=120)
lines = st.text(st.sampled_from("aä€😀 =.-_?\t\r\n\x00\x7f\x85\u2028%<>") | st.characters(codec="utf-8"), max_size=300)
long_words = st.lists(st.sampled_from(["a", "Wort", "grün", "x" * 70, "y" * 300, "=?utf-8?q?a?="])).map(" ".join)
long_lines = st.lists(st.sampled_from(["a b c ", "z" * 900, "\n", "é", "From me", "\n.\n", "\n--"])).map("".join)
addresses = st.sampled_from(
    ["ada@example.com", "o'hara+tag%x=y@bücher.example", "a" * 64 + "@" + "b" * 60 + ".example"]
)


@given(
    sender=st.sampled_from(SENDERS),
    to=addresses,
    subject=anything | long_words | lines,
    text=lines | long_lines,
    html=st.just("") | lines | long_lines,
    headers=st.dictionaries(st.sampled_from([*HEADERS, "X-Campaign", "Feedback-ID"]), anything | long_words),
    identity=st.sampled_from(["", "<7@example.com>", "<7@example.com>\r\nX-Forged: 1", "<7@example.com>\n"]),
)
@example(SENDERS[1], "ada@example.com", "Your order", "Hello.\n", "<p>Hello.</p>\n", HEADERS, "")
@example(SENDERS[1], "ada@example.com", "Grüße", "Schöne\n.\nGrüße \n", "<p>ß</p>", {}, "")
@settings(max_examples=200, deadline=None)
def test_a_mail_from_a_skeleton_says_what_djangos_says(sender, to, subject, text, html, headers, identity):
    parts = {"subject": subject, "text": text, "html": html}
    message = Message(UUID(int=7), "email", to, parts, headers, identity)
    recipient = mail.address(to)

    ours = skeletons.content(message, identity_of(message), sender=sender, recipient=recipient)

    if ours is not None:
        assert _said(ours) == _said(plain.content(message, sender=sender, recipient=recipient))
        head, _, body = ours.partition(b"\r\n\r\n")
        assert all(len(line) <= 998 and line.strip() for line in head.split(b"\r\n"))
        assert all(len(line) <= 998 for line in body.split(b"\r\n"))
        assert ours.isascii() and b"\x00" not in ours
        assert b"\r" not in ours.replace(b"\r\n", b"") and b"\n" not in ours.replace(b"\r\n", b"")


@given(subject=anything, header=anything, text=anything)
def test_what_has_no_surprises_comes_from_a_skeleton(subject, header, text):
    message = Message(UUID(int=7), "email", "ada@example.com", {"subject": subject, "text": text}, {"X-A": header})

    unusual = "=?" in subject + header
    assert (
        unusual
        or skeletons.content(message, identity_of(message), sender="a@b.example", recipient="ada@example.com")
        is not None
    )


@pytest.mark.parametrize(
    "unusual",
    [
        {"headers": {"Reply-To": "help@example.com"}},
        {"headers": {"Subject": "Another"}},
        {"headers": {"Content-Type": "text/plain"}},
        {"headers": {"X-A": "1", "x-a": "2"}},
        {"headers": {"X A": "1"}},
        {"headers": {"X-A": "long" * 250}},
        {"message_id": "<a b@example.com>"},
        {"parts": {"subject": "=?utf-8?q?Hi?=", "text": "Hello."}},
    ],
)
def test_what_is_unusual_is_left_to_django(unusual):
    message = Message(**{"delivery_id": UUID(int=7), "channel": "email", "to": "a@b.example", "parts": {}} | unusual)

    assert skeletons.content(message, identity_of(message), sender="a@b.example", recipient="a@b.example") is None


def test_a_content_cannot_end_its_part():
    first = Message(UUID(int=7), "email", "ada@example.com", {"text": "Hello.", "html": "<p>Hello.</p>"})
    built = mail.build(first, sender="a@b.example").content
    boundary = email.message_from_bytes(built).get_boundary()
    forged = f"Hello.\n--{boundary}\nContent-Type: text/html\n\n<p>Forged.</p>\n--{boundary}--\n"

    second = Message(UUID(int=8), "email", "eve@example.com", {"text": forged, "html": "<p>Hello.</p>"})
    parsed = _parsed(mail.build(second, sender="a@b.example").content)

    assert [part.get_content_type() for part in parsed.iter_parts()] == ["text/plain", "text/html"]
    assert parsed.get_body(("plain",)).get_content().splitlines() == forged.splitlines()


def identity_of(message: Message) -> str:
    return one_line(message.message_id) or mail.message_id(message.delivery_id)


def _parsed(content: bytes):
    return email.message_from_bytes(content, policy=policy.default)


def _said(content: bytes):
    parsed = _parsed(content)
    headers = sorted(
        (name.lower(), str(value).strip()) for name, value in parsed.items() if name.lower() not in _VARYING
    )
    parts = [part for part in parsed.walk() if not part.is_multipart()]
    assert parsed["Date"].datetime.tzinfo is not None
    assert all(not part.defects for part in parts)
    return headers, parsed.get_content_type(), [(part.get_content_type(), part.get_content()) for part in parts]


# The time, and how it was written down: the boundary, seven bit or quoted-printable.
_VARYING = {"date", "content-type", "content-transfer-encoding"}


@given(start=st.integers(60, 90), blanks=st.text(st.sampled_from(" \t"), min_size=1, max_size=4))
def test_no_quoted_line_is_longer_than_76_characters_and_none_ends_in_a_blank(start, blanks):
    message = Message(UUID(int=7), "email", "ada@example.com", {"text": "é" + "x" * start + blanks + "\nThe end"})

    content = mail.build(message, sender=SENDERS[0]).content

    body = content.partition(b"\r\n\r\n")[2].split(b"\r\n")  # RFC 2045 §6.7
    assert all(len(line) <= 76 and line == line.rstrip() for line in body)
