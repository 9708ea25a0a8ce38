"""The one text that still goes to who wrote stop, start or help: once, in time, or not at all."""

from datetime import timedelta
from uuid import UUID

import pytest
from django.core.cache import cache

from notifications import accounts
from notifications.models import AnsweredText, ProviderAccount, ReceiptRecord
from notifications.providers.base import Outcome
from notifications.receipts import answering, catching_up
from preferences.consent import Origin
from preferences.models import ConsentRecord, Suppression
from preferences.suppressions import Reason, Unwanted, suppress
from project.foundation import clock, ids
from tests.notifications.gazette import report

pytestmark = pytest.mark.django_db
PHONE = "+49300000003"  # of ada, as the fixture has it


@pytest.fixture
def service(monkeypatch):
    """What went to people, and what the service says of the next texts; it takes all it was not told to refuse."""

    class Service:
        def __init__(self) -> None:
            self.sent: list[str] = []
            self.next: list[Outcome] = []

    service = Service()

    def send(account, messages):
        [message] = messages
        service.sent.append(message.parts["text"])
        return [service.next.pop(0) if service.next else Outcome.accepted("r-1")]

    monkeypatch.setattr(accounts, "send", send)
    return service


def write(kind, number, address=PHONE):
    report({"event_id": f"{kind}-{number}", "kind": kind, "address": address})
    catching_up.catch_up()


def wait(monkeypatch, **time):
    now = clock.now() + timedelta(**time)
    monkeypatch.setattr(clock, "now", lambda: now)


def age(**time):
    """Let what is on record have come in some time ago."""
    for record in ReceiptRecord.objects.all():
        earlier = ids.first_id_at(ids.created_at(record.id) - timedelta(**time))
        ReceiptRecord.objects.filter(id=record.id).update(id=UUID(int=earlier.int + record.id.int % 2**60))


def test_a_stop_after_a_start_holds_and_is_confirmed_once_a_day(ada, news, service):
    write("stop", 1)
    write("start", 1)
    write("stop", 2)

    assert [text.split(": ")[1][:16] for text in service.sent] == ["You will get no ", "You will get our"]
    assert Suppression.objects.get().reason == "stop"
    assert [line.new for line in ConsentRecord.objects.order_by("id")] == ["stop", "unset", "stop"]

    AnsweredText.objects.update(at=clock.now() - timedelta(hours=25))
    write("start", 2)
    write("stop", 3)
    assert len(service.sent) == 4


def test_who_asks_for_help_again_and_again_is_answered_once_a_day(ada, news, service, monkeypatch):
    for number in range(5):
        write("help", number)
    assert len(service.sent) == 1

    wait(monkeypatch, hours=25)
    write("help", 99)
    assert len(service.sent) == 2


def test_each_number_is_answered_for_itself(news, service):
    write("help", 1)
    write("help", 2, "+4930555000")

    assert len(service.sent) == 2
    assert {bytes(row.address_index) for row in AnsweredText.objects.all()}.isdisjoint({PHONE.encode()})


def test_numbers_that_nobody_has_are_answered_so_many_times_an_hour(ada, news, service, monkeypatch):
    cache.clear()
    monkeypatch.setattr(answering, "STRANGERS", 2)
    for number in range(4):
        write("help", number, f"+493055500{number}0")
    write("help", 9)

    assert len(service.sent) == 3, "two strangers, and ada all the same"
    cache.clear()


def test_a_country_that_the_account_does_not_send_to_is_not_answered(news, service):
    ProviderAccount.objects.update(countries=["GB"])
    accounts.forget()
    write("help", 1, "+4930555000")
    write("stop", 2, "+4930555000")

    assert service.sent == [] and Suppression.objects.get().reason == "stop"


def test_who_unsubscribes_from_mails_is_not_written_to_about_it(news, service):
    ProviderAccount.objects.update(channel="email")
    write("stop", 1, "ada@example.com")

    assert service.sent == [] and Suppression.objects.get().channel == "email"


def test_a_stop_that_could_not_be_confirmed_within_five_minutes_holds_without_a_text(ada, news, service):
    report({"event_id": "stop-1", "kind": "stop", "address": PHONE})
    age(minutes=6)

    catching_up.catch_up()

    assert service.sent == [] and Suppression.objects.get().reason == "stop"
    assert set(ReceiptRecord.objects.values_list("due_at", "address")) == {(None, "")}


def test_what_the_service_surely_did_not_take_is_tried_again_within_the_five_minutes(ada, news, service, monkeypatch):
    service.next = [Outcome.transient("busy"), Outcome.transient("busy")]
    write("stop", 1)
    catching_up.catch_up()
    assert len(service.sent) == 1  # not at once

    wait(monkeypatch, seconds=11)
    catching_up.catch_up()
    wait(monkeypatch, seconds=11)
    catching_up.catch_up()
    wait(monkeypatch, seconds=60)
    catching_up.catch_up()

    assert len(service.sent) == 3
    assert set(ReceiptRecord.objects.values_list("due_at", "address")) == {(None, "")}


def test_a_text_that_may_have_been_taken_is_not_sent_again(ada, news, service, monkeypatch):
    service.next = [Outcome.unknown("no answer")]
    write("stop", 1)

    wait(monkeypatch, seconds=60)
    catching_up.catch_up()

    assert len(service.sent) == 1


def test_who_stops_a_number_that_an_operator_had_suppressed_is_confirmed_and_start_leaves_the_operators(
    ada, news, service
):
    suppress([Unwanted("sms", PHONE, Reason.OPERATOR)], origin=Origin("admin", "staff:grace"))

    write("stop", 1)
    assert len(service.sent) == 1 and Suppression.objects.get().stopped

    write("start", 1)
    row = Suppression.objects.get()
    assert (row.reason, row.stopped, len(service.sent)) == ("operator", False, 1)


def test_what_was_answered_long_ago_is_forgotten(news, service):
    write("help", 1)

    answering.forget_before(clock.now() + timedelta(hours=23))
    assert AnsweredText.objects.exists()
    answering.forget_before(clock.now() + timedelta(hours=25))
    assert not AnsweredText.objects.exists()
