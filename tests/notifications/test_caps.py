"""Frequency caps: at most so many messages in each hour, day or week of the person, over all types."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection

from notifications import leases, planning
from notifications.models import Delivery, InboxItem, Notification
from preferences import frequency_caps
from preferences.decisions import Person
from preferences.models import Category, FrequencyCount, User
from templates_app.models import Type
from tests.notifications.conftest import person
from tests.notifications.given import accepted


def cap(most: int, per: str = "day", *, channel: str | None = None, category: str | None = None) -> dict:
    return {"channel": channel, "category": category, "max": most, "per": per}


def capped(user: User, *caps: dict) -> User:
    user.frequency_caps = list(caps)
    user.save()
    return user


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def planned(user: User, type_: Type, **fields) -> dict[str, tuple[str, str]]:
    notification = accepted(user, type_, **fields)
    while planning.plan_due():
        continue
    rows = Delivery.objects.filter(notification_id=notification.id)
    return {row.channel: (row.status, row.reason) for row in rows}


@pytest.fixture
def dropping(offers):
    offers.overflow = "drop"
    offers.save()


# --- Windows, pure ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("per", "zone", "now", "begin"),
    [
        ("hour", "Europe/Berlin", "2026-01-14T12:34:56", "2026-01-14T12:00"),
        ("hour", "Asia/Kathmandu", "2026-01-14T12:34:56", "2026-01-14T12:15"),  # 05:45 ahead
        ("day", "Europe/Berlin", "2026-01-14T23:30", "2026-01-14T23:00"),  # half past midnight there
        ("day", "", "2026-01-14T23:30", "2026-01-14T00:00"),
        ("day", "America/Sao_Paulo", "2018-11-04T12:00", "2018-11-04T03:00"),  # clocks jumped over midnight
        ("week", "Europe/Berlin", "2026-01-14T12:00", "2026-01-11T23:00"),  # a Wednesday; Monday's midnight
        ("week", "Europe/Berlin", "2026-01-11T22:59", "2026-01-04T23:00"),  # Sunday still
        ("week", "Europe/Berlin", "2026-03-29T12:00", "2026-03-22T23:00"),  # of the spring change
    ],
)
def test_windows_are_those_of_the_persons_clock(per, zone, now, begin):
    assert frequency_caps.begin(per, utc(now), zone) == utc(begin)


def test_each_of_two_hours_with_one_name_is_a_window_of_its_own():
    first, second = utc("2026-10-25T00:30"), utc("2026-10-25T01:30")  # 02:30 in Berlin, twice

    assert frequency_caps.begin("hour", first, "Europe/Berlin") != frequency_caps.begin("hour", second, "Europe/Berlin")


def test_a_cap_concerns_what_it_names():
    ada = Person(pk=1, user_id="ada", frequency_caps=(cap(1), cap(2, channel="push"), cap(3, category="offers")))
    now = utc("2026-01-14T12:00")

    def most(category, channel):
        return [limit.most for limit in frequency_caps.limits(ada, category, channel, now)]

    assert most("offers", "push") == [1, 2, 3]
    assert most("social", "push") == [1, 2]
    assert most("offers", "email") == [1, 3]
    assert most("offers", "in_app") == [3][:0]


# --- The pipeline ----------------------------------------------------------------------------------------------------


@pytest.mark.django_db
def test_what_is_one_too_many_is_dropped_and_says_why(ada, weekly_offers, dropping):
    capped(ada, cap(2, channel="email"))

    found = [planned(ada, weekly_offers)["email"] for _ in range(3)]

    assert found == [("queued", ""), ("queued", ""), ("skipped", "frequency_cap")]
    last = Notification.objects.order_by("id").last()
    decision = next(each for each in last.decided if each["channel"] == "email")
    assert (decision["allowed"], decision["rule"], decision["source"]) == (False, "frequency_cap", "person")
    assert decision["text"].startswith("You asked for at most 2 messages on e-mail a day.")
    assert (decision["when"], decision["reason"]) == (None, "frequency_cap")
    assert last.status == "completed"  # the inbox has it
    assert InboxItem.objects.filter(user=ada).count() == 3


@pytest.mark.django_db
def test_a_batch_counts_its_own_messages_one_after_the_other(ada, weekly_offers, dropping):
    capped(ada, cap(3, channel="email"))
    for _ in range(7):
        accepted(ada, weekly_offers)

    planning.plan_due()

    email = Delivery.objects.filter(channel="email")
    assert email.filter(status="queued").count() == 3
    assert email.filter(status="skipped", reason="frequency_cap").count() == 4
    assert FrequencyCount.objects.get().count == 3


@pytest.mark.django_db
def test_a_required_channel_is_neither_stopped_nor_counted(ada, order_confirmation, weekly_offers, dropping):
    capped(ada, cap(1))

    assert [planned(ada, order_confirmation)["email"][0] for _ in range(2)] == ["queued", "queued"]
    assert planned(ada, weekly_offers)["email"][0] == "queued"
    assert planned(ada, weekly_offers)["email"] == ("skipped", "frequency_cap")
    assert planned(ada, order_confirmation)["email"][0] == "queued"


@pytest.mark.django_db
def test_every_cap_must_have_room_and_one_that_has_none_counts_nothing(ada, weekly_offers, dropping):
    capped(ada, cap(5, channel="email"), cap(1, "week", category="offers"))

    planned(ada, weekly_offers)
    planned(ada, weekly_offers)

    assert {row.cap: row.count for row in FrequencyCount.objects.all()} == {"* email day": 1, "offers * week": 1}


@pytest.mark.django_db
def test_a_cap_over_all_types_counts_them_together(ada, weekly_offers, dropping):
    social = Category.objects.create(key="social", name="Social", overflow="drop")
    comment = Type.objects.create(key="NEW_COMMENT", name="New comment", category=social)
    capped(ada, cap(1, channel="email"))

    assert planned(ada, weekly_offers)["email"][0] == "queued"
    assert planned(ada, comment)["email"] == ("skipped", "frequency_cap")


@pytest.mark.django_db
def test_the_next_window_has_room_again(ada, weekly_offers, dropping, monkeypatch):
    capped(ada, cap(1, "hour", channel="email"))
    planned(ada, weekly_offers)
    assert planned(ada, weekly_offers)["email"] == ("skipped", "frequency_cap")

    claim = leases.claim
    later = timedelta(hours=1)
    monkeypatch.setattr(
        planning.leases, "claim", lambda *a, **k: replace(found := claim(*a, **k), now=found.now + later)
    )

    assert planned(ada, weekly_offers)["email"][0] == "queued"


@pytest.mark.django_db
def test_only_a_cap_that_names_the_inbox_keeps_something_out_of_it(ada, bob, weekly_offers):
    capped(ada, cap(1, channel="in_app"))
    capped(bob, cap(1))

    assert [planned(ada, weekly_offers)["in_app"] for _ in range(2)] == [
        ("delivered", ""),
        ("skipped", "frequency_cap"),  # though the category gathers: the inbox is no part of a digest
    ]
    planned(bob, weekly_offers)
    planned(bob, weekly_offers)
    assert (InboxItem.objects.filter(user=ada).count(), InboxItem.objects.filter(user=bob).count()) == (1, 2)


@pytest.mark.django_db
def test_test_mode_is_not_counted_and_not_stopped(ada, weekly_offers, dropping):
    capped(ada, cap(1, channel="email"))

    assert [planned(ada, weekly_offers, mode="test")["email"][0] for _ in range(2)] == ["queued", "queued"]
    assert not FrequencyCount.objects.exists()


@pytest.mark.django_db
def test_old_counts_are_forgotten(ada, clock_now):
    for days in (1, 30):
        FrequencyCount.objects.create(user=ada, cap="* * day", begins=clock_now - timedelta(days=days), count=1)

    frequency_caps.forget_before(clock_now)

    assert FrequencyCount.objects.get().begins > clock_now - timedelta(days=2)


@pytest.mark.django_db(transaction=True)
def test_twenty_planners_at_once_let_through_exactly_what_the_cap_allows(settings):
    """SQLite has one writer at a time, so there this proves that the waiting ends well."""
    settings.CLAIM_SIZE = 1
    offers = Category.objects.create(key="offers", name="Offers", overflow="drop")
    type_ = Type.objects.create(key="WEEKLY_OFFERS", name="Offers", category=offers, priority="LOW")
    ada = capped(person("ada"), cap(5, channel="email"), cap(9, category="offers"))
    for _ in range(20):
        accepted(ada, type_)

    def plan(_: int) -> int:
        try:
            return planning.plan_due()
        finally:
            connection.close()

    with ThreadPoolExecutor(20 if connection.vendor == "postgresql" else 4) as pool:
        taken = sum(pool.map(plan, range(40)))

    assert taken == 20
    email = Delivery.objects.filter(channel="email")
    assert email.filter(status="queued").count() == 5
    assert email.filter(status="skipped", reason="frequency_cap").count() == 15
    assert {row.cap: row.count for row in FrequencyCount.objects.all()} == {"* email day": 5, "offers * day": 5}
