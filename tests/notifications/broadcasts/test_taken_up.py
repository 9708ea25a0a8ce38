"""What a process has planned it delivers itself, unclaimed: to everybody once, and to nobody who says no."""

from datetime import timedelta

import pytest

from notifications import accounts, broadcasts, clearance, delivery, doorbell, fanout, lanes, leases, rounds
from notifications.models import Attempt, Broadcast, Delivery, Notification
from notifications.providers.base import Outcome
from preferences.models import Preference, User
from tests.flow import let_time_pass, run_until_idle
from tests.notifications.broadcasts.conftest import broadcast_to, crowd, taken_up
from tests.notifications.given import accepted
from tests.notifications.troubled import account

pytestmark = pytest.mark.django_db


@pytest.fixture
def halves(settings):
    """Sub-batches of two, so that six people are three of them."""
    settings.FLUSH_SIZE = 2


def addresses(*numbers):
    return [f"user-{n:05}@example.com" for n in numbers]


def says_no(number):
    user = User.objects.get(user_id=f"user-{number:05}")
    Preference.objects.create(user=user, channel="email", enabled=False)


def statuses():
    rows = Delivery.objects.order_by("user__user_id").values_list("status", "reason", "lease")
    return [(status, reason) if lease is None else (status, "leased") for status, reason, lease in rows]


def test_nothing_is_claimed_that_was_just_planned(by_mail, sent, halves, monkeypatch):
    claimed = []
    claim = leases.claim
    monkeypatch.setattr(leases, "claim", lambda model, **how: claimed.append(model) or claim(model, **how))
    crowd(6)
    broadcast_to({"all": True}, by_mail)
    run_until_idle()

    assert sorted(sent) == addresses(0, 1, 2, 3, 4, 5)
    assert claimed == []
    assert statuses() == [("sent", "")] * 6
    assert Attempt.objects.filter(outcome="accepted", number=1).count() == 6
    assert set(Notification.objects.values_list("status", flat=True)) == {"completed"}
    assert Broadcast.objects.get().status == "completed"


def test_a_no_after_planning_counts(by_mail, sent, halves):
    written = taken_up(by_mail)
    says_no(1)
    for _ in delivery.deliver_written(written):
        continue

    assert sorted(sent) == addresses(0, 2, 3, 4, 5)
    assert statuses()[1] == ("cancelled", "opted_out")


def test_a_no_counts_though_the_mail_was_made_ready_before(by_mail, sent, halves):
    going = delivery.deliver_written(taken_up(by_mail))
    next(going)
    left = sorted(set(addresses(*range(6))) - set(sent))
    says_no(int(left[0][5:10]))
    for _ in going:
        continue

    assert sorted(sent) == sorted(set(addresses(*range(6))) - {left[0]})


def test_a_category_that_is_switched_off_meanwhile_stops_the_rest(by_mail, sent, halves):
    written = taken_up(by_mail)
    by_mail.category.default_channels = {"email": False}
    by_mail.category.save()
    for _ in delivery.deliver_written(written):
        continue

    assert sent == []
    assert statuses() == [("cancelled", "opted_out")] * 6


def test_a_pause_holds_what_was_made_ready(by_mail, sent, halves):
    going = delivery.deliver_written(taken_up(by_mail))
    next(going)
    broadcasts.pause(Broadcast.objects.get(), actor="test")
    for _ in going:
        continue

    assert len(sent) == 2
    assert sorted(statuses()) == [("held", "broadcast_paused")] * 4 + [("sent", "")] * 2


def test_a_new_name_is_in_the_mail_that_was_made_ready_before(by_mail, monkeypatch, halves):
    account("mail")
    found = []
    monkeypatch.setattr(
        accounts, "send", lambda account, messages: found.extend(messages) or [Outcome.accepted()] * len(messages)
    )
    going = delivery.deliver_written(taken_up(by_mail))
    next(going)
    hashes = Attempt.objects.count()
    User.objects.update(name="Somebody Else")
    for _ in going:
        continue

    assert hashes == 2
    snapshots = Attempt.objects.order_by("started_at").values_list("snapshot", flat=True)
    assert [each["name"] for each in snapshots].count("Somebody Else") == 4


def test_a_pause_holds_what_is_not_begun(by_mail, sent, halves):
    written = taken_up(by_mail)
    broadcasts.pause(Broadcast.objects.get(), actor="test")
    for _ in delivery.deliver_written(written):
        continue
    assert sent == []
    assert statuses() == [("held", "broadcast_paused")] * 6

    broadcasts.resume(Broadcast.objects.get(), actor="test")
    run_until_idle()

    assert sorted(sent) == addresses(0, 1, 2, 3, 4, 5)


def test_what_was_cancelled_under_the_lease_does_not_leave(by_mail, sent, halves):
    written = taken_up(by_mail)
    broadcasts.cancel(Broadcast.objects.get(), actor="test")
    while fanout_moves():
        continue
    for _ in delivery.deliver_written(written):
        continue

    assert sent == []
    assert statuses() == [("cancelled", "by_caller")] * 6


def fanout_moves():
    return sum(step.moved for step in fanout.steps())


