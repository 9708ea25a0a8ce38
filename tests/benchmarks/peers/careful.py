"""What a careful Django project does: chunks of 500, one connection for each, history by bulk_create; one process."""

from django.core.mail import get_connection
from peers import letters
from peers.models import Person, Sent

CHUNK = 500


def prepare(people: int) -> None:
    """The people are all it needs."""


def work(people: int) -> None:
    wanting = list(Person.objects.filter(wants_mail=True).order_by("pk"))
    for start in range(0, len(wanting), CHUNK):
        chunk = wanting[start : start + CHUNK]
        mails = [letters.letter(person) for person in chunk]
        get_connection().send_messages(mails)
        Sent.objects.bulk_create(
            Sent(person=person, subject=mail.subject, status="sent") for person, mail in zip(chunk, mails, strict=True)
        )


def end() -> None:
    """It ends by itself."""
