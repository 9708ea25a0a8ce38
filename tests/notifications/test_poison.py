"""A message that ends whoever touches it: it is found, its neighbours arrive, and it can be sent after the fix."""

from datetime import timedelta

import pytest

from notifications import accounts, dead_letters, delivery, messages, planning, rounds
from notifications.dead_letters import Filter
from notifications.models import DeadLetter, Delivery, Notification
from notifications.providers.base import Outcome
from tests.flow import let_time_pass
from tests.notifications.given import accepted

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("outbox_accounts")]


class Died(BaseException):
    """Stands for the end of the process."""


def until_idle(settings):
    """Work on, with a new process after each that died."""
    deaths = 0
    for _ in range(20):
        try:
            if not rounds.sweep() and not Delivery.objects.filter(due_at__isnull=False).exists():
                return deaths
        except Died:
            deaths += 1
        let_time_pass(timedelta(seconds=settings.LEASE_SECONDS + 1))
    return deaths


def test_poison_is_given_up_on_after_three_recoveries_and_its_neighbours_arrive(
    ada, bob, order_confirmation, settings, monkeypatch
):
    for user in (ada, bob, ada, ada):
        accepted(user, order_confirmation, channels_preferred=["email"])
    compose = messages.compose

    def deadly(delivery, notification, person, *rest, **more):
        if person.user_id == "bob":
            raise Died
        return compose(delivery, notification, person, *rest, **more)

    monkeypatch.setattr(messages, "compose", deadly)
    assert until_idle(settings) == 3

    assert sorted(Delivery.objects.values_list("user__user_id", "status", "dead", "attempts")) == [
        ("ada", "sent", False, 1),
        ("ada", "sent", False, 1),
        ("ada", "sent", False, 1),
        ("bob", "failed", True, 0),
    ]

    monkeypatch.setattr(messages, "compose", compose)
    dead_letters.replay(dead_letters.find(Filter(), mode="live"), actor="staff:root")
    rounds.sweep()
    assert set(Delivery.objects.values_list("status", flat=True)) == {"sent"}


def test_poison_is_alone_from_its_third_time_on(ada, bob, order_confirmation, settings, monkeypatch):
    for user in (ada, bob, ada):
        accepted(user, order_confirmation, channels_preferred=["email"])
    planning.plan_due()
    sizes = []

    def send(account, batch):
        sizes.append(len(batch))
        if any(message.to == "bob@example.com" for message in batch):
            raise Died
        return [Outcome.accepted()] * len(batch)

    monkeypatch.setattr(accounts, "send", send)
    until_idle(settings)

    assert sizes[:2] == [3, 3] and set(sizes[2:]) == {1}
    assert Delivery.objects.get(user=bob).dead


def test_poison_of_planning_ends_without_its_neighbours(ada, bob, order_confirmation, settings, monkeypatch):
    for user in (ada, bob, ada):
        accepted(user, order_confirmation, channels_preferred=["email"])
    decide = planning._decide

    def deadly(notification, *rest):
        if notification.user_id == bob.pk:
            raise Died
        return decide(notification, *rest)

    monkeypatch.setattr(planning, "_decide", deadly)
    for _ in range(12):
        try:
            rounds.sweep()
        except Died:
            let_time_pass(timedelta(seconds=settings.LEASE_SECONDS + 1))

    assert sorted(Notification.objects.values_list("user__user_id", "status")) == [
        ("ada", "completed"),
        ("ada", "completed"),
        ("bob", "failed"),
    ]


def test_a_text_that_kills_its_planner_is_a_dead_letter_and_the_other_channels_go_out(
    ada, bob, order_confirmation, outbox_accounts, settings, monkeypatch
):
    for user in (ada, bob):
        accepted(user, order_confirmation, channels_preferred=["email", "in_app"])
    render = messages.inbox_content

    def deadly(notification, *rest):
        if notification.user_id == bob.pk:
            raise Died
        return render(notification, *rest)

    monkeypatch.setattr(messages, "inbox_content", deadly)
    for _ in range(12):
        try:
            rounds.sweep()
        except Died:
            let_time_pass(timedelta(seconds=settings.LEASE_SECONDS + 1))

    letter = DeadLetter.objects.get(dead=True)
    assert (letter.user, letter.channel) == (bob, "in_app")
    assert letter.error == "Planning this notification ended its worker."
    assert sorted(Delivery.objects.exclude(id=letter.id).values_list("user__user_id", "channel", "status")) == [
        ("ada", "email", "sent"),
        ("ada", "in_app", "delivered"),
        ("bob", "email", "sent"),
    ]


def test_a_lost_worker_leaves_no_illegal_move_behind_when_its_row_expires(
    ada, order_confirmation, monkeypatch, settings
):
    monkeypatch.setattr("notifications.providers.outbox.Outbox.keeps_messages", False)
    accepted(ada, order_confirmation, channels_preferred=["email"])
    planning.plan_due()
    monkeypatch.setattr(accounts, "send", lambda account, batch: (_ for _ in ()).throw(Died()))
    with pytest.raises(Died):
        delivery.deliver_due("email")
    let_time_pass(timedelta(seconds=settings.LEASE_SECONDS + 1))
    Delivery.objects.update(expires_at=Notification.objects.get().due_at or "2026-01-01T00:00:00Z")

    delivery.deliver_due("email")

    found = Delivery.objects.get()
    assert (found.status, found.dead) == ("failed", False)
    assert found.error == "The worker was lost while the provider was called, and it may not be sent again."