def test_whoever_dies_with_it_leaves_it_to_others_once_the_lease_is_over(by_mail, sent, halves, settings):
    going = delivery.deliver_written(taken_up(by_mail))
    next(going)
    going.close()  # … and the process is gone
    run_until_idle()
    assert len(sent) == 2

    let_time_pass(timedelta(seconds=settings.LEASE_SECONDS))
    run_until_idle()

    assert sorted(sent) == addresses(0, 1, 2, 3, 4, 5)


def test_whoever_is_asked_to_stop_puts_back_the_rest(by_mail, sent, halves, monkeypatch):
    crowd(6)
    broadcast_to({"all": True}, by_mail)
    rounds.sweep(lambda: len(sent) >= 2)
    assert len(sent) == 2
    assert sorted(statuses()) == [("queued", "")] * 4 + [("sent", "")] * 2

    run_until_idle()

    assert sorted(sent) == addresses(0, 1, 2, 3, 4, 5)


def test_an_account_without_room_has_the_rest_put_back(by_mail, sent, halves):
    account("slow", order=1, rate_limit="2/m")
    crowd(6)
    broadcast_to({"all": True}, by_mail)
    rounds.sweep()

    assert 0 < len(sent) < 6
    assert sorted(statuses()) == [("queued", "")] * (6 - len(sent)) + [("sent", "")] * len(sent)


def test_a_lease_that_is_half_over_is_given_back(by_mail, sent, halves, settings):
    written = taken_up(by_mail)
    settings.LEASE_SECONDS = 0
    assert list(delivery.deliver_written(written)) == []
    assert len(written.claim.rows) == 6


def test_what_was_sent_is_on_record_though_the_next_could_not_be_made_ready(by_mail, sent, halves, monkeypatch):
    written = taken_up(by_mail)
    sort, calls = clearance.sort_as_planned, []

    def fails(*args):
        calls.append(1)
        if len(calls) > 1:
            raise RuntimeError
        return sort(*args)

    monkeypatch.setattr(clearance, "sort_as_planned", fails)
    with pytest.raises(RuntimeError):
        list(delivery.deliver_written(written))

    assert len(sent) == 2
    assert [status for status, _ in sorted(statuses())] == ["queued"] * 4 + ["sent"] * 2


def test_after_a_failure_nothing_that_was_made_ready_before_it_counts(by_mail, halves, monkeypatch):
    account("mail")
    answers = [Outcome.account("Blocked.")]
    monkeypatch.setattr(
        accounts, "send", lambda account, messages: [answers.pop() if answers else Outcome.accepted()] * len(messages)
    )
    for _ in delivery.deliver_written(taken_up(by_mail)):
        continue

    assert statuses() == [("held", "account")] * 6  # the others by the account that is refused now, not by its room


def test_another_process_with_the_channels_permit_is_left_to_it(by_mail, sent, halves, monkeypatch):
    crowd(6)
    broadcast_to({"all": True}, by_mail)
    with lanes.channel("email"):
        rounds.sweep()
        assert sent == []
    assert statuses() == [("queued", "")] * 6
    run_until_idle()
    assert len(sent) == 6


@pytest.mark.parametrize("slow, place", [(True, 2), (False, 3)])
def test_the_normal_lane_does_not_wait_for_a_whole_claim_of_a_slow_provider(
    ada, by_mail, order_confirmation, halves, monkeypatch, slow, place
):
    account("mail")
    sent, deliver_written = [], delivery.deliver_written

    def send(account, messages):
        sent.append([message.to for message in messages])
        return [Outcome.accepted()] * len(messages)

    def meanwhile(written):
        for count in deliver_written(written):
            if len(sent) == 1:
                accepted(ada, order_confirmation, priority="MEDIUM", channels_preferred=["email"])
            yield count

    monkeypatch.setattr(accounts, "send", send)
    monkeypatch.setattr(delivery, "deliver_written", meanwhile)
    monkeypatch.setattr(rounds, "SELDOM_SECONDS", 0 if slow else 3600)
    crowd(6)
    broadcast_to({"user_ids": [f"user-{n:05}" for n in range(6)]}, by_mail)
    rounds.sweep()

    assert len(sent) == 4
    assert sent[place] == ["ada@example.com"]


@pytest.fixture
def rung(monkeypatch):
    found = []
    monkeypatch.setattr(doorbell, "ring", found.append)
    return found


def test_one_more_process_is_called_and_none_for_what_is_done_here(by_mail, sent, small_claims, rung):
    crowd(12)
    broadcast_to({"all": True}, by_mail)
    rung.clear()  # what its acceptance rang
    rounds.sweep()

    assert len(sent) == 12
    assert rung == [doorbell.PLAN]


def test_whoever_finds_another_at_it_looks_again_soon(by_mail, monkeypatch):
    soon = []
    monkeypatch.setattr(doorbell.alarm, "set", soon.append)
    monkeypatch.setattr(fanout, "try_lock", lambda *_: False)
    crowd(3)
    broadcast_to({"all": True}, by_mail)
    assert rounds.sweep() == 0

    assert soon == [fanout._SOON]
