"""Circuits that open and close, and the account that stands in meanwhile."""

from datetime import UTC, datetime, timedelta

import pytest

from notifications import (
    account_states,
    breaker,
    broadcasts,
    clearance,
    delivery,
    leases,
)
from notifications.models import AccountState, Delivery
from notifications.providers.base import Outcome
from notifications.routing import Allotment
from tests.flow import run_until_idle
from tests.notifications.broadcasts.conftest import broadcast_to
from tests.notifications.troubled import account, clock_moves, queued, statuses, work

pytestmark = pytest.mark.django_db


def test_a_failing_account_is_left_alone_until_one_message_gets_through(ada, order_confirmation, providers, settings):
    settings.FLUSH_SIZE = 5
    account("main")
    queued(ada, order_confirmation, 12)
    providers.answers["main"] = Outcome.transient("451 try later")

    work()
    assert providers.calls["main"] == [5]
    assert set(statuses()) == {"queued"}
    clock_moves(breaker.OPEN_FOR)
    work()
    assert providers.calls["main"] == [5, 1]

    providers.answers["main"] = Outcome.accepted()
    clock_moves(breaker.OPEN_FOR)
    work()
    assert providers.calls["main"][2] == 1
    assert set(statuses()) == {"sent"}


def test_waiting_for_a_failing_account_uses_up_no_try(ada, order_confirmation, providers, settings):
    settings.FLUSH_SIZE = 5
    account("main")
    queued(ada, order_confirmation, 10)
    providers.answers["main"] = Outcome.transient("451 try later")

    work()

    assert sorted(Delivery.objects.values_list("attempts", flat=True)) == [0] * 5 + [1] * 5


def test_the_next_account_takes_over_while_the_circuit_is_open_and_hands_back_after(
    ada, order_confirmation, providers, settings
):
    settings.FLUSH_SIZE = 5
    account("main", order=1)
    account("spare", order=2)
    providers.answers["main"] = Outcome.transient("451 try later")
    queued(ada, order_confirmation, 5)
    work()
    assert (providers.sent("main"), providers.sent("spare")) == (5, 0)

    clock_moves(timedelta(seconds=6))
    work()
    assert (providers.sent("main"), providers.sent("spare")) == (5, 5)

    providers.answers["main"] = Outcome.accepted()
    clock_moves(breaker.OPEN_FOR)
    queued(ada, order_confirmation, 20)
    work()
    assert (providers.sent("main"), providers.sent("spare")) == (5 + 1 + 15, 5 + 4)
    assert set(statuses()) == {"sent"}


def test_a_transient_failure_alone_moves_nothing_to_the_next_account(ada, order_confirmation, providers):
    account("main", order=1)
    account("spare", order=2)
    providers.answers["main"] = Outcome.transient("451 try later")
    queued(ada, order_confirmation, 4)

    work()
    clock_moves(timedelta(seconds=6))
    providers.answers["main"] = Outcome.accepted()
    work()

    assert (providers.sent("main"), providers.sent("spare")) == (8, 0)


def test_a_message_whose_answer_was_lost_goes_to_no_other_account(ada, order_confirmation, providers):
    account("main", order=1)
    account("spare", order=2)
    providers.answers["main"] = Outcome.unknown("The connection broke.")
    queued(ada, order_confirmation, 5)

    work()
    clock_moves(timedelta(seconds=6))
    work()
    assert providers.sent("spare") == 0
    assert set(Delivery.objects.values_list("status", "reason")) == {("queued", "unknown_outcome")}

    providers.answers["main"] = Outcome.accepted()
    for _ in range(3):
        clock_moves(breaker.OPEN_FOR)
        work()
    assert (providers.sent("spare"), set(statuses())) == (0, {"sent"})


def test_a_message_whose_worker_was_lost_goes_to_no_other_account_though_its_own_refuses_it_now(
    ada, order_confirmation, providers, settings
):
    account("main", order=1)
    account("spare", order=2)
    queued(ada, order_confirmation, 1)
    begin()  # … and the worker dies here
    clock_moves(timedelta(seconds=settings.LEASE_SECONDS + 1))
    providers.answers["main"] = Outcome.account("535 authentication failed")

    work()

    assert providers.sent("spare") == 0
    assert set(Delivery.objects.values_list("status", "reason")) == {("queued", "unknown_outcome")}


def test_a_message_whose_worker_was_lost_keeps_its_account_when_that_has_no_room_for_it_at_first(
    ada, order_confirmation, providers, settings, monkeypatch
):
    main = account("main", order=1)
    account("spare", order=2)
    queued(ada, order_confirmation, 1)
    begin()  # … and the worker dies here
    clock_moves(timedelta(seconds=settings.LEASE_SECONDS + 1))
    with monkeypatch.context() as patched:
        patched.setattr(account_states, "reserve", lambda *_, **__: (0, timedelta(seconds=1)))
        assert begin() == []
    AccountState.objects.create(account=main, refused_at=datetime.now(tz=UTC))
    clock_moves(timedelta(seconds=2))

    work()

    assert providers.sent("spare") == 0
    assert statuses() != ["sent"]


def begin():
    claim = leases.claim(Delivery, limit=1, channel="email")
    assert claim.rows
    return delivery._begin(clearance.sort(claim.rows, Allotment(delivery._route("email")), claim.now), claim)


@pytest.fixture
def in_doubt(ada, order_confirmation, providers):
    """A broadcast that was paused after a provider's answer was lost."""
    account("main", order=1)
    account("spare", order=2)
    providers.answers["main"] = Outcome.unknown("The connection broke.")
    broadcast = broadcast_to({"all": True}, order_confirmation)
    run_until_idle()
    broadcasts.pause(broadcast, actor="test")
    clock_moves(timedelta(seconds=6))
    run_until_idle()
    assert mails().get() == ("held", "broadcast_paused")
    return broadcast


def mails():
    return Delivery.objects.filter(channel="email").values_list("status", "reason")


def test_a_pause_makes_nobody_forget_that_an_answer_was_lost(in_doubt, providers):
    providers.answers["main"] = Outcome.account("535 authentication failed")
    broadcasts.resume(in_doubt, actor="test")
    run_until_idle()

    assert (mails().get(), providers.sent("spare")) == (("queued", "unknown_outcome"), 0)


def test_what_may_have_been_sent_before_a_pause_is_not_called_cancelled(in_doubt, providers):
    broadcasts.cancel(in_doubt, actor="test")
    run_until_idle()

    assert (mails().get(), providers.sent("main"), providers.sent("spare")) == (("failed", ""), 1, 0)


def test_the_outbox_is_no_way_out(ada, order_confirmation, providers, settings):
    settings.FLUSH_SIZE = 5
    account("main", order=1)
    account("outbox", order=100, provider="outbox", options={})
    providers.answers["main"] = Outcome.transient("451 try later")
    queued(ada, order_confirmation, 10)

    work()

    assert "outbox" not in providers.calls


def test_two_workers_at_once_send_one_probe(ada, order_confirmation, providers):
    main = account("main")
    queued(ada, order_confirmation, 2)
    opened = datetime.now(tz=UTC) - breaker.OPEN_FOR
    AccountState.objects.create(account=main, failures=5, recent="-----", opened_at=opened)
    route = delivery._route("email")
    claims = [leases.claim(Delivery, limit=1, channel="email") for _ in range(2)]
    goings = [delivery._begin(clearance.sort(claim.rows, Allotment(route), claim.now), claim) for claim in claims]

    assert [len(going) for going in goings] == [1, 0]
