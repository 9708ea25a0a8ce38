"""The pages that say why somebody got something, or did not."""

from uuid import uuid4

import pytest
from django.contrib.auth.models import Permission
from django.test import Client

from notifications import acceptance
from notifications.models import Notification, OutboxMessage
from preferences import consent, contact_points
from preferences.models import Category, FrequencyCount, User
from project.foundation.models import AuditEvent
from templates_app.models import Type
from tests.flow import run_until_idle

pytestmark = pytest.mark.django_db
WHY = "/admin/notifications/notification/why/"
BY_THEMSELVES = {"source": "settings_page", "actor": "user:ada"}


@pytest.fixture
def offers() -> Type:
    category = Category.objects.create(key="offers", name="Offers", kind="marketing")
    return Type.objects.create(key="WEEKLY_OFFERS", name="Offers of the week", category=category)


def tell(user: User, type_: Type, **fields: object) -> Notification:
    request = acceptance.Request(user=user, type=type_, payload={"title": "Hello", "body": "There"}, **fields)
    notification = acceptance.accept(request).notification
    run_until_idle()
    return notification


def asked(desk: Client, person: str, type_key: str = "WEEKLY_OFFERS") -> str:
    answer = desk.post(WHY, {"person": person, "type": type_key}, follow=True)
    assert answer.status_code == 200
    return answer.content.decode()


def test_a_person_and_a_type_are_answered_by_channel_with_the_rule_that_decides(
    desk: Client, ada: User, offers: Type
) -> None:
    consent.set_preference(ada, category=offers.category, channel="email", enabled=False, **BY_THEMSELVES)

    page = asked(desk, "ada")

    assert "You turned e-mail off for Offers." in page
    assert "This decided: You turned e-mail off for Offers." in page
    assert "You have no phone number for SMS on file." not in page, "SMS is off by default: nobody looked for a number"
    assert "By default you get no SMS for Offers" in page
    assert "<dt>Offers, E-mail</dt><dd>Off</dd>" in page
    assert not Notification.objects.exists() and not OutboxMessage.objects.exists()


@pytest.mark.parametrize("typed", ["ada", " ada ", "ada@example.com", "ADA@Example.com"])
def test_a_person_is_found_by_id_or_whole_address(desk: Client, ada: User, offers: Type, typed: str) -> None:
    answer = desk.post(WHY, {"person": typed, "type": "WEEKLY_OFFERS"})

    assert answer["Location"] == f"{WHY}?user={ada.pk}&type=WEEKLY_OFFERS"


def test_people_who_share_an_address_are_offered(desk: Client, ada: User, offers: Type) -> None:
    bob = User.objects.create_user("bob")
    contact_points.add(bob, channel="email", address="ada@example.com")

    page = asked(desk, "ada@example.com")

    assert f"?user={ada.pk}&amp;type=WEEKLY_OFFERS" in page and f"?user={bob.pk}&amp;type=WEEKLY_OFFERS" in page


@pytest.mark.parametrize(
    ("person", "type_key", "said"),
    [
        ("nobody", "WEEKLY_OFFERS", "Nobody has this user id or this address."),
        ("ada@", "WEEKLY_OFFERS", "Nobody has this user id or this address."),
        ("", "WEEKLY_OFFERS", "This field is required."),
        ("ada", "NOTHING", "Select a valid choice."),
    ],
)
def test_what_is_not_there_is_said_beside_the_field(
    desk: Client, ada: User, offers: Type, person: str, type_key: str, said: str
) -> None:
    assert said in asked(desk, person, type_key)


@pytest.mark.parametrize("query", ["?user=999999&type=WEEKLY_OFFERS", "?user=x&type=", "?user=" + "9" * 40, ""])
def test_an_address_that_names_nobody_shows_the_form(desk: Client, offers: Type, query: str) -> None:
    assert "Nothing is sent or counted." in desk.get(WHY + query).content.decode()


