"""One person's mail, rendered by Django's templates, parsed once a process."""

from functools import cache

from django.core.mail import EmailMultiAlternatives
from django.template import engines
from django.template.backends.base import BaseEngine
from peers import news
from peers.models import Person


def parts(person: Person) -> tuple[str, str, str]:
    """Return subject, text and HTML."""
    context = news.DJANGO_CONTEXT | {"user": {"name": person.name}}
    subject, text, html = (template.render(context) for template in _templates())
    return subject, text, html


def letter(person: Person) -> EmailMultiAlternatives:
    subject, text, html = parts(person)
    mail = EmailMultiAlternatives(subject, text, news.SENDER, [person.email])
    mail.attach_alternative(html, "text/html")
    return mail


@cache
def _templates() -> list[BaseEngine]:
    return [engines["django"].from_string(source) for source in (news.DJANGO_SUBJECT, news.TEXT, news.HTML)]
