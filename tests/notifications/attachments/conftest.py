from ipaddress import ip_network

import pytest

from notifications import accounts, planning
from notifications.attachments import fetching
from notifications.attachments.body import Attachment, kept
from notifications.models import Delivery
from notifications.providers import loop
from notifications.providers.base import Outcome
from tests.notifications.given import accepted
from tests.providers.http_server import Service


@pytest.fixture(autouse=True)
def no_server_is_known_as_silent():
    fetching.forget()
    yield
    fetching.forget()


@pytest.fixture
def this_machine_allowed(settings):
    settings.EGRESS_ALLOW = [ip_network("127.0.0.0/8")]


@pytest.fixture
def files(this_machine_allowed):
    """Starts servers of files on this machine: files(Says(…), …) returns one, with `url` and `asked`."""
    started = []

    def start(*says):
        service = Service(*says)
        loop.run(service.__aenter__(), deadline_seconds=2)
        started.append(service)
        return service

    yield start
    for service in started:
        loop.run(service.__aexit__(), deadline_seconds=2)


@pytest.fixture
def sent(monkeypatch):
    """The messages that providers were given, which accept everything."""
    given = []
    monkeypatch.setattr(
        accounts, "send", lambda account, messages: [given.append(each) or Outcome.accepted() for each in messages]
    )
    return given


@pytest.fixture
def mailed(ada, order_confirmation):
    """Accepts a mail with attachments and plans it."""

    def mail(*attachments, user=ada, **fields):
        found = kept([Attachment(**attachment) for attachment in attachments])
        payload = {"attachments": found.listed} if found.listed else {}
        fields = {"channels_preferred": ["email"]} | fields
        notification = accepted(user, order_confirmation, payload=payload, contents=found.contents, **fields)
        planning.plan_due()
        return Delivery.objects.get(notification_id=notification.id)

    return mail