def test_asking_leaves_a_trail_without_an_address(desk: Client, ada: User, offers: Type) -> None:
    notification = tell(ada, offers)

    asked(desk, "ada@example.com")
    desk.get(f"/admin/notifications/notification/{notification.id}/why/")

    trail = AuditEvent.objects.order_by("id")
    assert [(each.actor, each.action, each.target) for each in trail] == [
        ("staff:grace", "user.found_by_address", f"user:{ada.pk}"),
        ("staff:grace", "explanation.read", f"user:{ada.pk}"),
        ("staff:grace", "explanation.read", f"user:{ada.pk}"),
    ]
    assert "example.com" not in str([each.detail for each in trail])


def test_a_notification_shows_what_was_decided_then_and_what_would_be_now(
    desk: Client, ada: User, offers: Type
) -> None:
    notification = tell(ada, offers)
    consent.mute(ada, category=offers.category, **BY_THEMSELVES)

    page = desk.get(f"/admin/notifications/notification/{notification.id}/why/").content.decode()

    then, now = page.split("What would happen now")
    assert "By default you get e-mail for Offers, and you have not chosen otherwise." in then
    assert "They had chosen nothing" in then and "Sent" in then
    assert "You paused Offers." in now
    assert "a•••@example.com" in then and "ada@example.com" not in page


def test_the_same_answer_is_not_told_twice(desk: Client, ada: User, offers: Type) -> None:
    notification = tell(ada, offers, channels_preferred=["email"])

    page = desk.get(f"/admin/notifications/notification/{notification.id}/why/").content.decode()

    assert "The same: the rules would say what they said then." in page
    assert page.count("The sender chose e-mail for this message.") == 2, "the sentence, and the rule that it is of"


def test_quiet_hours_and_caps_are_shown_with_what_is_used_of_them(desk: Client, ada: User, offers: Type) -> None:
    ada.frequency_caps = [{"channel": "email", "category": None, "max": 2, "per": "week"}]
    ada.quiet_hours = {
        "timezone": None,
        "weekly": [{"days": ["mon", "tue", "wed", "thu", "fri", "sat"], "from": "00:00", "until": "00:00"}],
    }
    ada.save()
    tell(ada, offers)
    counted = FrequencyCount.objects.get().count

    page = asked(desk, "ada")

    assert "You asked for at most 2 messages on e-mail a week." in page
    assert "1 of 2 used" in page
    assert "mon,tue,wed,thu,fri,sat 00:00–00:00" in page
    assert FrequencyCount.objects.get().count == counted, "asking counts nothing"


def test_a_notification_that_was_never_planned_is_explained_as_it_would_be(
    desk: Client, ada: User, offers: Type
) -> None:
    request = acceptance.Request(user=ada, type=offers, payload={"title": "Hello", "body": "There"})
    notification = acceptance.accept(request).notification

    page = desk.get(f"/admin/notifications/notification/{notification.id}/why/").content.decode()

    assert "it is not planned yet" in page


@pytest.mark.parametrize("rights", [[], ["view_notification"], ["view_user"]])
def test_it_takes_the_right_to_see_notifications_and_people(ada: User, offers: Type, rights: list[str]) -> None:
    notification = tell(ada, offers)
    clerk = User.objects.create_user("clerk", is_staff=True)
    clerk.user_permissions.set(Permission.objects.filter(codename__in=rights))
    client = Client()
    client.force_login(clerk)

    assert client.get(WHY).status_code == 403
    assert client.post(WHY, {"person": "ada", "type": "WEEKLY_OFFERS"}).status_code == 403
    assert client.get(f"/admin/notifications/notification/{notification.id}/why/").status_code == 403
    assert WHY not in client.get("/admin/").content.decode()


def test_it_is_linked_where_the_question_comes_up(desk: Client, ada: User, offers: Type) -> None:
    notification = tell(ada, offers)

    about = desk.get(f"/admin/notifications/notification/{notification.id}/change/").content.decode()
    person = desk.get(f"/admin/preferences/user/{ada.pk}/change/").content.decode()

    assert f"/admin/notifications/notification/{notification.id}/why/" in about
    assert f"{WHY}?user={ada.pk}" in person
    assert WHY in desk.get("/admin/").content.decode()


def test_a_notification_that_is_not_there_is_not_found(desk: Client) -> None:
    assert desk.get(f"/admin/notifications/notification/{uuid4()}/why/").status_code in {302, 404}
