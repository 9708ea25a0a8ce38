import pytest

from notifications import accounts
from notifications.models import ProviderAccount
from notifications.providers.outbox import Outbox
from tests.notifications.gazette import Gazette
from tests.notifications.given import given_delivery


@pytest.fixture
def news(db, monkeypatch):
    """An account whose service reports what becomes of its text messages."""
    monkeypatch.setattr(accounts, "provider_classes", lambda: {"gazette": Gazette, "outbox": Outbox})
    accounts.forget()
    yield ProviderAccount.objects.create(name="news", provider="gazette", channel="sms")
    accounts.forget()


@pytest.fixture
def text_message(ada, order_confirmation, news):
    """Return a function that stores one text message in a status, sent through the account."""

    def given(status="sent", **fields):
        point = ada.contact_points.get(channel="sms")
        known = {"provider_account": news, "provider_message_id": "m-1", "attempts": 1, "contact_point": point}
        return given_delivery(ada, order_confirmation, status=status, channel="sms", **known | fields)

    return given
