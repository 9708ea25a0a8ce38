from datetime import timedelta
from uuid import UUID

import pytest
from django.test import Client
from pytest_django import DjangoAssertNumQueries

from notifications import archive
from notifications.models import Delivery, Notification
from preferences import links
from preferences.models import Category, User
from project.foundation import clock, ids
from templates_app.models import Type
from tests.notifications.given import given_delivery

pytestmark = pytest.mark.django_db
URL = "/preferences/history/"


@pytest.fixture
def ada() -> User:
    return User.objects.create_user("ada", name="Ada Lovelace", timezone="Europe/London")


@pytest.fixture
def parcels() -> Type:
    category = Category.objects.create(key="orders", name="Orders")
    return Type.objects.create(key="PARCEL", name="Your parcel", category=category)


@pytest.fixture
def browser(ada: User) -> Client:
    client = Client()
    client.force_login(ada)
    return client


def decided(delivery: Delivery, **decision: object) -> None:
    told = {
        "channel": delivery.channel,
        "contact_point_id": None,
        "allowed": True,
        "rule": "",
        "reason": "",
        "text": "",
    }
    delivery.notification.decisions = [told | decision]
    delivery.notification.payload = {"title": "On its way to you"}
    delivery.notification.save()


def test_it_says_what_was_sent_how_and_why(browser: Client, ada: User, parcels: Type) -> None:
    decided(given_delivery(ada, parcels, status="delivered"), rule="required")

    page = browser.get(URL).content.decode()

    for text in ("Your parcel", "On its way to you", "E-mail", "Delivered", "It is always on."):
        assert text in page


@pytest.mark.parametrize(
    ("status", "reason", "state", "why"),
    [
        ("skipped", "opted_out_channel", "Not sent", "You turned it off."),
        ("skipped", "muted", "Not sent", "You had paused it."),
        ("scheduled", "quiet_hours", "Waiting", "It waits for your quiet hours to end."),
        ("bounced", "", "Not delivered", "The service did not take it."),
        ("cancelled", "by_caller", "Cancelled", ""),
    ],
)
def test_what_did_not_reach_them_says_why(
    ada: User, parcels: Type, status: str, reason: str, state: str, why: str
) -> None:
    given_delivery(ada, parcels, status=status, reason=reason)

    (entry,) = archive.page(ada).entries
    (way,) = entry.ways
    assert (way.state, way.why, way.good) == (state, why, False)


def test_a_default_is_never_told_as_a_choice(ada: User, parcels: Type) -> None:
    delivery = given_delivery(ada, parcels, status="sent")
    decided(delivery, channel="sms", allowed=False, rule="channel_default", reason="opted_out_channel")
    asked_for = given_delivery(ada, parcels, status="skipped", reason="opted_out_channel")
    decided(asked_for, allowed=False, rule="category_default", reason="opted_out_channel")

    kept, silent = archive.page(ada).entries
    assert [way.why for way in kept.ways] == ["It is off unless you turn it on."]
    assert [way.channel for way in silent.ways] == ["E-mail"]


def test_a_channel_that_the_person_refused_is_told(ada: User, parcels: Type) -> None:
    delivery = given_delivery(ada, parcels, status="sent")
    decided(delivery, channel="sms", allowed=False, rule="category_channel", reason="opted_out_channel")

    (entry,) = archive.page(ada).entries
    assert [(way.channel, way.why) for way in entry.ways][1] == ("SMS", "You turned it off.")


def test_every_state_has_a_word() -> None:
    assert archive._STATES.keys() == set(Delivery.Status.values)


def test_a_link_shows_its_owners_archive_without_the_titles(ada: User, parcels: Type) -> None:
    decided(given_delivery(ada, parcels, status="sent"), rule="required")
    path = links.settings_url(ada.pk, ada.link_generation).partition("/preferences/")[2]

    page = Client().get(f"/preferences/{path}history/").content.decode()

    assert "Your parcel" in page
    assert "On its way to you" not in page


def test_nobody_sees_what_others_got_nor_what_was_a_test(browser: Client, ada: User, parcels: Type) -> None:
    given_delivery(User.objects.create_user("bob"), parcels, status="sent")
    notification = given_delivery(ada, parcels, status="sent").notification
    Notification.objects.filter(pk=notification.pk).update(mode="test")

    assert "Nothing was sent to you in the last 90 days." in browser.get(URL).content.decode()


def test_it_reaches_back_ninety_days(ada: User, parcels: Type) -> None:
    for days in (89, 91):
        moment = ids.first_id_at(clock.now() - timedelta(days=days))
        Notification.objects.create(
            id=moment, user=ada, type=parcels, mode="live", priority="MEDIUM", lane=1, payload={}, status="completed"
        )

    assert len(archive.page(ada).entries) == 1


def test_pages_follow_each_other_without_gap_or_double(browser: Client, ada: User, parcels: Type) -> None:
    made = [given_delivery(ada, parcels, status="sent").notification.id for _ in range(archive.PAGE * 2 + 1)]

    seen, before = [], ""
    for _ in range(3):
        page = browser.get(URL, {"before": before}).context["page"]
        seen += [entry.at for entry in page.entries]
        before = str(page.older or "")

    assert seen == [ids.created_at(id) for id in sorted(made, reverse=True)]
    assert before == ""


def test_more_messages_cost_no_more_queries(
    ada: User, parcels: Type, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    for _ in range(10):
        given_delivery(ada, parcels, status="sent")

    with django_assert_max_num_queries(3):  # the clock is one on PostgreSQL
        archive.page(ada)


@pytest.mark.parametrize("before", ["nonsense", "", str(UUID(int=0))])
def test_a_malformed_page_is_no_error(browser: Client, before: str) -> None:
    assert browser.get(URL, {"before": before}).status_code == 200


def test_the_archive_needs_a_session_or_a_link() -> None:
    assert Client().get(URL)["Location"].startswith("/login/?next=")
    assert Client().get("/preferences/1-0.forged/history/").status_code == 410
