"""The daily digest: what was not told by itself is told together, once on each local date."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime, timedelta

import pytest
from django.db import connection

from notifications import cancellation, digests, planning, timing
from notifications.models import Delivery, Digest, DigestItem, Event, InboxItem, Notification, OutboxMessage
from preferences.decisions import Person
from preferences.models import Category, Preference, User
from templates_app.models import Type
from tests.flow import let_time_pass, run_until_idle
from tests.notifications.conftest import person
from tests.notifications.given import accepted

TWO_DAYS = timedelta(days=2)


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def daily(user: User, *categories: str, at: str = "") -> User:
    user.digests, user.digest_at = dict.fromkeys(categories, "daily"), at
    user.save()
    return user


def told(user: User, type_: Type, title: str, **fields) -> Notification:
    return accepted(user, type_, payload={"title": title, "link": f"https://example.com/{title}"}, **fields)


def the_digest() -> Notification:
    return Notification.objects.get(type__key=timing.DAILY_DIGEST)


# --- When, pure ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("now", "at", "day", "moment"),
    [
        ("2026-01-14T07:59", "", "2026-01-14", "2026-01-14T08:00"),
        ("2026-01-14T08:00", "", "2026-01-15", "2026-01-15T08:00"),  # the moment itself is taken
        ("2026-01-14T23:30", "", "2026-01-15", "2026-01-15T08:00"),  # half past midnight there: still that day's
        ("2026-01-14T10:00", "18:30", "2026-01-14", "2026-01-14T17:30"),
        ("2026-03-28T12:00", "", "2026-03-29", "2026-03-29T07:00"),  # the spring change
        ("2026-03-28T12:00", "02:30", "2026-03-29", "2026-03-29T01:00"),  # a time that does not exist: after the gap
        ("2026-10-24T12:00", "", "2026-10-25", "2026-10-25T08:00"),  # the autumn change
        ("2026-10-24T12:00", "02:30", "2026-10-25", "2026-10-25T00:30"),  # it is there twice: the first
        ("2026-10-25T00:45", "02:30", "2026-10-26", "2026-10-26T01:30"),  # and not the second
    ],
)
def test_it_comes_once_each_local_date_at_the_persons_time(now, at, day, moment):
    bob = Person(pk=1, user_id="bob", timezone="Europe/Berlin", digest_at=at)

    found = timing.digest_day(bob, utc(now), "09:00")

    assert found == date.fromisoformat(day)
    assert timing.digest_moment(bob, found, "09:00") == utc(moment)


# --- The pipeline ----------------------------------------------------------------------------------------------------


@pytest.mark.django_db
def test_what_a_person_wants_daily_is_gathered_and_told_once(ada, weekly_offers, outbox_accounts):
    daily(ada, "offers")
    first, second = told(ada, weekly_offers, "shoes"), told(ada, weekly_offers, "hats")
    run_until_idle()

    email = Delivery.objects.filter(channel="email")
    assert {(row.status, row.reason) for row in email} == {("skipped", "digested")}
    assert InboxItem.objects.filter(user=ada).count() == 2  # told at once
    first.refresh_from_db()
    decision = next(each for each in first.decided if each["channel"] == "email")
    assert (decision["allowed"], decision["rule"]) == (False, "digest")
    assert decision["text"] == "You get Offers in your daily digest."
    digest = the_digest()
    assert (digest.status, digest.caller_id) == ("scheduled", None)
    assert digest.due_at.astimezone(UTC).minute == 0 and digest.due_at > datetime.now(tz=UTC)
    assert not OutboxMessage.objects.exists()

    let_time_pass(TWO_DAYS)
    run_until_idle()

    mail = OutboxMessage.objects.get()
    assert mail.parts["subject"] == "Your day: 2 messages"
    assert "shoes" in mail.parts["text"] and "https://example.com/hats" in mail.parts["text"]
    digest.refresh_from_db()
    assert (digest.status, digest.channels_preferred) == ("completed", ["email"])
    assert [each["title"] for each in digest.payload["template_variables"]["items"]] == ["shoes", "hats"]
    let_time_pass(TWO_DAYS)
    run_until_idle()
    assert OutboxMessage.objects.count() == 1
    assert second.id in set(DigestItem.objects.values_list("notification_id", flat=True))


@pytest.mark.django_db
def test_what_a_cap_stopped_is_in_the_digest_and_no_cap_stops_the_digest(ada, weekly_offers, outbox_accounts):
    ada.frequency_caps = [{"channel": "email", "category": None, "max": 1, "per": "week"}]
    ada.save()
    for title in ("shoes", "hats", "coats"):
        told(ada, weekly_offers, title)
    run_until_idle()
    assert OutboxMessage.objects.count() == 1
    assert Delivery.objects.filter(channel="email", status="skipped", reason="digested").count() == 2

    let_time_pass(TWO_DAYS)
    run_until_idle()

    mail = OutboxMessage.objects.order_by("id").last()
    assert OutboxMessage.objects.count() == 2
    assert "hats" in mail.parts["text"] and "coats" in mail.parts["text"] and "shoes" not in mail.parts["text"]


@pytest.mark.django_db
def test_a_required_channel_and_an_unchosen_category_are_told_at_once(
    ada, order_confirmation, weekly_offers, outbox_accounts
):
    daily(ada, "orders", "social")

    told(ada, order_confirmation, "order")
    told(ada, weekly_offers, "shoes")
    run_until_idle()

    assert {row.status for row in Delivery.objects.filter(channel="email")} == {"sent"}
    assert not Digest.objects.exists()


@pytest.mark.django_db
def test_what_was_read_in_the_inbox_is_left_out(ada, weekly_offers, outbox_accounts):
    daily(ada, "offers")
    read = told(ada, weekly_offers, "shoes")
    told(ada, weekly_offers, "hats")
    run_until_idle()
    InboxItem.objects.filter(notification_id=read.id).update(read_at=datetime.now(tz=UTC))

    let_time_pass(TWO_DAYS)
    run_until_idle()

    text = OutboxMessage.objects.get().parts["text"]
    assert "hats" in text and "shoes" not in text


@pytest.mark.django_db
def test_a_digest_of_which_nothing_is_left_is_not_sent(ada, weekly_offers, outbox_accounts):
    daily(ada, "offers")
    told(ada, weekly_offers, "shoes")
    run_until_idle()
    InboxItem.objects.update(read_at=datetime.now(tz=UTC))

    let_time_pass(TWO_DAYS)
    run_until_idle()

    assert not OutboxMessage.objects.exists()
    assert the_digest().status == "cancelled"
    assert Event.objects.get(notification=the_digest()).detail == "Nothing was left to tell."


@pytest.mark.django_db
def test_an_opt_out_before_the_digest_counts(ada, weekly_offers, outbox_accounts):
    daily(ada, "offers")
    told(ada, weekly_offers, "shoes")
    run_until_idle()
    Preference.objects.create(user=ada, category=weekly_offers.category, channel="email", enabled=False)

    let_time_pass(TWO_DAYS)
    run_until_idle()

    assert not OutboxMessage.objects.exists()


@pytest.mark.django_db
def test_cancelling_the_first_leaves_the_others(ada, weekly_offers, outbox_accounts):
    daily(ada, "offers")
    first = told(ada, weekly_offers, "shoes", channels_preferred=["email"])
    told(ada, weekly_offers, "hats", channels_preferred=["email"])
    run_until_idle()

    assert cancellation.cancel(first.id).status == "cancelled"

    assert Delivery.objects.get(notification=first).status == "cancelled"
    let_time_pass(TWO_DAYS)
    run_until_idle()
    text = OutboxMessage.objects.get().parts["text"]
    assert "hats" in text and "shoes" not in text


@pytest.mark.django_db
def test_what_was_told_in_a_digest_cannot_be_cancelled_any_more(ada, weekly_offers, outbox_accounts):
    daily(ada, "offers")
    notification = told(ada, weekly_offers, "shoes", channels_preferred=["email"])
    run_until_idle()
    let_time_pass(TWO_DAYS)
    run_until_idle()

    with pytest.raises(cancellation.AlreadyLeft):
        cancellation.cancel(notification.id)


@pytest.mark.django_db
def test_what_comes_after_a_digest_was_told_waits_for_the_next(ada, weekly_offers, outbox_accounts):
    daily(ada, "offers")
    told(ada, weekly_offers, "shoes")
    run_until_idle()
    let_time_pass(TWO_DAYS)
    run_until_idle()

    told(ada, weekly_offers, "hats")  # by the calendar it is still the day before
    run_until_idle()

    days = list(Digest.objects.order_by("day").values_list("day", "closed_at"))
    assert days[1][0] == days[0][0] + timedelta(days=1)
    assert days[0][1] is not None and days[1][1] is None
    let_time_pass(timedelta(days=3))
    run_until_idle()
    assert ["shoes" in mail.parts["text"] for mail in OutboxMessage.objects.order_by("id")] == [True, False]


@pytest.mark.django_db
def test_it_speaks_the_persons_language(bob, weekly_offers, outbox_accounts):
    daily(bob, "offers")
    told(bob, weekly_offers, "Schuhe")
    run_until_idle()
    let_time_pass(TWO_DAYS)
    run_until_idle()

    assert OutboxMessage.objects.get().parts["subject"] == "Ihr Tag: 1 Nachricht"


@pytest.mark.django_db
def test_a_planner_that_died_before_it_stored_the_digest_loses_nothing(
    ada, weekly_offers, outbox_accounts, monkeypatch
):
    daily(ada, "offers")
    told(ada, weekly_offers, "shoes")
    run_until_idle()
    let_time_pass(TWO_DAYS)
    with monkeypatch.context() as patched:
        patched.setattr(planning, "_store", lambda plans, claim: None)
        planning.plan_due()

    let_time_pass(timedelta(minutes=5))
    run_until_idle()

    assert "shoes" in OutboxMessage.objects.get().parts["text"]


@pytest.mark.django_db
def test_old_digests_are_forgotten(ada, clock_now):
    type_ = digests.type_()
    assert type_.category.key == "digests"
    for days in (1, 30):
        Digest.objects.create(
            id=accepted(ada, type_).id, user=ada, mode="live", day=(clock_now - timedelta(days=days)).date()
        )

    digests.forget_before(clock_now)

    assert Digest.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_planners_at_once_make_one_digest(settings):
    settings.CLAIM_SIZE = 1
    offers = Category.objects.create(key="offers", name="Offers")
    type_ = Type.objects.create(key="WEEKLY_OFFERS", name="Offers", category=offers, priority="LOW")
    ada = daily(person("ada"), "offers")
    for n in range(12):
        told(ada, type_, f"n{n}")

    def plan(_: int) -> int:
        try:
            return planning.plan_due()
        finally:
            connection.close()

    with ThreadPoolExecutor(12 if connection.vendor == "postgresql" else 4) as pool:
        list(pool.map(plan, range(24)))

    assert Digest.objects.count() == 1
    assert DigestItem.objects.filter(channel="email").count() == 12
    assert the_digest().id == Digest.objects.get().id
