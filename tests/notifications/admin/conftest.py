import pytest
from django.test import Client

from notifications import accounts
from notifications.models import ProviderAccount
from preferences import contact_points
from preferences.models import User


@pytest.fixture
def grace() -> User:
    return User.objects.create_superuser("grace", "a long enough password", name="Grace Hopper")


@pytest.fixture
def desk(grace: User) -> Client:
    """The admin, with a superuser signed in."""
    client = Client()
    client.force_login(grace)
    return client


@pytest.fixture
def porter() -> Client:
    """The admin, with staff signed in who have no rights."""
    client = Client()
    client.force_login(User.objects.create_user("porter", is_staff=True))
    return client


@pytest.fixture
def ada() -> User:
    user = User.objects.create_user("ada", name="Ada Lovelace")
    contact_points.add(user, channel="email", address="ada@example.com")
    ProviderAccount.objects.create(name="outbox-email", provider="outbox", channel="email")
    accounts.forget()
    return user
