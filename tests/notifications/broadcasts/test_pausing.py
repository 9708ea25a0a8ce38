from datetime import timedelta

import pytest

from notifications import broadcasts, delivery, planning, progress
from notifications.models import Broadcast, Delivery, Event, Notification, OutboxMessage
from project.foundation.models import AuditEvent
from tests.flow import let_time_pass, run_until_idle
from tests.notifications.broadcasts.conftest import broadcast_to, crowd, step, written_without_plans

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("outbox_accounts", "small_claims")]

# How far a broadcast to twelve is when it is stopped, in steps of a worker.
STEPS = {
    "before anything": [],
    "when the audience is found": [step],
    "with notifications waiting to be planned": [step] * 3,
    "with deliveries waiting": [step, step, planning.plan_due],
    "with some delivered": [
        *[step] * 3,
        planning.plan_due,
        lambda: delivery.deliver_due("email"),
        step,
    ],
}


@pytest.fixture(params=STEPS)
def under_way(request, by_mail):
    """A broadcast at some point of its way."""
    crowd(12)
    broadcast = broadcast_to({"all": True}, by_mail)
    for act in STEPS[request.param]:
        act()
    return broadcast


def sent():
    return OutboxMessage.objects.count()


def test_a_pause_holds_at_any_moment_and_resuming_reaches_everybody_once(under_way):
    before = sent()
    broadcasts.pause(under_way, actor="test")
    for _ in range(3):
        run_until_idle()
    assert sent() == before
    assert not Notification.objects.filter(status__in=["failed", "cancelled", "expired"]).exists()

    broadcasts.resume(under_way, actor="test")
    run_until_idle()

    assert sent() == OutboxMessage.objects.values("user").distinct().count() == 12
    assert Broadcast.objects.get().status == "completed"
    assert progress.of(Broadcast.objects.get()).sent == 12


def test_what_is_cancelled_never_leaves_and_the_counts_are_true(under_way):
    before = sent()
    broadcasts.cancel(under_way, actor="test")
    run_until_idle()

    assert sent() == before
    broadcast = Broadcast.objects.get()
    assert (broadcast.status, broadcast.due_at) == ("cancelled", None)
    found = progress.of(broadcast)
    total = 12 if broadcast.total else 0
    assert (found.sent, found.cancelled, found.queued) == (before, total - before, 0)
    assert not Notification.objects.filter(due_at__isnull=False).exists()
    assert set(Delivery.objects.values_list("status", "reason")) <= {("sent", ""), ("cancelled", "by_caller")}


def test_a_pause_between_two_sub_batches_stops_the_second(by_mail):
    crowd(4)
    broadcast = broadcast_to({"all": True}, by_mail)
    step()
    step()
    planning.plan_due()
    delivery.deliver_due("email")
    broadcasts.pause(broadcast, actor="test")
    delivery.deliver_due("email")

    assert sent() == 2
    assert sorted(Delivery.objects.values_list("status", "reason")) == [
        ("held", "broadcast_paused"),
        ("held", "broadcast_paused"),
        ("sent", ""),
        ("sent", ""),
    ]


def test_a_plan_made_before_a_pause_and_written_after_it_is_not_sent(by_mail, monkeypatch):
    crowd(2)
    broadcast = broadcast_to({"all": True}, by_mail)
    written_without_plans()
    store = planning._store

    def paused_meanwhile(plans, claim):
        broadcasts.pause(broadcast, actor="test")
        store(plans, claim)

    monkeypatch.setattr(planning, "_store", paused_meanwhile)
    planning.plan_due()
    monkeypatch.undo()
    run_until_idle()
    assert sent() == 0

    broadcasts.resume(broadcast, actor="test")
    run_until_idle()
    assert sent() == 2


def test_what_was_put_aside_after_the_resume_is_found_all_the_same(by_mail):
    crowd(2)
    broadcast = broadcast_to({"all": True}, by_mail)
    written_without_plans()
    # A worker that read the pause just before it ended, and wrote just after.
    planning._park(list(Notification.objects.all()), broadcast.due_at)
    run_until_idle()

    assert sent() == 2


def test_retries_keep_their_time_through_a_pause(by_mail, clock_now):
    crowd(1)
    broadcast = broadcast_to({"all": True}, by_mail)
    step()
    step()
    planning.plan_due()
    later = clock_now + timedelta(hours=1)
    Delivery.objects.update(due_at=later)

    broadcasts.pause(broadcast, actor="test")
    run_until_idle()
    broadcasts.resume(broadcast, actor="test")
    run_until_idle()

    assert (Delivery.objects.get().due_at, sent()) == (later, 0)
    let_time_pass(timedelta(hours=2))
    run_until_idle()
    assert sent() == 1


def test_a_scheduled_broadcast_that_is_paused_past_its_time_starts_when_resumed(by_mail, clock_now):
    crowd(1)
    broadcast = broadcast_to({"all": True}, by_mail, send_at=clock_now + timedelta(hours=1))
    broadcasts.pause(broadcast, actor="test")
    assert broadcasts.resume(broadcast, actor="test").status == "scheduled"

    broadcasts.pause(broadcast, actor="test")
    Broadcast.objects.update(send_at=clock_now - timedelta(hours=1))
    broadcasts.resume(broadcast, actor="test")
    run_until_idle()

    assert sent() == 1


@pytest.mark.parametrize(
    ("status", "possible"),
    [
        ("scheduled", {"paused", "cancelled"}),
        ("materialising", {"paused", "cancelled"}),
        ("running", {"paused", "cancelled"}),
        ("paused", {"resumed", "cancelled"}),
        ("completed", set()),
        ("cancelled", set()),
    ],
)
def test_only_what_the_state_allows_is_done(by_mail, status, possible):
    broadcast = broadcast_to({"all": True}, by_mail)
    acts = {"paused": broadcasts.pause, "resumed": broadcasts.resume, "cancelled": broadcasts.cancel}
    for act, carry_out in acts.items():
        Broadcast.objects.update(status=status, total=0)
        if act in possible:
            carry_out(broadcast, actor="test")
        else:
            with pytest.raises(broadcasts.WrongState):
                carry_out(broadcast, actor="test")


def test_acts_are_in_the_audit_trail(by_mail):
    broadcast = broadcast_to({"all": True}, by_mail)
    broadcasts.pause(broadcast, actor="staff:grace")
    broadcasts.resume(broadcast, actor="staff:grace")
    broadcasts.cancel(broadcast, actor="staff:grace")

    trail = AuditEvent.objects.filter(target=f"broadcast:{broadcast.id}").order_by("pk")
    assert list(trail.values_list("action", flat=True)) == [
        "broadcast.created",
        "broadcast.paused",
        "broadcast.resumed",
        "broadcast.cancelled",
    ]
    assert trail.last().actor == "staff:grace"


def test_each_cancelled_notification_says_why(by_mail):
    crowd(2)
    broadcast = broadcast_to({"all": True}, by_mail)
    step()
    step()
    broadcasts.cancel(broadcast, actor="test")
    run_until_idle()

    assert list(Event.objects.values_list("kind", "detail")) == [("cancelled", "by_caller")] * 2
