import pytest
from django.contrib.auth.models import Permission
from django.test import Client
from django.urls import reverse

from preferences import contact_points, suppressions
from preferences.consent import Origin
from preferences.loading import load_person
from preferences.models import ConsentRecord, Suppression, User
from preferences.suppressions import Unwanted
from project.foundation.models import AuditEvent

pytestmark = pytest.mark.django_db
LIST = "/admin/preferences/suppression/"
ADA = "ada@example.com"


@pytest.fixture
def desk() -> Client:
    return client_of(User.objects.create_superuser("grace", "a long enough password"))


@pytest.fixture
def ada() -> User:
    user = User.objects.create_user("ada")
    contact_points.add(user, channel="email", address=ADA)
    return user


def client_of(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


def clerk_with(*permissions: str) -> Client:
    clerk = User.objects.create_user("clerk", is_staff=True)
    clerk.user_permissions.set(Permission.objects.filter(codename__in=permissions))
    return client_of(clerk)


def suppressed(reason: str = "bounce", address: str = ADA) -> Suppression:
    suppressions.suppress([Unwanted("email", address, reason)], origin=Origin("receipt", "account:mail"))
    return Suppression.objects.get()


def find(client: Client, address: str):
    return client.post(f"{LIST}find/", {"channel": "email", "address": address})


def audited() -> list[tuple[str, str]]:
    return [(event.actor, event.action) for event in AuditEvent.objects.order_by("id")]


def test_the_list_says_why_how_and_by_whom_and_not_who(desk, ada):
    suppressed()

    page = desk.get(LIST).content.decode()

    for words in ("E-mail", "Hard bounce", "A provider&#x27;s report", "Account mail", "Look it up"):
        assert words in page
    assert ADA not in page


def test_an_address_is_found_by_typing_it_in_any_case_and_the_look_up_is_on_record(desk):
    row = suppressed()

    answer = find(desk, "Ada@EXAMPLE.com")

    assert answer.url == reverse("admin:preferences_suppression_change", args=[row.pk])
    assert audited() == [("staff:grace", "suppression.looked_up")]
    assert "ada" not in str(AuditEvent.objects.values_list("target", "detail")).lower()


def test_an_address_that_is_not_suppressed_is_said_to_be_free(desk):
    page = find(desk, ADA).content.decode()

    assert "Not suppressed" in page and "a•••@example.com" in page and ADA not in page
    assert audited() == [("staff:grace", "suppression.looked_up")]


def test_what_is_no_address_is_said_beside_the_field(desk):
    page = find(desk, "nobody").content.decode()

    assert "An e-mail address has the form" in page and 'value="nobody"' in page


def test_addresses_are_not_looked_up_by_get(desk):
    assert desk.get(f"{LIST}find/?channel=email&address={ADA}").status_code == 405


def test_an_address_is_suppressed_by_hand(desk, ada):
    answer = desk.post(f"{LIST}add/", {"channel": "email", "address": "ADA@example.com", "reason": "operator"})

    row = Suppression.objects.get()
    assert answer.url == reverse("admin:preferences_suppression_change", args=[row.pk])
    assert (row.reason, row.source, row.actor) == ("operator", "admin", "staff:grace")
    assert not load_person(ada.pk).contact_points[0].usable
    assert ConsentRecord.objects.get().subject == "suppression:email"
    assert audited() == [("staff:grace", "suppression.added")]


def test_what_cannot_be_suppressed_is_said_beside_the_field(desk):
    page = desk.post(f"{LIST}add/", {"channel": "sms", "address": "12", "reason": "operator"}).content.decode()

    assert "A phone number starts with +" in page
    assert not Suppression.objects.exists()


def test_a_suppression_is_lifted_for_a_reason(desk, ada):
    row = suppressed()
    lift = reverse("admin:preferences_suppression_lift", args=[row.pk])

    assert "This field is required" in desk.post(lift, {"why": ""}).content.decode()
    assert Suppression.objects.exists()
    desk.post(lift, {"why": "works"})

    assert not Suppression.objects.exists()
    assert load_person(ada.pk).contact_points[0].usable
    [event] = AuditEvent.objects.all()
    assert (event.actor, event.action, event.detail["why"]) == ("staff:grace", "suppression.lifted", "works")
    assert [line.new for line in ConsentRecord.objects.order_by("id")] == ["bounce", "unset"]


def test_a_stop_beside_a_bounce_stays_and_that_is_said(desk, ada):
    row = suppressed()
    suppressions.suppress([Unwanted("email", ADA, "stop")], origin=Origin("receipt", "account:mail"))

    answer = desk.post(reverse("admin:preferences_suppression_lift", args=[row.pk]), {"why": "works"}, follow=True)

    assert "asked to stop, too: that stays" in answer.content.decode()
    assert Suppression.objects.get().reason == "stop"


def test_one_that_is_gone_is_said_to_be_gone(desk):
    row = suppressed()
    row.delete()

    for name in ("lift", "change"):
        path = reverse(f"admin:preferences_suppression_{name}", args=[999])
        answer = desk.post(path, {"why": "works"}, follow=True) if name == "lift" else desk.get(path, follow=True)
        assert "there no more" in answer.content.decode()


def test_each_act_asks_for_its_permission(ada):
    row = suppressed()
    looker = clerk_with("view_suppression")
    lift = reverse("admin:preferences_suppression_lift", args=[row.pk])

    assert looker.get(LIST).status_code == 200
    page = looker.get(reverse("admin:preferences_suppression_change", args=[row.pk])).content.decode()
    assert "Lift" not in page
    assert looker.post(lift, {"why": "works"}).status_code == 403
    assert looker.post(f"{LIST}add/", {"channel": "email", "address": ADA, "reason": "stop"}).status_code == 403
    porter = client_of(User.objects.create_user("porter", is_staff=True))
    assert find(porter, ADA).status_code == 403
    assert Suppression.objects.count() == 1


def test_nothing_else_changes_or_deletes_one(desk):
    row = suppressed()

    assert desk.post(f"{LIST}{row.pk}/delete/", {"post": "yes"}).status_code == 403
    desk.post(f"{LIST}{row.pk}/change/", {"reason": "operator"})
    row.refresh_from_db()
    assert row.reason == "bounce"
