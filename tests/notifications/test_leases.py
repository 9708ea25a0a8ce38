import threading
from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection, transaction

from notifications import leases
from notifications.models import Delivery, Lane, Notification
from tests.flow import let_time_pass
from tests.notifications.given import accepted, given_delivery

pytestmark = pytest.mark.django_db


def test_due_rows_are_claimed_once(ada, order_confirmation):
    accepted(ada, order_confirmation)

    first = leases.claim(Notification, limit=10)
    second = leases.claim(Notification, limit=10)

    assert len(first.rows) == 1 and second.rows == []
    assert abs(first.now - datetime.now(tz=UTC)) < timedelta(seconds=30)


def test_what_is_due_later_is_left_alone(ada, order_confirmation):
    accepted(ada, order_confirmation, send_at=datetime.now(tz=UTC) + timedelta(hours=1))

    assert leases.claim(Notification, limit=10).rows == []

    let_time_pass(timedelta(hours=1, seconds=1))
    assert len(leases.claim(Notification, limit=10).rows) == 1


def test_the_high_lane_goes_first_then_the_longest_due(ada, order_confirmation, weekly_offers):
    bulk = [accepted(ada, weekly_offers) for _ in range(3)]
    high = accepted(ada, order_confirmation)

    claimed = leases.claim(Notification, limit=2).rows

    assert [row.id for row in claimed] == [high.id, bulk[0].id]


def test_a_lease_that_ran_out_is_taken_over_and_counted(ada, order_confirmation, settings):
    accepted(ada, order_confirmation)
    first = leases.claim(Notification, limit=10)
    let_time_pass(timedelta(seconds=settings.LEASE_SECONDS + 1))

    second = leases.claim(Notification, limit=10)

    assert [row.recoveries for row in second.rows] == [1]
    with transaction.atomic():
        assert leases.still_held(Notification, [first.rows[0].id], first.token) == set()
        assert leases.still_held(Notification, [first.rows[0].id], second.token) == {first.rows[0].id}


def lose_all(settings):
    while leases.claim(Notification, limit=100).rows:
        continue
    let_time_pass(timedelta(seconds=settings.LEASE_SECONDS + 1))


def test_rows_that_were_recovered_are_taken_few_together_and_before_fresh_ones(ada, order_confirmation, settings):
    shaken = {accepted(ada, order_confirmation).id for _ in range(leases.TOGETHER_AFTER_A_LOSS + 2)}
    lose_all(settings)
    fresh = {accepted(ada, order_confirmation).id for _ in range(3)}

    claims = [{row.id for row in leases.claim(Notification, limit=100).rows} for _ in range(4)]

    assert [len(claim) for claim in claims] == [leases.TOGETHER_AFTER_A_LOSS, 2, 3, 0]
    assert (claims[0] | claims[1], claims[2]) == (shaken, fresh)


def test_a_row_that_was_recovered_twice_is_taken_alone(ada, order_confirmation, settings):
    suspects = {accepted(ada, order_confirmation).id for _ in range(2)}
    lose_all(settings)
    lose_all(settings)
    fresh = {accepted(ada, order_confirmation).id for _ in range(3)}

    claims = [{row.id for row in leases.claim(Notification, limit=100).rows} for _ in range(4)]

    assert [len(claim) for claim in claims] == [1, 1, 3, 0]
    assert (claims[0] | claims[1], claims[2]) == (suspects, fresh)


def test_a_suspect_stays_alone_after_its_release(ada, order_confirmation, settings):
    accepted(ada, order_confirmation)
    lose_all(settings)
    lose_all(settings)
    leases.release(Notification, leases.claim(Notification, limit=10).token)
    accepted(ada, order_confirmation)

    assert [len(leases.claim(Notification, limit=10).rows) for _ in range(2)] == [1, 1]


@pytest.mark.parametrize("lane", [0, 1, 2])
def test_the_channels_of_a_lane_with_work_are_known(ada, order_confirmation, lane):
    given_delivery(ada, order_confirmation, status="queued", channel="email", lane=0)
    given_delivery(ada, order_confirmation, status="queued", channel="sms", lane=0)
    given_delivery(ada, order_confirmation, status="sent", channel="push", lane=1)
    given_delivery(ada, order_confirmation, status="queued", channel="voice", lane=2)
    leases.claim(Delivery, limit=1, lane=2)

    assert set(leases.look([Lane(lane)]).channels[lane]) == ({"email", "sms"} if lane == 0 else set())


def test_a_released_row_is_free_at_once_and_no_recovery(ada, order_confirmation):
    accepted(ada, order_confirmation)
    leases.release(Notification, leases.claim(Notification, limit=10).token)

    assert [row.recoveries for row in leases.claim(Notification, limit=10).rows] == [0]


def test_a_claim_is_one_statement(ada, order_confirmation, django_assert_num_queries):
    for _ in range(20):
        accepted(ada, order_confirmation)

    with django_assert_num_queries(1):
        assert len(leases.claim(Notification, limit=500).rows) == 20


@pytest.mark.django_db(transaction=True)
def test_claims_at_the_same_moment_share_no_row(ada, order_confirmation):
    expected = {accepted(ada, order_confirmation).id for _ in range(40)}
    start, taken, lock = threading.Barrier(4), [], threading.Lock()

    def worker():
        start.wait()
        while rows := leases.claim(Notification, limit=5).rows:
            with lock:
                taken.extend(row.id for row in rows)
        connection.close()

    threads = [threading.Thread(target=worker) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(taken) == 40 and set(taken) == expected
