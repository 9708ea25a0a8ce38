"""Addresses that turn out dead are taken out of use, in the transaction that says so."""

import pytest

from notifications import accounts
from notifications.models import Event
from notifications.providers.base import Outcome
from preferences import contact_points
from tests.notifications.troubled import account, queued, statuses, work

pytestmark = pytest.mark.django_db

GONE = Outcome.recipient("550 no such mailbox", dead_address="unregistered")


def test_a_dead_address_is_disabled_with_its_date_reason_and_event(ada, order_confirmation, providers):
    account("main")
    queued(ada, order_confirmation, 1)
    providers.answers["main"] = GONE

    work()

    point = ada.contact_points.get(channel="email")
    assert (point.disabled_reason, point.disabled_at is not None) == ("unregistered", True)
    assert statuses() == ["failed"]
    event = Event.objects.get(kind="contact_point.disabled")
    assert (event.detail, event.delivery.contact_point_id) == ("unregistered", point.id)


def test_a_refused_message_leaves_the_address_in_use(ada, order_confirmation, providers):
    account("main")
    queued(ada, order_confirmation, 1)
    providers.answers["main"] = Outcome.recipient("554 spam")

    work()

    assert ada.contact_points.get(channel="email").disabled_at is None
    assert not Event.objects.filter(kind="contact_point.disabled").exists()


def test_two_messages_disable_it_once(ada, order_confirmation, providers):
    account("main")
    queued(ada, order_confirmation, 2)
    providers.answers["main"] = GONE

    work()

    assert Event.objects.filter(kind="contact_point.disabled").count() == 1


def test_an_address_that_was_changed_meanwhile_stays_in_use(ada, order_confirmation, providers, monkeypatch):
    account("main")
    queued(ada, order_confirmation, 1)

    def send(account, messages):
        contact_points.update(ada.contact_points.get(channel="email"), address="ada@elsewhere.org")
        return [GONE]

    monkeypatch.setattr(accounts, "send", send)

    work()

    point = ada.contact_points.get(channel="email")
    assert (point.address, point.disabled_at) == ("ada@elsewhere.org", None)
