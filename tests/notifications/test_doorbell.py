import threading
import time

import pytest
from celery import current_app
from django.db import transaction

from notifications import doorbell


@pytest.fixture
def sent(settings, monkeypatch):
    """Stages as they are published. `sent.fail` makes the broker refuse."""
    settings.DOORBELLS = True
    monkeypatch.setattr(doorbell, "_current", None)

    class Sent(list):
        fail = False
        arrived = threading.Event()

    published = Sent()

    def send_task(name, args, **options):
        assert name == "notifications.wake" and options["retry"] is False
        if published.fail:
            published.arrived.set()
            raise ConnectionError("the broker is away")
        published.append(args[0])
        published.arrived.set()

    monkeypatch.setattr(current_app, "send_task", send_task)
    published.arrived.clear()
    return published


@pytest.mark.django_db(transaction=True)
def test_a_ring_is_heard_after_the_commit_and_not_before(sent):
    with transaction.atomic():
        doorbell.ring(doorbell.PLAN)
        assert not sent.arrived.wait(0.2)

    assert sent.arrived.wait(2) and sent == ["plan"]


@pytest.mark.django_db(transaction=True)
def test_nothing_rings_when_the_transaction_is_undone(sent):
    with pytest.raises(ZeroDivisionError), transaction.atomic():
        doorbell.ring(doorbell.PLAN)
        raise ZeroDivisionError

    assert not sent.arrived.wait(0.2)


@pytest.mark.django_db(transaction=True)
def test_a_thousand_rings_are_a_few_tasks(sent):
    for _ in range(1000):
        doorbell.ring("email")
    time.sleep(3 * doorbell.COALESCE_SECONDS)

    assert 1 <= len(sent) < 100


@pytest.mark.django_db(transaction=True)
def test_a_broker_that_is_away_is_not_felt_by_the_caller(sent):
    sent.fail = True

    doorbell.ring(doorbell.PLAN)

    assert sent.arrived.wait(2)
    assert sent == []


@pytest.mark.django_db(transaction=True)
def test_after_a_failure_the_bell_keeps_quiet_for_a_while_and_then_rings_again(sent, monkeypatch):
    monkeypatch.setattr(doorbell, "PAUSE_SECONDS", 0.3)
    sent.fail = True
    doorbell.ring(doorbell.PLAN)
    assert sent.arrived.wait(2)
    sent.fail = False
    sent.arrived.clear()

    doorbell.ring("email")

    assert not sent.arrived.wait(0.1)
    assert sent.arrived.wait(2) and sent == ["email"]


@pytest.mark.django_db(transaction=True)
def test_a_process_that_answers_its_own_rings_sends_on_only_what_it_has_no_time_for(sent, monkeypatch):
    answers = [True, False]
    monkeypatch.setattr(doorbell, "_answer", lambda: answers.pop(0))

    doorbell.ring("email")
    assert not sent.arrived.wait(0.2)
    doorbell.ring("sms")

    assert sent.arrived.wait(2) and sent == ["sms"]
