from datetime import timedelta

import pytest
from django.db import connection
from django.db.models import F
from django.test.utils import CaptureQueriesContext

from notifications import audience, broadcasts, fanout, planning, progress
from notifications.models import AudienceMember, Broadcast, Delivery, InboxItem, Notification, OutboxMessage
from preferences.models import Preference, Topic, TopicSubscription, User
from tests.flow import run_until_idle
from tests.notifications.broadcasts.conftest import broadcast_to, crowd, step

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("outbox_accounts")]


def told():
    return sorted(OutboxMessage.objects.values_list("user__user_id", flat=True))


def test_everybody_is_told_once_and_the_broadcast_ends(ada, bob, by_mail):
    broadcast = broadcast_to({"all": True}, by_mail)
    assert broadcast.status == "materialising"

    run_until_idle()

    broadcast.refresh_from_db()
    assert (broadcast.status, broadcast.total, broadcast.due_at) == ("completed", 2, None)
    assert broadcast.started_at <= broadcast.finished_at
    assert told() == ["ada", "bob"]
    assert "To all of you." in OutboxMessage.objects.first().parts["text"]


def test_the_payload_is_kept_once_and_its_notifications_inherit_it(ada, weekly_offers):
    broadcast = broadcast_to({"all": True}, weekly_offers)
    run_until_idle()

    notification = Notification.objects.get()
    assert (notification.payload, notification.lane, notification.broadcast) == (None, 2, broadcast)
    assert notification.content["body"] == "To all of you."
    assert InboxItem.objects.get().content["body"] == "To all of you."
    assert Delivery.objects.filter(broadcast=broadcast).count() == 2


def test_rules_hold_for_each_person(ada, bob, by_mail):
    Preference.objects.create(user=ada, category=by_mail.category, channel="email", enabled=False)

    broadcast = broadcast_to({"all": True}, by_mail)
    run_until_idle()

    assert told() == ["bob"]
    found = progress.of(broadcast)
    assert (found.sent, found.skipped, found.planned) == (1, 1, 2)


def test_a_segment_that_changes_midway_neither_skips_nor_repeats_anyone(by_mail, small_claims):
    people = crowd(20)
    topic = Topic.objects.create(key="news", name="News")
    TopicSubscription.objects.bulk_create(TopicSubscription(topic=topic, user=user) for user in people[:12])
    broadcast_to({"topic": "news"}, by_mail)
    for _ in range(2):
        step()
    assert 0 < Notification.objects.count() < 12

    TopicSubscription.objects.filter(user__in=[people[0], people[10], people[11]]).delete()
    TopicSubscription.objects.bulk_create(TopicSubscription(topic=topic, user=user) for user in people[12:])
    run_until_idle()

    assert told() == [user.user_id for user in people[:12]]


def test_whoever_was_erased_after_the_audience_was_found_is_not_told(ada, bob, by_mail, clock_now):
    broadcast = broadcast_to({"user_ids": ["ada", "bob"]}, by_mail)
    User.objects.filter(pk=ada.pk).update(erased_at=clock_now)

    run_until_idle()

    assert told() == ["bob"]
    broadcast.refresh_from_db()
    assert broadcast.status == "completed"


def test_a_worker_killed_while_it_finds_the_audience_has_found_nobody(ada, bob, by_mail, monkeypatch):
    broadcast = broadcast_to({"all": True}, by_mail)
    with monkeypatch.context() as patched:
        write = audience.write

        def killed(*args):
            write(*args)
            raise SystemExit

        patched.setattr(audience, "write", killed)
        with pytest.raises(SystemExit):
            step()
    assert not AudienceMember.objects.exists()
    broadcast.refresh_from_db()
    assert broadcast.status == "materialising"

    run_until_idle()

    assert told() == ["ada", "bob"]


def test_a_worker_killed_within_a_chunk_repeats_nobody(by_mail, small_claims, monkeypatch):
    people = crowd(10)
    broadcast = broadcast_to({"all": True}, by_mail)
    step()
    step()
    with monkeypatch.context() as patched:
        patched.setattr(Broadcast, "save", lambda *args, **kwargs: (_ for _ in ()).throw(SystemExit))
        with pytest.raises(SystemExit):
            step()
    broadcast.refresh_from_db()
    assert Notification.objects.count() == broadcast.noted == 4

    run_until_idle()

    assert told() == [user.user_id for user in people]


@pytest.mark.slow
def test_no_more_is_made_than_the_look_ahead(by_mail, small_claims):
    crowd(30)
    broadcast_to({"all": True}, by_mail)

    while step():
        continue
    assert Notification.objects.count() == 8

    planning.plan_due()
    while step():
        continue
    assert Notification.objects.count() == 8

    run_until_idle()
    assert len(told()) == 30


def test_the_version_published_when_it_was_accepted_is_what_everybody_gets(ada, by_mail):
    broadcast = broadcast_to({"all": True}, by_mail)

    run_until_idle()

    assert Notification.objects.get().template_version_id == broadcast.template_version_id


