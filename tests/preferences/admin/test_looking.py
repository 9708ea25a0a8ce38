"""What staff do with people's data leaves a line: looking, finding, changing, taking away."""

import json
from collections.abc import Callable

import pytest
from django.test import Client

from preferences import consent, contact_points
from preferences.models import User
from project.foundation.models import AuditEvent

pytestmark = pytest.mark.django_db
Clerk = Callable[..., Client]


@pytest.fixture
def eva() -> User:
    """Whose id with the caller is her address."""
    user = User.objects.create_user("eva@example.com", name="Eva Example")
    contact_points.add(user, channel="email", address="eva@example.com")
    return user


@pytest.fixture
def desk(grace: User) -> Client:
    client = Client()
    client.force_login(grace)
    return client


def acts() -> list[tuple[str, str, str]]:
    return list(AuditEvent.objects.order_by("id").values_list("actor", "action", "target"))


def test_looking_at_a_person_is_noted(desk: Client, eva: User) -> None:
    desk.get(f"/admin/preferences/user/{eva.pk}/change/")

    assert acts() == [("staff:grace", "user.viewed", f"user:{eva.pk}")]
    assert AuditEvent.objects.get().ip == "127.0.0.1"


def test_a_list_is_no_look_at_anybody(desk: Client, eva: User) -> None:
    desk.get("/admin/preferences/user/")

    assert acts() == []


def test_looking_at_a_line_of_the_ledger_is_noted_with_its_id(desk: Client, eva: User) -> None:
    consent.set_preference(eva, channel="sms", enabled=False, source="api", actor="key:shop")
    record = eva.consent_records.get()

    desk.get(f"/admin/preferences/consentrecord/{record.pk}/change/")

    assert acts() == [("staff:grace", "consentrecord.viewed", f"user:{eva.pk}")]
    assert AuditEvent.objects.get().detail == {"id": str(record.pk)}


def test_finding_somebody_by_their_address_is_noted(desk: Client, eva: User) -> None:
    desk.get("/admin/preferences/user/?q=Eva@Example.com")
    desk.get("/admin/preferences/user/?q=nobody@example.com")

    assert acts() == [("staff:grace", "user.found_by_address", f"user:{eva.pk}")]


def test_changing_somebody_is_noted_by_the_names_of_the_fields(desk: Client, eva: User) -> None:
    desk.post(f"/admin/preferences/user/{eva.pk}/change/", {"name": "Eva E.", "is_active": "on"})

    line = AuditEvent.objects.get(action="user.changed")
    assert line.target == f"user:{eva.pk}"
    assert line.detail == {"fields": ["name"]}


def test_a_new_password_is_noted(desk: Client, eva: User) -> None:
    form = {"usable_password": "true", "password1": "a long enough password", "password2": "a long enough password"}
    desk.post(f"/admin/preferences/user/{eva.pk}/password/", form | {"password2": "another"})
    desk.post(f"/admin/preferences/user/{eva.pk}/password/", form)

    assert acts() == [("staff:grace", "user.password_changed", f"user:{eva.pk}")]


def test_everything_about_a_person_is_taken_by_a_button_on_a_page_that_says_so(desk: Client, eva: User) -> None:
    address = f"/admin/preferences/user/{eva.pk}/export/"
    page = desk.get(f"/admin/preferences/user/{eva.pk}/change/").content.decode()
    asked = desk.get(address, follow=True).content.decode()

    answer = desk.post(address, follow=True)

    assert address in page
    assert "addresses and texts in clear" in asked
    assert json.loads(answer.getvalue())["contact_points"][0]["address"] == "eva@example.com"
    assert acts()[-1] == ("staff:grace", "user.exported", f"user:{eva.pk}")


def test_taking_everything_is_a_right_of_its_own(clerk: Clerk, eva: User) -> None:
    looks, takes = clerk("preferences.view_user"), clerk("preferences.view_user", "preferences.export_user")
    address = f"/admin/preferences/user/{eva.pk}/export/"

    assert "Download everything" not in looks.get(f"/admin/preferences/user/{eva.pk}/change/").content.decode()
    assert looks.post(address).status_code == 403
    assert takes.post(address).status_code == 200


def test_only_superusers_take_what_is_kept_of_staff(clerk: Clerk, desk: Client, grace: User) -> None:
    address = f"/admin/preferences/user/{grace.pk}/export/"

    assert clerk("preferences.view_user", "preferences.export_user").post(address).status_code == 403
    assert desk.post(address).status_code == 200


def test_no_line_holds_an_address_or_a_name(desk: Client, eva: User) -> None:
    consent.set_preference(eva, channel="sms", enabled=False, source="api", actor="key:shop")
    person = f"/admin/preferences/user/{eva.pk}"
    desk.get(f"{person}/change/")
    desk.post(f"{person}/change/", {"name": "Eva Else", "is_active": "on"})
    desk.get("/admin/preferences/user/?q=eva@example.com")
    desk.post(f"{person}/export/")
    desk.post("/admin/preferences/consentrecord/export/?q=eva@example.com")

    kept = json.dumps(list(AuditEvent.objects.values("actor", "action", "target", "detail")))
    assert kept.count("user:") == 4
    assert "eva" not in kept.lower()
