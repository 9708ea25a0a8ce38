"""Requests that carry what only one may: seen again they are recordings."""

from datetime import timedelta

import pytest

from notifications import housekeeping
from notifications.models import Delivery, ProviderAccount, ReceiptRecord, UsedToken
from notifications.receipts import ledger
from project.foundation import clock
from project.foundation.ids import first_id_at
from project.foundation.models import AuditEvent
from tests.notifications.gazette import report

pytestmark = pytest.mark.django_db


def event(kind):
    return {"event_id": f"e-{kind}", "kind": kind, "provider_message_id": "m-1"}


def headers(token):
    return {"x-token": token}


def test_a_request_that_is_played_again_is_refused_and_put_on_the_trail(text_message):
    text_message()
    assert report(event("delivered"), **headers("t-1")).status_code == 204
    before = Delivery.objects.values().get()

    again = report(event("opened"), **headers("t-1"))

    assert again.status_code == 403
    assert Delivery.objects.values().get() == before
    assert ReceiptRecord.objects.count() == 1
    line = AuditEvent.objects.get(action="receipt.refused")
    assert (line.target, line.detail["why"]) == ("provider_account:news", "The request was taken in before.")


def test_the_service_may_report_the_same_thing_under_a_new_token(text_message):
    text_message()
    report(event("delivered"), **headers("t-1"))

    assert report(event("delivered"), **headers("t-2")).status_code == 204
    assert ReceiptRecord.objects.count() == 1


def test_accounts_do_not_share_their_tokens(text_message, news):
    text_message()
    ProviderAccount.objects.create(name="more-news", provider="gazette", channel="sms")
    report(event("delivered"), **headers("t-1"))

    assert report(event("delivered"), account="more-news", **headers("t-1")).status_code == 204


def test_what_could_not_be_stored_may_come_again(text_message, monkeypatch):
    text_message()

    def fails(*_):
        raise RuntimeError

    with monkeypatch.context() as broken:
        broken.setattr(ledger.settling, "settle", fails)
        with pytest.raises(RuntimeError):
            report(event("delivered"), **headers("t-1"))

    assert report(event("delivered"), **headers("t-1")).status_code == 204


def test_tokens_are_kept_while_their_requests_are_believed(news):
    now = clock.now()
    UsedToken.objects.create(id=first_id_at(now - timedelta(hours=2)), account=news, digest="old")
    UsedToken.objects.create(id=first_id_at(now - timedelta(minutes=30)), account=news, digest="young")

    housekeeping.tidy()

    assert [each.digest for each in UsedToken.objects.all()] == ["young"]
