import pytest
from django.test import Client

from preferences import consent, contact_points
from preferences.models import Category, User
from project.foundation.models import AuditEvent

pytestmark = pytest.mark.django_db


@pytest.fixture
def desk() -> Client:
    client = Client()
    client.force_login(User.objects.create_superuser("grace", "a long enough password"))
    return client


@pytest.fixture
def ada() -> User:
    user = User.objects.create_user("ada", name="Ada Lovelace")
    contact_points.add(user, channel="email", address="ada@example.com")
    return user


def test_addresses_are_masked_and_found_by_the_whole_address(desk: Client, ada: User) -> None:
    page = desk.get(f"/admin/preferences/user/{ada.pk}/change/").content.decode()
    found = desk.get("/admin/preferences/user/?q=Ada@Example.com").content.decode()

    assert "a•••@example.com" in page
    assert "ada@example.com" not in page
    assert f"/admin/preferences/user/{ada.pk}/change/" in found
    assert (
        f"/admin/preferences/user/{ada.pk}/change/"
        not in desk.get("/admin/preferences/user/?q=x@y.org").content.decode()
    )


def test_a_persons_own_choices_are_marked(desk: Client, ada: User) -> None:
    offers = Category.objects.create(key="offers", name="Offers")
    consent.set_preference(ada, category=offers, channel="email", enabled=False, source="api", actor="user:ada")

    assert "own choice" in desk.get(f"/admin/preferences/user/{ada.pk}/change/").content.decode()


def test_only_superusers_touch_staff_and_rights(ada: User) -> None:
    clerk = User.objects.create_user("clerk", is_staff=True)
    permissions = clerk.user_permissions.model.objects.filter(content_type__app_label="preferences")
    clerk.user_permissions.set(permissions)
    client = Client()
    client.force_login(clerk)
    assert client.get(f"/admin/preferences/user/{clerk.pk}/change/").status_code == 200

    client.post(
        f"/admin/preferences/user/{clerk.pk}/change/", {"name": "Clerk", "is_superuser": "on", "is_active": "on"}
    )
    client.post(f"/admin/preferences/user/{ada.pk}/change/", {"name": "Ada", "is_staff": "on", "is_active": "on"})

    clerk.refresh_from_db()
    ada.refresh_from_db()
    assert not clerk.is_superuser
    assert not ada.is_staff
    assert ada.name == "Ada"


def test_people_are_not_deleted_here(desk: Client, ada: User) -> None:
    assert desk.post(f"/admin/preferences/user/{ada.pk}/delete/").status_code == 403


def test_a_category_is_set_up_by_ticking_channels(desk: Client) -> None:
    form = {
        "name": "Offers",
        "key": "offers",
        "description": "",
        "kind": "marketing",
        "required_channels": ["email"],
        "on_by_default": ["email", "in_app", "sms"],
    }

    desk.post("/admin/preferences/category/add/", form)

    offers = Category.objects.get(key="offers")
    assert offers.required_channels == ["email"]
    assert offers.default_channels == {"sms": True, "push": False, "web_push": False}
    assert AuditEvent.objects.get().target == "category:offers"


def test_the_ledger_cannot_be_changed(desk: Client, ada: User) -> None:
    consent.set_preference(ada, channel="email", enabled=False, source="settings_page", actor="user:ada")
    record = ada.consent_records.get()

    assert desk.get("/admin/preferences/consentrecord/").status_code == 200
    assert desk.get(f"/admin/preferences/consentrecord/{record.pk}/change/").status_code == 200
    assert desk.post(f"/admin/preferences/consentrecord/{record.pk}/delete/").status_code == 403
    assert desk.get("/admin/preferences/consentrecord/add/").status_code == 403
