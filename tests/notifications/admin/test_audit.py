"""The trail in the admin: found by whom, about whom and when, taken away as CSV; and looks at messages stand in it."""

import csv
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client

from notifications.models import Caller, Notification, OutboxMessage
from preferences.models import User
from project.foundation import audit, ids
from project.foundation.models import AuditEvent
from templates_app.models import Type
from tests import flow
from tests.notifications.given import accepted

pytestmark = pytest.mark.django_db
URL = "/admin/foundation/auditevent/"


@pytest.fixture
def trail(ada: User, caller: Caller) -> None:
    audit.record("staff:grace", "user.viewed", f"user:{ada.pk}", ip="192.0.2.1")
    audit.record("key:shop", "template.published", "template:news", version=2)
    audit.record("system", "provider_account.refused", "provider_account:main", error="535")
    audit.record(f"user:{ada.pk}", "user.exported", f"user:{ada.pk}")


def listed(desk: Client, query: str = "") -> list[str]:
    return [event.action for event in desk.get(f"{URL}{query}").context["cl"].result_list]


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("?about=people", ["user.exported", "user.viewed"]),
        ("?about=content", ["template.published"]),
        ("?about=accounts", ["provider_account.refused"]),
        ("?by=staff", ["user.viewed"]),
        ("?by=key", ["template.published"]),
        ("?by=system", ["provider_account.refused"]),
        ("?by=user&about=people", ["user.exported"]),
        ("?q=template:news", ["template.published"]),
    ],
)
def test_it_is_narrowed_by_who_and_by_what(desk: Client, trail: None, query: str, found: list[str]) -> None:
    assert listed(desk, query) == found


def test_what_happened_earlier_is_left_out_on_demand(desk: Client, trail: None) -> None:
    event = AuditEvent.objects.get(action="user.viewed")
    earlier = ids.first_id_at(ids.created_at(event.id) - timedelta(days=8))
    AuditEvent.objects.bulk_create([AuditEvent(id=earlier, actor="system", action="old.act", target="x")])

    assert "old.act" in listed(desk)
    assert "old.act" not in listed(desk, "?days=7")


def test_people_are_named_and_found_by_their_own_id(desk: Client, trail: None, ada: User) -> None:
    page = desk.get(f"{URL}?by=staff").content.decode()

    assert f'<a href="/admin/preferences/user/{ada.pk}/change/">ada</a>' in page
    assert listed(desk, "?q=ada") == ["user.exported", "user.viewed"]


def test_naming_people_takes_one_query_however_many_there_are(desk: Client, django_assert_max_num_queries: Any) -> None:
    for number in range(30):
        user = User.objects.create_user(f"person-{number}")
        audit.record("staff:grace", "user.viewed", f"user:{user.pk}")
    audit.record("staff:grace", "user.viewed", f"user:{'9' * 30}")

    with django_assert_max_num_queries(12):
        assert "person-7" in desk.get(URL).content.decode()


def test_it_is_taken_away_as_csv_without_names_of_people(desk: Client, trail: None, ada: User) -> None:
    answer = desk.post(f"{URL}export/?about=people")

    lines = list(csv.DictReader(answer.getvalue().decode("utf-8-sig").splitlines()))
    assert [(line["actor"], line["action"], line["target"]) for line in lines] == [
        (f"user:{ada.pk}", "user.exported", f"user:{ada.pk}"),
        ("staff:grace", "user.viewed", f"user:{ada.pk}"),
    ]
    assert AuditEvent.objects.get(action="auditevent.exported").detail == {"narrowed_by": ["about"]}


def test_who_may_not_look_takes_nothing(porter: Client, trail: None) -> None:
    assert porter.post(f"{URL}export/").status_code == 403


def test_reading_somebodys_message_is_noted(desk: Client, ada: User, weekly_offers: Type) -> None:
    accepted(ada, weekly_offers)
    flow.run_until_idle()
    rows = [Notification.objects.get(), OutboxMessage.objects.get(channel="email"), ada.inbox_items.get()]

    for row in rows:
        assert desk.get(f"/admin/notifications/{row._meta.model_name}/{row.pk}/change/").status_code == 200

    seen = (
        AuditEvent.objects.filter(action__endswith=".viewed").order_by("id").values_list("action", "target", "detail")
    )
    assert list(seen) == [(f"{row._meta.model_name}.viewed", f"user:{ada.pk}", {"id": str(row.pk)}) for row in rows]


def test_a_link_to_sign_in_is_not_on_the_page_of_its_message(desk: Client, ada: User) -> None:
    message = accepted(ada, Type.objects.get(key="ACCOUNT_SIGN_IN"), payload={"link": "https://c.example/login/tok3n/"})

    page = desk.get(f"/admin/notifications/notification/{message.pk}/change/").content.decode()

    assert "tok3n" not in page
    assert "left out" in page
