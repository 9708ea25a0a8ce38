import pytest
from django.contrib.auth.models import Permission
from django.test import Client

from preferences import contact_points
from preferences.models import User
from project.foundation.models import AuditEvent

pytestmark = pytest.mark.django_db


@pytest.fixture
def ada() -> User:
    user = User.objects.create_user("ada", name="Ada Lovelace")
    contact_points.add(user, channel="email", address="ada@example.com")
    return user


def clerk(*rights: str) -> Client:
    """Somebody on the staff with these rights, at their desk."""
    user = User.objects.create_user("clerk", is_staff=True)
    user.user_permissions.set(Permission.objects.filter(codename__in=["view_user", "change_user", *rights]))
    client = Client()
    client.force_login(user)
    return client


def erase(user: User) -> str:
    return f"/admin/preferences/user/{user.pk}/erase/"


def change(user: User) -> str:
    return f"/admin/preferences/user/{user.pk}/change/"


def test_who_may_is_told_what_will_happen_and_asked_once(ada: User) -> None:
    desk = clerk("erase_user")
    assert erase(ada) in desk.get(change(ada)).content.decode()

    page = desk.get(erase(ada)).content.decode()

    ada.refresh_from_db()
    assert ada.erased_at is None
    assert "Ada Lovelace" in page and "cannot be taken back" in page

    desk.post(erase(ada))

    ada.refresh_from_db()
    assert ada.erased_at is not None and ada.name == "" and not ada.contact_points.exists()
    line = AuditEvent.objects.get(action="user.erased")
    assert (line.actor, line.target) == ("staff:clerk", f"user:{ada.pk}")


def test_who_may_not_is_neither_offered_it_nor_let_through(ada: User) -> None:
    desk = clerk()

    assert erase(ada) not in desk.get(change(ada)).content.decode()
    assert desk.get(erase(ada)).status_code == 403
    assert desk.post(erase(ada)).status_code == 403
    ada.refresh_from_db()
    assert ada.erased_at is None


def test_staff_leave_the_staff_before_they_are_erased(ada: User) -> None:
    desk = Client()
    grace = User.objects.create_superuser("grace", "a long enough password")
    desk.force_login(grace)

    assert erase(grace) not in desk.get(change(grace)).content.decode()
    assert desk.post(erase(grace)).status_code == 403
    grace.refresh_from_db()
    assert grace.erased_at is None


def test_who_was_erased_is_shown_and_not_changed_any_more(ada: User) -> None:
    desk = clerk("erase_user")
    desk.post(erase(ada))

    assert desk.get(change(ada)).status_code == 200
    assert desk.post(change(ada), {"name": "Ada", "is_active": "on"}).status_code == 403
    assert desk.post(erase(ada)).status_code == 403
