import itertools
from datetime import timedelta

import pytest

from notifications import tracking
from notifications.models import Delivery, Notification
from notifications.tracking import Change, Status
from project.foundation import ids
from tests.notifications.given import given_delivery

pytestmark = pytest.mark.django_db


def test_the_table_of_moves_knows_every_status():
    assert set(tracking.MOVES) == set(Status)
    assert set(itertools.chain(*tracking.MOVES.values())) <= set(Status)


def test_nothing_leaves_a_status_that_ends_a_delivery():
    for status in (Status.CANCELLED, Status.EXPIRED, Status.COMPLAINED):
        assert tracking.MOVES[status] == set()
    assert tracking.MOVES[Status.SKIPPED] == {Status.CANCELLED}  # what waits for a digest


def test_nothing_that_was_sent_is_queued_again():
    for status in tracking.SUCCEEDED | {Status.BOUNCED}:
        assert not tracking.MOVES[status] & tracking.OPEN


def test_an_illegal_move_is_refused_and_nothing_is_written(ada, order_confirmation, clock_now):
    delivery = given_delivery(ada, order_confirmation, status=Status.SENT)

    with pytest.raises(tracking.IllegalMove):
        tracking.record([Change(delivery, Status.QUEUED)], now=clock_now)

    assert Delivery.objects.get().status == Status.SENT
    assert not delivery.events.exists()


def test_a_change_is_told_in_the_timeline_and_summed_up(ada, order_confirmation, clock_now):
    delivery = given_delivery(ada, order_confirmation, status=Status.SENDING)

    tracking.record([Change(delivery, Status.FAILED, error="550 no such user")], now=clock_now)

    stored = Delivery.objects.get()
    assert (stored.status, stored.error, stored.due_at, stored.lease) == ("failed", "550 no such user", None, None)
    assert [(event.kind, event.detail) for event in stored.events.all()] == [("failed", "550 no such user")]
    assert Notification.objects.get().status == Notification.Status.FAILED


@pytest.mark.parametrize(
    ("statuses", "expected"),
    [
        ([], "completed"),
        (["skipped", "skipped"], "completed"),
        (["sent", "failed"], "completed"),
        (["delivered", "queued"], "processing"),
        (["failed", "unknown"], "processing"),
        (["failed", "skipped"], "failed"),
        (["bounced"], "failed"),
        (["expired", "skipped"], "expired"),
        (["cancelled", "skipped"], "cancelled"),
        (["failed", "cancelled"], "failed"),
        (["held", "sent"], "processing"),
    ],
)
def test_a_notification_sums_up_its_deliveries(statuses, expected):
    assert tracking.summary(statuses) == expected


def test_what_a_provider_says_was_when_it_says_and_implies_that_it_was_sent(ada, order_confirmation, clock_now):
    earlier = clock_now - timedelta(seconds=30)
    delivery = given_delivery(ada, order_confirmation, status=Status.SENDING)

    tracking.record([Change(delivery, Status.DELIVERED, at=earlier)], now=clock_now)

    stored = Delivery.objects.get()
    assert (stored.status, stored.sent_at, stored.delivered_at) == ("delivered", earlier, earlier)
    assert [event.at for event in stored.events.all()] == [earlier]


def test_what_was_overtaken_leaves_its_time_and_its_line_and_no_status(ada, order_confirmation, clock_now):
    earlier = clock_now - timedelta(seconds=30)
    delivery = given_delivery(ada, order_confirmation, status=Status.CLICKED, clicked_at=clock_now, opened_at=clock_now)

    late = [Change(delivery, Status.DELIVERED, at=earlier), Change(delivery, Status.OPENED, at=earlier)]
    tracking.record_overtaken(late, now=clock_now)

    stored = Delivery.objects.get()
    assert (stored.status, stored.delivered_at, stored.opened_at) == ("clicked", earlier, clock_now)
    assert {event.kind for event in stored.events.all()} == {"delivered", "opened"}


def test_two_moves_of_one_delivery_in_one_go_end_where_the_second_leads(ada, order_confirmation, clock_now):
    delivery = given_delivery(ada, order_confirmation, status=Status.SENT)

    tracking.record([Change(delivery, Status.DELIVERED), Change(delivery, Status.CLICKED)], now=clock_now)

    stored = Delivery.objects.get()
    assert (stored.status, stored.delivered_at, stored.clicked_at) == ("clicked", clock_now, clock_now)
    assert stored.events.count() == 2


def test_the_database_sums_up_as_the_pure_rule_does(ada, order_confirmation):
    wanted = {}
    for one, other in itertools.combinations_with_replacement(Status, 2):
        first = given_delivery(ada, order_confirmation, status=one, reason="account")
        copy = Delivery.objects.get(pk=first.pk)
        copy.pk, copy.status = ids.derived_id(first.notification_id, 1, "email"), other
        copy.due_at = copy.due_at if other in {"queued", "sending", "scheduled", "unknown"} else None
        copy.save(force_insert=True)
        wanted[first.notification_id] = tracking.summary([one, other])

    tracking.summarise(set(wanted))

    assert dict(Notification.objects.values_list("id", "status")) == wanted
