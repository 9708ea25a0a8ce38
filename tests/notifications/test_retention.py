"""What each table keeps, and for how long: older rows go, in any number of workers, and what is under way stays."""

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest
from django.conf import settings as django_settings
from django.contrib.sessions.models import Session
from django.db import connection, transaction

from notifications import housekeeping, retention, retention_of_contents, retention_of_history, tasks
from notifications.inbox import feed
from notifications.models import (
    Attempt,
    AudienceMember,
    Broadcast,
    Delivery,
    Event,
    InboxCounter,
    InboxItem,
    Notification,
    OutboxMessage,
    SharedDecisions,
)
from preferences import consent, erasure
from preferences.models import ConsentRecord, PreferenceLink, User
from project.foundation import batches, ids, partitions
from project.foundation.models import AuditEvent

NOW = datetime.now(tz=UTC)  # else months that other tests write into would be over


def at(days):
    """Return an id of so many days ago."""
    return ids.derived_id(ids.first_id_at(NOW - timedelta(days=days)), ids.new_id())


def told(user, type_, days, *, status="completed", delivery="sent", **fields):
    """Store one notification of so many days ago, and all that came of it."""
    due = {"due_at": NOW} if delivery in {"queued", "scheduled"} else {}
    notification = Notification.objects.create(
        id=at(days), user=user, type=type_, mode="live", priority="LOW", lane=2, status=status,
        payload={"title": "Hello"}, metadata={"trace": "x"}, **fields,
    )  # fmt: skip
    row = Delivery.objects.create(
        id=ids.derived_id(notification.id, "email"), notification=notification, user=user, type=type_, mode="live",
        lane=2, channel="email", status=delivery, dead=delivery == "failed", **due,
    )  # fmt: skip
    Attempt.objects.create(
        id=ids.derived_id(row.id, 1), delivery=row, number=1, started_at=NOW, snapshot={"name": "Ada"}
    )
    Event.objects.create(id=at(days), notification=notification, delivery=row, kind="sent", at=NOW)
    return notification


@pytest.mark.django_db
def test_contents_go_before_history_and_what_is_under_way_keeps_its_own(ada, order_confirmation, settings):
    settings.PAYLOAD_DAYS, settings.HISTORY_DAYS = 90, 0
    old, young = told(ada, order_confirmation, 91), told(ada, order_confirmation, 89)
    waiting = told(ada, order_confirmation, 200, status="processing", delivery="queued")
    dead = told(ada, order_confirmation, 100, status="failed", delivery="failed")

    retention.apply(NOW)

    assert contents() == {old.id: None, dead.id: None, young.id: "Ada", waiting.id: "Ada"}
    assert not Delivery.objects.filter(dead=True).exists()  # there is nothing left that it could say

    Delivery.objects.filter(notification=waiting).update(status="sent", due_at=None)
    Notification.objects.filter(id=waiting.id).update(status="completed")
    retention.apply(NOW)
    assert contents()[waiting.id] is None and contents()[young.id] == "Ada"
    assert Notification.objects.count() == Delivery.objects.count() == Event.objects.count() == 4


def contents():
    """Return what is left of each notification: the name that its try was made with, where its payload is there."""
    names = {
        attempt.delivery.notification_id: attempt.snapshot for attempt in Attempt.objects.select_related("delivery")
    }
    rows = Notification.objects.all()
    assert all((row.payload is None) == (row.metadata is None) == (names[row.id] is None) for row in rows)
    return {row.id: (names[row.id] or {}).get("name") for row in rows}


@pytest.mark.django_db
def test_contents_are_emptied_by_parts_and_no_part_twice(ada, order_confirmation, monkeypatch):
    monkeypatch.setattr(retention_of_contents, "_SIZE", 3)
    for days in range(7):
        told(ada, order_confirmation, 100 + days)

    passed = []
    while done := retention_of_contents.empty_some(NOW - timedelta(days=90)):
        passed.append(done)

    assert passed == [3, 3, 1] and set(contents().values()) == {None}


