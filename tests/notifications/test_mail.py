import email
from email import policy
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import structs

from notifications import mail
from notifications.mail import skeletons
from notifications.providers.base import File, Message

DELIVERY = UUID(int=7)


def message(to: str = "ada@example.com", headers: dict[str, str] | None = None, **parts: str) -> Message:
    return Message(delivery_id=DELIVERY, channel="email", to=to, parts=parts, headers=headers or {})


@pytest.fixture(params=["skeleton", "plain"], autouse=True)
def built_by(request, monkeypatch):
    """Every promise holds for mails from a skeleton and for those that Django builds."""
    if request.param == "plain":
        monkeypatch.setattr(skeletons, "content", lambda *args, **named: None)
    return request.param


def read(built: mail.Mail):
    return email.message_from_bytes(built.content, policy=policy.default)


def test_a_mail_says_what_its_message_says():
    built = mail.build(
        message(subject="Grüße", text="Schön.\n", html="<p>Schön.</p>"), sender="Läden <shop@example.com>"
    )

    parsed = read(built)
    assert (built.sender, built.recipient, built.utf8) == ("shop@example.com", "ada@example.com", False)
    assert (parsed["Subject"], parsed["From"], parsed["To"]) == ("Grüße", "Läden <shop@example.com>", "ada@example.com")
    assert parsed.get_content_type() == "multipart/alternative"
    assert [part.get_content_type() for part in parsed.iter_parts()] == ["text/plain", "text/html"]
    assert parsed.get_body(("plain",)).get_content() == "Schön.\r\n"
    assert parsed.get_body(("html",)).get_content() == "<p>Schön.</p>"
    assert parsed["Date"].datetime.tzinfo is not None


def test_without_html_a_mail_is_plain_text():
    assert (
        read(mail.build(message(subject="Hi", text="Hello."), sender="a@b.example")).get_content_type() == "text/plain"
    )


def test_every_try_of_a_delivery_has_the_same_message_id(settings):
    settings.PUBLIC_URL = "https://notify.example.com:8443"

    ids = {read(mail.build(message(text="Hello."), sender="a@b.example"))["Message-ID"] for _ in range(2)}

    assert ids == {f"<{DELIVERY}@notify.example.com>"}


def test_unsubscribe_headers_go_along():
    given_headers = {
        "List-Unsubscribe": "<https://notify.example.com/u/abc/>",
        "List-Unsubscribe-Post": "List-Unsubscribe=One-Click",
    }

    parsed = read(mail.build(message(text="Hello.", headers=given_headers), sender="a@b.example"))

    assert {name: parsed[name] for name in given_headers} == given_headers


def test_a_mail_is_seven_bit_with_short_lines_ending_in_crlf():
    content = mail.build(message(subject="ü", text="ü" * 5000 + "\rmore\n"), sender="a@b.example").content

    assert content.isascii()
    assert max(len(line) for line in content.split(b"\r\n")) <= 998
    assert b"\n" not in content.replace(b"\r\n", b"")
    assert b"\r" not in content.replace(b"\r\n", b"")


@given(
    subject=st.text(max_size=60), header=st.text(max_size=60), text=st.text(st.characters(codec="utf-8"), max_size=60)
)
def test_nothing_breaks_out_of_a_header(subject, header, text):
    try:
        built = mail.build(
            message(subject=subject, text=text, headers={"List-Unsubscribe": header}), sender="a@b.example"
        )
    except mail.CannotBeMailed:
        return

    names = [name for name, _ in email.message_from_bytes(built.content, policy=policy.compat32).items()]
    assert sorted(names) == sorted(
        ["Content-Type", "MIME-Version", "Content-Transfer-Encoding", "Subject", "From", "To", "Date", "Message-ID"]
        + ["List-Unsubscribe"]
    )


@pytest.mark.parametrize(
    "address",
    [
        "",
        "ada",
        "@example.com",
        "ada@",
        "ada@example.com\r\nBcc: eve@example.com",
        "ada@example.com>, <eve@example.com",
        "ada@example.com, eve@example.com",
        "ada@one@example.com",
        "a da@example.com",
    ],
)
def test_what_is_no_address_is_not_mailed(address):
    with pytest.raises(mail.CannotBeMailed):
        mail.build(message(to=address, text="Hello."), sender="a@b.example")


def test_a_domain_in_any_script_is_written_in_ascii():
    built = mail.build(message(to="ada@bücher.example", text="Hello."), sender="a@b.example")

    assert built.recipient == "ada@xn--bcher-kva.example"
    assert not built.utf8


@pytest.mark.parametrize("sender", ["Shop", "Shop <>", "a@b.example\nBcc: eve@example.com", "jürgen@b.example"])
def test_a_sender_that_is_no_address_is_refused(sender):
    with pytest.raises(ValueError):
        mail.check_sender(sender)


@pytest.mark.parametrize("name", ["invoice.pdf", 'a "b"; c.pdf', "Rechnung März.pdf", "发票" * 40 + ".pdf"])
@pytest.mark.parametrize(
    ("kind", "content"),
    [
        ("application/pdf", bytes(range(256)) * 40),
        ("text/plain", b"line\rline\nline\r\n.\r\nFrom me \xc3\xa4 \n"),
        ("text/csv", b""),
    ],
)
def test_files_go_along_byte_for_byte(name, kind, content):
    files = (File(name, kind, content), File("other.png", "image/png", b"\x89PNG"))

    built = mail.build(
        structs.replace(message(subject="Hi", text="Hello.", html="<p>Hello."), files=files), sender="a@b.example"
    )

    parsed = read(built)
    assert parsed.get_content_type() == "multipart/mixed"
    assert parsed.get_body(("html",)).get_content() == "<p>Hello."
    assert parsed.get_body(("plain",)).get_content().strip() == "Hello."
    found = list(parsed.iter_attachments())
    assert [(each.get_filename(), each.get_content_type()) for each in found] == [
        (name, kind),
        ("other.png", "image/png"),
    ]
    assert found[0].get_payload(decode=True) == content
    assert found[0].get_content_disposition() == "attachment"
    assert max(map(len, built.content.split(b"\r\n"))) <= 998
    assert b"\n" not in built.content.replace(b"\r\n", b"") and built.content.isascii()


def test_a_text_says_its_character_set_where_we_know_it():
    files = (File("a.csv", "text/csv", "ä;ö".encode()), File("b.csv", "text/csv", "ä;ö".encode("latin-1")))

    parsed = read(mail.build(structs.replace(message(text="Hello."), files=files), sender="a@b.example"))

    first, second = parsed.iter_attachments()
    assert (first.get_content_type(), first.get_content_charset()) == ("text/csv", "utf-8")
    assert (second.get_content_type(), second.get_content_charset()) == ("application/octet-stream", None)


def test_a_files_name_puts_nothing_into_the_mail():
    """Requests with such names are refused: this is the second wall."""
    files = (File("a.pdf\r\nBcc: eve@example.com\r\n\r\n<b>", "application/pdf", b"x"),)

    try:
        built = mail.build(structs.replace(message(text="Hello."), files=files), sender="a@b.example")
    except mail.CannotBeMailed:
        return
    parsed = read(built)
    assert parsed["Bcc"] is None
    assert all(part["Bcc"] is None for part in parsed.walk())
