import pytest

from notifications import accounts
from notifications.models import ProviderAccount
from notifications.providers.outbox import Outbox
from tests.notifications.api.conftest import service
from tests.notifications.gazette import Gazette


@pytest.fixture
def shop(caller):
    return service(caller)


@pytest.fixture
def news(outbox_accounts, monkeypatch):
    """An account whose service reports what becomes of its text messages, beside the outbox on every channel."""
    monkeypatch.setattr(accounts, "provider_classes", lambda: {"gazette": Gazette, "outbox": Outbox})
    account = ProviderAccount.objects.create(name="news", provider="gazette", channel="sms")
    accounts.forget()
    yield account
    accounts.forget()