@pytest.mark.django_db
def test_history_goes_and_with_it_all_that_came_of_it(ada, order_confirmation, settings):
    settings.HISTORY_DAYS = 400
    told(ada, order_confirmation, 500)
    SharedDecisions.objects.create(id=at(500), decisions=[])
    young = told(ada, order_confirmation, 300)
    SharedDecisions.objects.create(id=at(300), decisions=[])

    while retention.apply(NOW):
        continue

    assert list(Notification.objects.values_list("id", flat=True)) == [young.id]
    for model in (Delivery, Attempt, Event, SharedDecisions):
        assert model.objects.count() == 1


@pytest.mark.django_db
def test_zero_days_keep_for_ever(ada, order_confirmation, settings):
    settings.HISTORY_DAYS = settings.PAYLOAD_DAYS = settings.AUDIT_DAYS = 0
    told(ada, order_confirmation, 5000)
    AuditEvent.objects.create(id=at(5000), actor="system", action="x", target="y")

    retention.apply(NOW)

    assert Notification.objects.get().payload == {"title": "Hello"} and AuditEvent.objects.exists()


@pytest.mark.django_db
def test_what_is_pending_is_never_deleted(ada, order_confirmation, settings):
    settings.HISTORY_DAYS = 400
    waiting = told(ada, order_confirmation, 500, status="processing", delivery="queued")

    retention.apply(NOW)

    assert Notification.objects.get() == waiting and Delivery.objects.exists()


@pytest.mark.django_db
def test_whole_months_are_dropped_and_one_with_pending_rows_waits(ada, order_confirmation):
    if connection.vendor != "postgresql":
        pytest.skip("only PostgreSQL has partitions")
    for table in retention_of_history.TABLES:
        partitions.make_ahead(table, today=datetime(2001, 1, 5, tzinfo=UTC))
    told(ada, order_confirmation, (NOW - datetime(2001, 1, 20, tzinfo=UTC)).days)
    waiting = told(
        ada, order_confirmation, (NOW - datetime(2001, 2, 20, tzinfo=UTC)).days, status="processing", delivery="queued"
    )
    bound = datetime(2001, 4, 10, tzinfo=UTC)
    assert [f"{month:%Y-%m}" for month in ours(bound)] == ["2001-01", "2001-02", "2001-03"]

    while retention_of_history.drop_some(bound):
        continue

    # April is not over at the bound, and February has somebody waiting.
    assert [f"{month:%Y-%m}" for month in ours(bound)] == ["2001-02"]
    assert partitions.oldest_month("notifications_event") is not None
    assert list(Notification.objects.values_list("id", flat=True)) == [waiting.id]
    assert Event.objects.count() == Attempt.objects.count() == Delivery.objects.count() == 1


def ours(bound):
    return [month for month in partitions.months_before("notifications_notification", bound) if month.year == 2001]


@pytest.mark.django_db
def test_the_inbox_forgets_and_its_counts_are_right(ada, bob, order_confirmation, settings):
    settings.INBOX_DAYS = 400
    for user, days in ((ada, 500), (ada, 10), (bob, 500)):
        item = feed.NewItem(
            id=at(days), user_pk=user.pk, notification_id=ids.new_id(), type_key="X",
            category_id=order_confirmation.category_id, category_key="orders", priority="LOW",
            content={"title": "Hello"}, why="", created_at=NOW,
        )  # fmt: skip
        feed.add_items([item])

    retention.apply(NOW)

    assert InboxItem.objects.count() == 1
    assert dict(InboxCounter.objects.values_list("user_id", "unread")) == {ada.pk: 1, bob.pk: 0}


@pytest.mark.django_db
def test_the_trail_links_sessions_and_audiences_go_in_their_time(ada, weekly_offers, settings):
    settings.AUDIT_DAYS, settings.LINK_DAYS, settings.AUDIENCE_DAYS = 730, 30, 30
    for days in (800, 10):
        AuditEvent.objects.create(id=at(days), actor="system", action="x", target="y")
        PreferenceLink.objects.create(user=ada, expires_at=NOW - timedelta(days=days), made_by="test")
        Session.objects.create(session_key=f"k{days}", session_data="", expire_date=NOW - timedelta(days=days))
        over = Broadcast.objects.create(
            mode="live", type=weekly_offers, payload={}, priority="LOW", audience={"all": True}, status="completed",
            total=2, finished_at=NOW - timedelta(days=days),
        )  # fmt: skip
        AudienceMember.objects.bulk_create(AudienceMember(broadcast_id=over.id, user_id=n) for n in (1, 2))

    while retention.apply(NOW):
        continue

    assert AuditEvent.objects.count() == PreferenceLink.objects.count() == 1
    assert not Session.objects.exists()
    assert AudienceMember.objects.count() == 2 and Broadcast.objects.count() == 2


