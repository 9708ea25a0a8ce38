import pytest
from django.contrib.auth.models import Permission
from django.test import Client
from django.urls import reverse

from notifications import broadcasts
from notifications.models import Broadcast
from preferences.models import Category, User
from project.foundation.models import AuditEvent
from templates_app.models import Type
from tests.flow import run_until_idle

pytestmark = pytest.mark.django_db


@pytest.fixture
def winter(ada: User) -> Broadcast:
    offers = Category.objects.create(key="offers", name="Offers")
    type_ = Type.objects.create(key="WEEKLY_OFFERS", name="Offers of the week", category=offers)
    request = broadcasts.Request(
        type=type_, payload={"title": "Winter is here"}, audience={"user_ids": ["ada"]}, name="Winter sale"
    )
    return broadcasts.accept(request, actor="test").broadcast


def page_of(broadcast: Broadcast) -> str:
    return reverse("admin:notifications_broadcast_change", args=[broadcast.pk])


def act_on(broadcast: Broadcast, act: str) -> str:
    return reverse(f"admin:notifications_broadcast_{act}", args=[broadcast.pk])


def signed_in(*permissions: str) -> Client:
    user = User.objects.create_user("judy", is_staff=True)
    user.user_permissions.set(Permission.objects.filter(codename__in=permissions))
    client = Client()
    client.force_login(user)
    return client


def test_the_list_says_how_far_each_is(desk: Client, winter: Broadcast) -> None:
    page = desk.get(reverse("admin:notifications_broadcast_changelist")).content.decode()

    assert "Winter sale" in page and "0 of 1" in page and "1 named" in page


def test_a_running_broadcast_shows_its_progress_and_looks_again(desk: Client, winter: Broadcast) -> None:
    response = desk.get(page_of(winter))
    assert response["Refresh"] == "5"
    assert "0 of 1 people" in response.content.decode() and "Winter is here" in response.content.decode()

    run_until_idle()
    response = desk.get(page_of(winter))

    assert "Refresh" not in response
    assert "1 of 1 people" in response.content.decode() and "Pause" not in response.content.decode()


def test_it_is_paused_resumed_and_cancelled_and_the_trail_says_by_whom(desk: Client, winter: Broadcast) -> None:
    for act, status in [("pause", "paused"), ("resume", "running"), ("cancel", "cancelled")]:
        response = desk.post(act_on(winter, act), follow=True)
        winter.refresh_from_db()
        assert (response.status_code, winter.status) == (200, status)

    lines = AuditEvent.objects.filter(actor="staff:grace").order_by("pk").values_list("action", flat=True)
    assert list(lines) == ["broadcast.paused", "broadcast.resumed", "broadcast.cancelled"]


def test_what_the_state_does_not_allow_is_said(desk: Client, winter: Broadcast) -> None:
    response = desk.post(act_on(winter, "resume"), follow=True)

    assert "It is running, so it cannot be resumed." in response.content.decode()


def test_looking_is_not_steering(winter: Broadcast) -> None:
    viewer = signed_in("view_broadcast")

    assert "Cancel this broadcast" not in viewer.get(page_of(winter)).content.decode()
    assert viewer.post(act_on(winter, "cancel")).status_code == 403
    winter.refresh_from_db()
    assert winter.status == "running"


def test_only_a_post_steers(desk: Client, porter: Client, winter: Broadcast) -> None:
    assert desk.get(act_on(winter, "cancel")).status_code == 405
    assert porter.get(page_of(winter)).status_code == 403
    assert Client(enforce_csrf_checks=True).post(act_on(winter, "cancel")).status_code in {302, 403}
    winter.refresh_from_db()
    assert winter.status == "running"


def test_a_campaign_managers_rights_are_enough(winter: Broadcast) -> None:
    manager = signed_in("view_broadcast", "change_broadcast")

    assert manager.post(act_on(winter, "pause")).status_code == 302
    winter.refresh_from_db()
    assert winter.status == "paused"
