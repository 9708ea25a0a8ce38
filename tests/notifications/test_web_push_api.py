"""A person's browser: it learns the key, subscribes and unsubscribes, for this person alone."""

import os

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from notifications import accounts
from notifications.models import ProviderAccount
from notifications.providers.web_push import read_subscription
from notifications.providers.web_push_encryption import Vapid, encoded
from tests.notifications.inbox.clients import at_inbox, post, service

pytestmark = pytest.mark.django_db

KEY = "yfWPiYE-n46HLnH0KqZOF1fJJU3MYrct3AELtAQ-oRw"  # of RFC 8291's example
SUBSCRIPTIONS, END = "/api/v1/web_push/subscriptions", "/api/v1/web_push/subscriptions/end"


@pytest.fixture
def account():
    stated = {"vapid_private_key": KEY, "subject": "mailto:push@example.com"}
    ProviderAccount.objects.create(name="push", provider="web_push", channel="web_push", options=stated)
    accounts.forget()
    yield
    accounts.forget()


def subscription(endpoint="https://push.example.net/abc"):
    public = ec.generate_private_key(ec.SECP256R1()).public_key()
    point = public.public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
    keys = {"p256dh": encoded(point), "auth": encoded(os.urandom(16))}
    return {"endpoint": endpoint, "expirationTime": None, "keys": keys}


def test_a_browser_learns_the_public_key(ada, account):
    said = at_inbox(ada).get("/api/v1/web_push").json()

    assert said == {"public_key": Vapid(KEY, "mailto:push@example.com").public_key}
    assert KEY not in str(said)


def test_without_an_account_there_is_no_key(ada):
    accounts.forget()

    assert at_inbox(ada).get("/api/v1/web_push").status_code == 404


def test_a_browser_subscribes_once(ada, account):
    given = subscription()

    first, again = post(at_inbox(ada), SUBSCRIPTIONS, given), post(at_inbox(ada), SUBSCRIPTIONS, given)

    assert (first.status_code, again.status_code) == (201, 200)
    point = ada.contact_points.get(channel="web_push")
    assert first.json() == again.json() == {"id": str(point.id)}
    assert read_subscription(point.address).endpoint == given["endpoint"]


def test_a_browser_unsubscribes_and_comes_back(ada, account):
    one, other = subscription(), subscription("https://push.example.net/other")
    for given in (one, other):
        post(at_inbox(ada), SUBSCRIPTIONS, given)

    assert post(at_inbox(ada), END, {"endpoint": one["endpoint"]}).status_code == 200

    points = {read_subscription(each.address).endpoint: each for each in ada.contact_points.filter(channel="web_push")}
    assert points[one["endpoint"]].disabled_reason == "by_person"
    assert points[other["endpoint"]].disabled_at is None
    assert post(at_inbox(ada), SUBSCRIPTIONS, one).status_code == 200
    points[one["endpoint"]].refresh_from_db()
    assert points[one["endpoint"]].disabled_at is None


def test_nobody_ends_anothers_subscription(ada, bob, account):
    given = subscription()
    post(at_inbox(ada), SUBSCRIPTIONS, given)

    assert post(at_inbox(bob), END, {"endpoint": given["endpoint"]}).status_code == 200

    assert ada.contact_points.get(channel="web_push").disabled_at is None
    assert not bob.contact_points.filter(channel="web_push").exists()


@pytest.mark.parametrize(
    "body", [{}, {"endpoint": "https://push.example.net/a", "keys": {}}, subscription("https://127.0.0.1/")]
)
def test_a_subscription_that_is_none_is_refused(ada, account, body):
    assert post(at_inbox(ada), SUBSCRIPTIONS, body).status_code == 422


def test_a_service_is_no_browser(account):
    assert service("send", "users").get("/api/v1/web_push").status_code in (401, 403)
