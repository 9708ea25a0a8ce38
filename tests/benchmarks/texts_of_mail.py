"""Does each mail say to its person what it should, and as Django would have put it? Parsed by the standard library."""

from collections.abc import Sequence
from email import message_from_bytes, policy
from email.message import EmailMessage

from django.core.mail import EmailMultiAlternatives

from tests.benchmarks.harness import LedgerDiffers
from tests.benchmarks.peers import news
from tests.benchmarks.sink import Mail

_COMPARED = ("From", "To", "Subject", "MIME-Version", "Content-Type")


def must_say_the_same(mails: Sequence[Mail]) -> None:
    """Check a sample, each mail by its own person's words. Raises LedgerDiffers with the first difference."""
    if not mails:
        raise LedgerDiffers("The sink kept no mail to read.")
    for mail in mails:
        found = _parsed(mail.content)
        _must_be_for(mail.person, found)
        subject, text, html = str(found["Subject"]), _body(found, "plain"), _body(found, "html")
        django = EmailMultiAlternatives(subject, text, news.SENDER, [str(found["To"])])
        django.attach_alternative(html, "text/html")
        _must_equal(found, _parsed(django.message().as_bytes()))


def _parsed(content: bytes) -> EmailMessage:
    message = message_from_bytes(content, policy=policy.default)
    assert isinstance(message, EmailMessage)
    return message


def _must_be_for(person: int, mail: EmailMessage) -> None:
    text, html = _body(mail, "plain"), _body(mail, "html")
    wanted = [f"Hello Person {person},", "cheaper with BELL-20", *(f"{item['name']}" for item in news.ITEMS)]
    for word in wanted:
        if word not in text or word not in html.replace("<b>", "").replace("</b>", ""):
            raise LedgerDiffers(f"p{person}'s mail does not say {word!r}.")
    if mail["Subject"] != f"Person {person}, 3 things are new at Bell and Sons" or not mail["Message-ID"]:
        raise LedgerDiffers(f"p{person}'s mail has the headers {mail.items()}.")
    if mail["To"] != f"p{person}@example.com" or any(part.defects for part in mail.walk()):
        raise LedgerDiffers(f"p{person}'s mail is for {mail['To']}, or cannot be parsed cleanly.")


def _must_equal(ours: EmailMessage, django: EmailMessage) -> None:
    for name in _COMPARED:
        if _plain(ours, name) != _plain(django, name):
            raise LedgerDiffers(f"{name}: {ours[name]!r}, Django has {django[name]!r}.")
    for kind in ("plain", "html"):
        if _body(ours, kind) != _body(django, kind):
            raise LedgerDiffers(f"The {kind} body is another than Django's.")


def _plain(mail: EmailMessage, name: str) -> str:
    return mail.get_content_type() if name == "Content-Type" else str(mail[name])


def _body(mail: EmailMessage, kind: str) -> str:
    part = mail.get_body((kind,))
    if part is None:
        raise LedgerDiffers(f"A mail has no {kind} part.")
    return str(part.get_content()).replace("\r\n", "\n").rstrip("\n")