def test_a_broadcast_to_an_empty_topic_is_complete(db, by_mail):
    Topic.objects.create(key="news", name="News")
    broadcast = broadcast_to({"topic": "news"}, by_mail)

    run_until_idle()

    broadcast.refresh_from_db()
    assert (broadcast.status, broadcast.total) == ("completed", 0)


def test_a_scheduled_broadcast_waits_and_takes_the_audience_of_its_time(ada, by_mail, clock_now):

    broadcast = broadcast_to({"all": True}, by_mail, send_at=clock_now + timedelta(hours=1))
    run_until_idle()
    assert (broadcast.status, told()) == ("scheduled", [])

    crowd(1)
    Broadcast.objects.update(send_at=clock_now, due_at=clock_now)
    run_until_idle()

    assert told() == ["ada", "user-00000"]


def test_a_test_broadcast_stays_in_the_outbox(ada, weekly_offers):
    broadcast_to({"all": True}, weekly_offers, mode="test")

    run_until_idle()

    assert {message.mode for message in OutboxMessage.objects.all()} == {"test"}
    assert not InboxItem.objects.exists()


@pytest.mark.slow
def test_ten_thousand_people_in_a_constant_number_of_statements_a_chunk(by_mail):
    crowd(10_000)
    broadcast = broadcast_to({"all": True}, by_mail)
    with CaptureQueriesContext(connection) as finding:
        step()
    assert AudienceMember.objects.count() == 10_000

    with CaptureQueriesContext(connection) as first:
        step()
    with CaptureQueriesContext(connection) as second:
        step()
    assert Notification.objects.count() == 1_000
    assert len(finding) <= 10 and len(second) <= len(first)  # which also puts back what it was told to take up
    if connection.vendor == "postgresql":  # SQLite splits long inserts
        assert len(first) <= 30

    while step():
        Delivery.objects.filter(due_at__isnull=False).update(due_at=None, status="sent")

    broadcast.refresh_from_db()
    assert (broadcast.noted, broadcast.status) == (10_000, "completed")
    assert Notification.objects.values("user_id").distinct().count() == 10_000


def test_what_waits_for_a_retry_does_not_hold_up_the_others(by_mail, small_claims, clock_now):

    crowd(20)
    broadcast_to({"all": True}, by_mail)
    for _ in range(4):
        step()
        planning.plan_due()
    waiting = Delivery.objects.count()
    Delivery.objects.update(due_at=clock_now + timedelta(hours=1))

    run_until_idle()

    assert len(told()) == 20 - waiting
    assert Broadcast.objects.get().status == "running"
    assert broadcasts.may_be(Broadcast.objects.get()) == {"paused", "cancelled"}


def test_people_are_planned_with_the_commit_that_notes_them(by_mail, small_claims):
    crowd(6)
    broadcast_to({"all": True}, by_mail)
    step()
    step()

    noted = Notification.objects.all()
    assert {(each.status, each.due_at, each.decided[0]["channel"]) for each in noted} == {("processing", None, "email")}
    assert Delivery.objects.filter(status="queued").count() == len(noted) == 4


class Killed(BaseException):
    """What ends a process asks nobody."""


@pytest.fixture
def deadly(monkeypatch):
    """Planning at once ends the process."""

    def die(*_, **__):
        raise Killed

    monkeypatch.setattr(planning, "write_planned", die)


def test_people_whose_planner_died_are_noted_without_plans_and_all_are_told(by_mail, small_claims, deadly, monkeypatch):
    crowd(6)
    broadcast = broadcast_to({"all": True}, by_mail)
    step()
    with pytest.raises(Killed):
        step()
    assert not Notification.objects.exists()

    assert step() == 0  # whoever began may be just about to go on
    Broadcast.objects.update(planning_since=F("planning_since") - timedelta(seconds=3))
    assert step() == 4
    assert {each.decided for each in Notification.objects.all()} == {None}

    monkeypatch.undo()
    run_until_idle()
    assert len(told()) == 6
    broadcast.refresh_from_db()
    assert (broadcast.status, broadcast.noted) == ("completed", 6)


def test_what_another_took_over_is_not_planned_twice(by_mail, small_claims, monkeypatch):
    crowd(3)
    broadcast_to({"all": True}, by_mail)
    step()
    original = fanout._step

    def taken_over_meanwhile(id):
        moved = original(id)
        Broadcast.objects.update(planning_since=None)
        return moved

    monkeypatch.setattr(fanout, "_step", taken_over_meanwhile)

    assert step() == 0
    assert not Notification.objects.exists()


def test_whoever_plans_waits_for_one_who_only_looks(by_mail, small_claims, monkeypatch):
    crowd(3)
    broadcast_to({"all": True}, by_mail)
    step()
    try_lock, answers = fanout.try_lock, [True, False, False]  # noted by us; then another one looks, twice
    monkeypatch.setattr(fanout, "try_lock", lambda *of: (answers.pop(0) if answers else True) and try_lock(*of))
    assert step() == 3
