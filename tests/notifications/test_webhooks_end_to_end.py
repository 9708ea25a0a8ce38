"""From an accepted notification to the receiver's own check of it: nothing is faked but the receiver."""

from collections.abc import Iterator
from ipaddress import ip_network

import pytest
from standardwebhooks import Webhook as Verifier

from notifications import accounts
from notifications.models import Delivery, ProviderAccount
from notifications.providers import loop
from preferences import contact_points
from tests.faults.background import Background
from tests.flow import run_until_idle
from tests.notifications.given import accepted
from tests.providers.http_server import Says, Service

pytestmark = pytest.mark.django_db


@pytest.fixture
def receiver(settings) -> Iterator[Service]:
    settings.EGRESS_ALLOW = [ip_network("127.0.0.0/8")]
    ProviderAccount.objects.create(name="hooks-e2e", provider="webhook", channel="webhook", options={})
    accounts.forget()
    background = Background()
    service = background.run(Service(Says(204)).__aenter__())
    yield service
    loop.run(accounts._provider(accounts.of_channel("webhook")[0]).close(), deadline_seconds=5)
    background.run(service.__aexit__())
    background.close()
    accounts.forget()


def test_a_receiver_verifies_the_standard_body_with_its_own_secret(ada, order_confirmation, receiver):
    point, _ = contact_points.add(ada, channel="webhook", address=f"{receiver.url}/in")
    payload = {"title": "On its way", "body": "Grüße, 你好", "template_variables": {"order_id": "17"}}

    notification = accepted(ada, order_confirmation, channels_preferred=["webhook"], payload=payload)
    run_until_idle()

    delivery = Delivery.objects.get(notification=notification, channel="webhook")
    (asked,) = receiver.asked
    assert (delivery.status, delivery.provider_message_id) == ("sent", str(delivery.id))
    assert asked.headers["webhook-id"] == str(delivery.id)
    assert Verifier(point.secret).verify(asked.body, asked.headers) == {
        "type": "ORDER_CONFIRMATION",
        "user_id": "ada",
        "title": "On its way",
        "body": "Grüße, 你好",
        "link": "https://example.com/",
        "data": {"order_id": "17"},
    }


def test_a_redirect_into_our_network_is_not_followed(ada, order_confirmation, receiver):
    receiver.says.clear()
    receiver.says.append(Says(307, headers={"Location": f"{receiver.url}/inner"}))
    contact_points.add(ada, channel="webhook", address=f"{receiver.url}/in")

    notification = accepted(ada, order_confirmation, channels_preferred=["webhook"])
    run_until_idle()

    delivery = Delivery.objects.get(notification=notification, channel="webhook")
    assert [asked.path for asked in receiver.asked] == ["/in"]
    assert (delivery.status, delivery.error) == ("queued", "The webhook's server answered 307.")
