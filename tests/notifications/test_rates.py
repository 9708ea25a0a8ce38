"""Accounts that slow us down, and rates we keep."""

from datetime import UTC, datetime, timedelta

import pytest

from notifications import (
    delivery,
    leases,
)
from notifications.models import Attempt, Delivery
from notifications.providers.base import Outcome
from tests.notifications.troubled import account, clock_moves, queued, work

pytestmark = pytest.mark.django_db


def test_a_throttled_account_is_not_asked_before_it_said(ada, order_confirmation, providers, settings):
    settings.FLUSH_SIZE = 5
    account("main")
    queued(ada, order_confirmation, 10)
    providers.answers["main"] = Outcome.throttled("429", until=datetime.now(tz=UTC) + timedelta(minutes=10))

    work()
    clock_moves(timedelta(minutes=9, seconds=50))
    work()
    assert providers.calls["main"] == [5]

    providers.answers["main"] = Outcome.accepted()
    clock_moves(timedelta(seconds=11))
    work()
    assert set(Delivery.objects.values_list("status", "attempts")) == {("sent", 1)}
    assert Attempt.objects.filter(outcome="throttled").count() == 5


def test_throttling_is_no_reason_to_take_another_account(ada, order_confirmation, providers):
    account("main", order=1)
    account("spare", order=2)
    queued(ada, order_confirmation, 2)
    providers.answers["main"] = Outcome.throttled("429", until=datetime.now(tz=UTC) + timedelta(minutes=10))

    work()

    assert "spare" not in providers.calls


def test_a_rate_limit_is_kept_and_burns_no_tries(ada, order_confirmation, providers):
    account("main", rate_limit="60/h")
    queued(ada, order_confirmation, 3)

    work()
    assert providers.calls["main"] == [1]
    clock_moves(timedelta(seconds=55))
    work()
    assert providers.calls["main"] == [1]
    clock_moves(timedelta(seconds=6))
    work()

    assert providers.calls["main"] == [1, 1]
    assert list(Delivery.objects.filter(status="queued").values_list("attempts", flat=True)) == [0]


def test_a_sub_batch_is_as_large_as_the_rate_allows(ada, order_confirmation, providers):
    account("main", rate_limit="40/s")
    queued(ada, order_confirmation, 25)

    assert [delivery.deliver_due("email"), providers.calls["main"]] == [10, [10]]


def test_two_workers_at_once_share_one_rate(ada, order_confirmation, providers):
    """Both looked before either took."""
    account("main", rate_limit="60/h")
    queued(ada, order_confirmation, 2)
    route = delivery._route("email")
    claims = [leases.claim(Delivery, limit=1, channel="email") for _ in range(2)]

    for claim in claims:
        delivery._deliver(claim, route)

    assert providers.calls["main"] == [1]
    waiting = Delivery.objects.get(status="queued")
    assert (waiting.attempts, waiting.lease) == (0, None)
    assert waiting.due_at > datetime.now(tz=UTC) + timedelta(seconds=50)
