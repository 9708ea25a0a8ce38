"""django-post_office: everybody's mail queued with send_many, then sent by its own command in two processes."""

from django.core.management import call_command
from peers import news
from peers.models import Person
from post_office import mail
from post_office.models import Email, EmailTemplate, Log


def prepare(people: int) -> None:
    Log.objects.all().delete()
    Email.objects.all().delete()
    texts = {"subject": news.DJANGO_SUBJECT, "content": news.TEXT, "html_content": news.HTML}
    EmailTemplate.objects.update_or_create(name="news", defaults=texts)


def work(people: int) -> None:
    template = EmailTemplate.objects.get(name="news")
    mail.send_many(
        [
            {
                "recipients": [person.email],
                "sender": news.SENDER,
                "template": template,
                "context": news.DJANGO_CONTEXT | {"user": {"name": person.name}},
            }
            for person in Person.objects.filter(wants_mail=True)
        ]
    )
    call_command("send_queued_mail", processes=2, verbosity=0)


def end() -> None:
    """It ends by itself."""