@pytest.mark.django_db
def test_the_ledger_stays_but_for_who_was_erased_long_ago_where_that_is_wished(ada, bob, settings):
    for user in (ada, bob):
        consent.set_preference(user, channel="sms", enabled=False, source="api", actor="key:shop")
    erasure.erase(bob, actor="test")
    User.objects.filter(pk=bob.pk).update(erased_at=NOW - timedelta(days=2000))

    retention.apply(NOW)
    assert ConsentRecord.objects.filter(user=bob).exists()

    settings.ERASED_LEDGER_DAYS = 1000
    retention.apply(NOW)
    assert not ConsentRecord.objects.filter(user=bob).exists() and ConsentRecord.objects.filter(user=ada).exists()


@pytest.mark.django_db
def test_a_round_is_bounded_and_goes_on_soon(monkeypatch, ada, settings):
    monkeypatch.setattr(batches, "SIZE", 2)
    monkeypatch.setattr(batches.delete_some, "__kwdefaults__", {"size": 2})
    monkeypatch.setattr(retention, "BATCHES", 2)
    monkeypatch.setattr(housekeeping.clock, "now", lambda: NOW)
    for _ in range(5):
        AuditEvent.objects.create(id=at(5000), actor="system", action="x", target="y")

    assert housekeeping.tidy() and AuditEvent.objects.count() == 1
    assert not housekeeping.tidy() and not AuditEvent.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_two_workers_at_once_delete_everything_once(ada, order_confirmation, settings):
    if connection.vendor != "postgresql":
        pytest.skip("SQLite has one writer at a time")
    for days in range(20):
        told(ada, order_confirmation, 500 + days)
        OutboxMessage.objects.create(
            id=at(500 + days), notification_id=ids.new_id(), delivery_id=ids.new_id(), user=ada, mode="live",
            channel="email", created_at=NOW,
        )  # fmt: skip

    def tidying(_):
        try:
            while retention.apply(NOW):
                continue
        finally:
            connection.close()

    with ThreadPoolExecutor(3) as pool:
        list(pool.map(tidying, range(3)))

    for model in (Notification, Delivery, Attempt, Event, OutboxMessage):
        assert not model.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_a_month_that_is_read_is_dropped_another_time(ada):
    if connection.vendor != "postgresql":
        pytest.skip("only PostgreSQL has partitions")
    for table in retention_of_history.TABLES:
        partitions.make_ahead(table, today=datetime(2001, 1, 5, tzinfo=UTC))
    bound = datetime(2001, 6, 1, tzinfo=UTC)
    reading, read = threading.Event(), threading.Event()

    def read_for_long():
        with transaction.atomic():
            list(Event.objects.filter(id=ids.first_id_at(datetime(2001, 2, 5, tzinfo=UTC))))
            reading.set()
            assert read.wait(20)
        connection.close()

    with ThreadPoolExecutor(1) as pool:
        reader = pool.submit(read_for_long)
        assert reading.wait(20)
        assert retention_of_history.drop_some(bound) == 0 and len(ours(bound)) == 4
        read.set()
        reader.result()
    while retention_of_history.drop_some(bound):
        continue

    assert ours(bound) == []


@pytest.mark.django_db
def test_beat_has_every_table_tidied_should_no_worker_come_to_it(ada):
    AuditEvent.objects.create(id=at(5000), actor="system", action="x", target="y")
    planned = {entry["task"] for entry in django_settings.CELERY_BEAT_SCHEDULE.values()}
    assert tasks.tidy.name in planned

    tasks.tidy()

    assert not AuditEvent.objects.exists()
