"""The same reports at once, and reports that meet our own workers: each counts once, and the end is right."""

import threading

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from notifications import accounts, delivery, planning
from notifications.models import Delivery, Event, ReceiptCall, ReceiptRecord
from notifications.providers.base import Outcome
from tests.notifications.gazette import report
from tests.notifications.given import accepted, given_delivery

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def _postgresql_only():
    if connection.vendor != "postgresql":
        pytest.skip("SQLite has one writer at a time: there is no race to lose")


def at_once(*acts):
    """Do all acts at once, each in a thread; return what they returned."""
    start, answers = threading.Barrier(len(acts)), []

    def run(act):
        start.wait()
        answers.append(act())
        connection.close()

    threads = [threading.Thread(target=run, args=(act,)) for act in acts]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return answers


def test_a_report_that_comes_eight_times_at_once_counts_once(text_message):
    text_message()
    events = [
        {"event_id": f"e-{kind}", "kind": kind, "provider_message_id": "m-1"}
        for kind in ("delivered", "opened", "clicked")
    ]
    shuffled = [events, events[::-1]] * 4

    answers = at_once(*(lambda wanted=wanted: report(*wanted).status_code for wanted in shuffled))

    assert answers == [204] * 8
    assert ReceiptRecord.objects.count() == 3 and ReceiptCall.objects.count() == 1
    assert Delivery.objects.get().status == "clicked"
    assert sorted(Event.objects.values_list("kind", flat=True)) == ["clicked", "delivered", "opened"]


def test_a_request_of_many_reports_costs_no_more_statements_than_one(ada, order_confirmation, news):
    def statements(count):
        for number in range(count):
            id = f"m-{count}-{number}"
            given_delivery(
                ada, order_confirmation, status="sent", channel="sms", provider_account=news, provider_message_id=id
            )
        about = [f"m-{count}-{number}" for number in range(count)]
        with CaptureQueriesContext(connection) as captured:
            report(*({"event_id": f"e-{id}", "kind": "delivered", "provider_message_id": id} for id in about))
        return len(captured)

    statements(2)  # what a process asks once
    assert statements(1) == statements(100) <= 16
    assert set(Delivery.objects.values_list("status", flat=True)) == {"delivered"}


def test_reports_of_different_things_at_once_lead_to_the_furthest(text_message):
    text_message()
    kinds = ["delivered", "opened", "clicked", "sent"] * 3
    events = [{"event_id": f"e-{n}", "kind": kind, "provider_message_id": "m-1"} for n, kind in enumerate(kinds)]

    answers = at_once(*(lambda event=event: report(event).status_code for event in events))

    assert answers == [204] * 12
    found = Delivery.objects.get()
    assert found.status == "clicked"
    assert found.delivered_at and found.opened_at and found.clicked_at


def test_a_click_before_a_delivery_before_our_own_sent_loses_nothing(ada, order_confirmation, news, monkeypatch):
    """The service reports while the worker still waits for its answer."""
    notification = accepted(ada, order_confirmation, channels_preferred=["sms"])
    planning.plan_due()
    answers = []

    def send(account, messages):
        def elsewhere():
            about = {"delivery_id": messages[0].delivery_id, "provider_message_id": "m-7"}
            for kind in ("clicked", "delivered"):
                answers.append(report({"event_id": kind, "kind": kind, **about}).status_code)
            connection.close()

        thread = threading.Thread(target=elsewhere)
        thread.start()
        thread.join()
        return [Outcome.accepted("m-7")]

    monkeypatch.setattr(accounts, "send", send)
    delivery.deliver_due("sms")

    assert answers == [204, 204]
    found = Delivery.objects.get()
    assert (found.status, found.provider_message_id, found.attempts) == ("clicked", "m-7", 1)
    assert found.sent_at and found.delivered_at and found.clicked_at and found.due_at is None
    assert [attempt.outcome for attempt in found.attempt_rows.all()] == ["accepted"]
    notification.refresh_from_db()
    assert notification.status == "completed"


def test_stopping_eight_times_at_once_is_one_suppression(news):
    events = [{"event_id": f"s-{n}", "kind": "stop", "address": "+493012345678"} for n in range(8)]

    answers = at_once(*(lambda event=event: report(event).status_code for event in events))

    assert answers == [204] * 8
    assert ReceiptRecord.objects.filter(due_at__isnull=False).count() == 1
