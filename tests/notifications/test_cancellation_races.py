"""Cancelling while workers send: each message is either stopped and never sent, or sent and too late to stop."""

import random
import threading
import time

import pytest
from django.db import connection

from notifications import accounts, cancellation, rounds
from notifications.models import Delivery, Notification
from notifications.providers.base import Outcome
from tests.notifications.given import accepted


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("outbox_accounts")
def test_each_of_100_is_cancelled_and_unsent_or_sent_and_refused(ada, order_confirmation, settings, monkeypatch):
    if connection.vendor != "postgresql":
        pytest.skip("SQLite has one writer at a time: there is no race to lose")
    settings.FLUSH_SIZE = settings.CLAIM_SIZE = 7
    notifications = [accepted(ada, order_confirmation, channels_preferred=["email"]).id for _ in range(100)]
    sent, answers, lock = [], {}, threading.Lock()

    def send(account, messages):
        time.sleep(0.01)
        with lock:
            sent.extend(message.delivery_id for message in messages)
        return [Outcome.accepted()] * len(messages)

    monkeypatch.setattr(accounts, "send", send)

    def cancelling(chosen):
        for id in chosen:
            time.sleep(random.uniform(0, 0.02))
            try:
                cancellation.cancel(id)
                answers[id] = "cancelled"
            except cancellation.AlreadyLeft:
                answers[id] = "refused"
        connection.close()

    def working():
        rounds.sweep()
        connection.close()

    random.shuffle(notifications)
    threads = [threading.Thread(target=working) for _ in range(2)]
    threads += [threading.Thread(target=cancelling, args=(notifications[n::4],)) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    rounds.sweep()

    assert len(answers) == 100 and len(sent) == len(set(sent))
    of = dict(Delivery.objects.values_list("id", "notification_id"))
    assert {of[id] for id in sent} == {id for id, answer in answers.items() if answer == "refused"}
    for id, status in Notification.objects.values_list("id", "status"):
        assert (answers[id], status) in {("cancelled", "cancelled"), ("refused", "completed")}
