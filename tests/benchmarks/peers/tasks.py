"""A task for each recipient: the Celery application that its worker loads."""

import os

import django
from celery import Celery
from django.core.mail import send_mail

django.setup()

from peers import letters, news  # noqa: E402
from peers.models import Person, Sent  # noqa: E402

app = Celery("peers", broker=os.environ["PEERS_BROKER_URL"])
app.conf.task_default_queue = "bench-peers"
app.conf.task_ignore_result = True


@app.task
def tell(pk: int) -> None:
    person = Person.objects.get(pk=pk)
    if person.wants_mail:
        subject, text, html = letters.parts(person)
        send_mail(subject, text, news.SENDER, [person.email], html_message=html)
        Sent.objects.create(person=person, subject=subject, status="sent")
