import random
from datetime import UTC, datetime, timedelta

import pytest

from notifications import accounts
from notifications.models import Caller, ProviderAccount
from preferences.models import Category, ContactPoint, User
from project.foundation.encryption import blind_index
from templates_app.models import Type
from tests.notifications.troubled import Providers


def person(user_id: str, **fields) -> User:
    user = User.objects.create_user(user_id, name=user_id.title(), **fields)
    for channel, address in (("email", f"{user_id}@example.com"), ("sms", f"+4930{len(user_id):07}")):
        ContactPoint.objects.create(
            user=user, channel=channel, address=address, address_index=blind_index(channel, address)
        )
    return user


@pytest.fixture
def ada(db):
    return person("ada", locale="en", timezone="Europe/London", attributes={"plan": "pro"})


@pytest.fixture
def bob(db):
    return person("bob", locale="de", timezone="Europe/Berlin")


@pytest.fixture
def orders(db):
    return Category.objects.create(key="orders", name="Orders", required_channels=["email"])


@pytest.fixture
def offers(db):
    return Category.objects.create(key="offers", name="Offers", kind="marketing", unknown_outcome="hold")


@pytest.fixture
def order_confirmation(orders):
    return Type.objects.create(key="ORDER_CONFIRMATION", name="Order confirmed", category=orders, priority="HIGH")


@pytest.fixture
def weekly_offers(offers):
    return Type.objects.create(key="WEEKLY_OFFERS", name="Offers of the week", category=offers, priority="LOW")


@pytest.fixture
def by_mail(weekly_offers):
    """A type that goes out by mail and by nothing else, so that people and messages are as many."""
    weekly_offers.category.default_channels = {"in_app": False}
    weekly_offers.category.save()
    return weekly_offers


@pytest.fixture
def caller(db):
    return Caller.objects.create(key="shop", name="Shop")


@pytest.fixture
def outbox_accounts(db):
    """The outbox on every outbound channel, as the demo has it."""
    for channel in ("email", "sms", "push", "web_push", "webhook", "chat", "voice"):
        ProviderAccount.objects.create(name=f"outbox-{channel}", provider="outbox", channel=channel, order=100)
    accounts.forget()
    yield
    accounts.forget()


@pytest.fixture
def clock_now():
    return datetime.now(tz=UTC)


@pytest.fixture
def providers(monkeypatch, settings):
    """Stand-ins that answer as they are told, and no accounts remembered from before."""
    settings.RETRY_SCHEDULE = [timedelta()] + [timedelta(seconds=5)] * 20
    monkeypatch.setattr(random, "random", lambda: 1.0)  # waits are whole
    found = Providers()
    monkeypatch.setattr(accounts, "send", found.send)
    accounts.forget()
    yield found
    accounts.forget()
