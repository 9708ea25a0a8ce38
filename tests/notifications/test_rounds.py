import threading

import pytest

from notifications import accounts, lanes, planning, rounds, stopping
from notifications.models import Delivery, Notification
from notifications.providers.base import Outcome
from tests.notifications.given import accepted

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("outbox_accounts")]


@pytest.fixture
def calls(monkeypatch):
    """The addresses of each sub-batch; `between` is called after each."""

    class Calls(list):
        def between(self):
            pass

    found = Calls()

    def send(account, messages):
        found.append([message.to for message in messages])
        found.between()
        return [Outcome.accepted()] * len(messages)

    monkeypatch.setattr(accounts, "send", send)
    return found


def test_what_is_urgent_is_planned_and_sent_between_sub_batches_of_bulk(
    ada, bob, weekly_offers, order_confirmation, settings, calls
):
    settings.FLUSH_SIZE = settings.CLAIM_SIZE = 2
    for _ in range(6):
        accepted(ada, weekly_offers, channels_preferred=["email"])

    def urgent():
        if len(calls) == 1:
            accepted(bob, order_confirmation, channels_preferred=["email"])

    calls.between = urgent
    rounds.sweep()

    assert calls == [["ada@example.com"] * 2, ["bob@example.com"], ["ada@example.com"] * 2, ["ada@example.com"] * 2]


def test_the_normal_lane_goes_before_bulk(ada, bob, weekly_offers, order_confirmation, calls):
    accepted(ada, weekly_offers, channels_preferred=["email"])
    accepted(bob, order_confirmation, priority="MEDIUM", channels_preferred=["email"])

    rounds.sweep()

    assert calls == [["bob@example.com"], ["ada@example.com"]]


def test_whoever_has_no_permit_leaves_bulk_to_others(ada, weekly_offers, order_confirmation, calls):
    accepted(ada, weekly_offers, channels_preferred=["email"])
    accepted(ada, order_confirmation, channels_preferred=["email"])
    with lanes.bulk() as permitted:
        assert permitted
        rounds.sweep()
    assert sorted(Notification.objects.values_list("lane", "status")) == [(0, "completed"), (2, "accepted")]

    rounds.sweep()

    assert set(Notification.objects.values_list("status", flat=True)) == {"completed"}


def test_a_permit_is_handed_back_whatever_happens():
    with pytest.raises(ZeroDivisionError), lanes.bulk():
        raise ZeroDivisionError
    with lanes.bulk() as permitted:
        assert permitted


def test_one_thread_of_a_process_works_on_bulk():
    found = []

    def other():
        with lanes.bulk() as permitted:
            found.append(permitted)

    with lanes.bulk():
        thread = threading.Thread(target=other)
        thread.start()
        thread.join()

    assert found == [False]


def test_whoever_is_to_stop_finishes_its_sub_batch_and_takes_up_nothing_new(ada, order_confirmation, settings, calls):
    settings.FLUSH_SIZE = 2
    for _ in range(5):
        accepted(ada, order_confirmation, channels_preferred=["email"])
    planning.plan_due()
    calls.between = stopping.ask
    try:
        rounds.sweep()
    finally:
        stopping.withdraw()

    assert [len(call) for call in calls] == [2]
    assert sorted(Delivery.objects.values_list("status", "lease"))[3:] == [("sent", None)] * 2
    assert set(Delivery.objects.filter(status="queued").values_list("lease", flat=True)) == {None}
