"""Everything about a person: what is told, at which moment, and that no table is forgotten."""

import json
from typing import Any

import pytest
from django.apps import apps
from django.contrib.admin.models import LogEntry
from django.contrib.contenttypes.models import ContentType
from django.db import models

from preferences import consent, contact_points, export
from preferences.models import Category, Topic, TopicSubscription, User
from preferences.suppressions import Reason, Unwanted, suppress
from project.foundation import audit
from tests.foundation.test_snapshots import elsewhere

ORIGIN = consent.Origin("admin", "staff:grace", ip="203.0.113.9")
# Columns that lead to a person without being a foreign key to them.
LEADS = {
    "user",
    "user_id",
    "notification",
    "notification_id",
    "delivery",
    "delivery_id",
    "contact_point",
    "address_index",
}
# Tables that mention people and are not told, and why.
UNTOLD = {
    "notifications.CallerNotificationId": "the notification tells it as its caller_notification_id",
    "preferences.Erasure": "only of who was erased, of whom nothing is told",
}
SUBSCRIPTION = {
    "endpoint": "https://push.example.net/s/1",
    "keys": {"auth": "A" * 22, "p256dh": "B" * 87},
}


def told(user: User) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(b"".join(export.document(user.pk)))
    return found


def test_it_is_whole_and_says_whom_it_is_about(ada: User) -> None:
    document = told(ada)

    lists = [name for name, value in document.items() if isinstance(value, list)]
    assert document["format"] == "carillon.person.1"
    assert document["user_id"] == "ada"
    assert document["complete"] is True
    assert lists == [section.name for section in export.sections()]


def test_people_read_their_own_data_in_clear(ada: User) -> None:
    User.objects.filter(pk=ada.pk).update(quiet_hours={"timezone": "Europe/London", "weekly": []})
    ada.attributes = {"plan": "pro"}
    ada.save(update_fields=["attributes"])
    contact_points.add(ada, channel="email", address="ada@example.com", label="Work")
    suppress([Unwanted("email", "ada@example.com", Reason.STOP)], origin=ORIGIN)

    document = told(ada)

    assert document["profile"][0]["name"] == "Ada Lovelace"
    assert document["profile"][0]["attributes"] == {"plan": "pro"}
    assert document["profile"][0]["quiet_hours"]["timezone"] == "Europe/London"
    assert document["contact_points"][0]["address"] == "ada@example.com"
    assert document["contact_points"][0]["label"] == "Work"
    assert document["suppressions"][0]["reason"] == "stop"


def test_of_an_address_that_they_only_typed_nothing_is_told_but_that_they_did(ada: User, bob: User) -> None:
    contact_points.add(bob, channel="email", address="bob@example.com")
    suppress([Unwanted("email", "bob@example.com", Reason.COMPLAINT)], origin=ORIGIN)
    contact_points.propose(ada, channel="email", address="bob@example.com")
    suppress([Unwanted("email", "bob@example.com", Reason.STOP)], origin=ORIGIN)

    document = told(ada)

    assert document["contact_points"][0]["address"] == "bob@example.com"
    assert document["suppressions"] == document["consent_ledger"] == []


def test_choices_stand_beside_the_ledger_of_how_they_came(ada: User, offers: Category) -> None:
    consent.set_preference(
        ada, category=offers, channel="email", enabled=False, source="settings_page", actor="user:ada", ip="192.0.2.1"
    )
    consent.mute(ada, category=offers, source="settings_page", actor="user:ada")
    TopicSubscription.objects.create(topic=Topic.objects.create(key="news", name="News"), user=ada)

    document = told(ada)

    chosen = document["preferences"][0]
    assert (chosen["category"], chosen["channel"], chosen["enabled"]) == ("offers", "email", False)
    assert document["mutes"][0]["category"] == "offers"
    assert document["topics"][0]["topic"] == "news"
    first = document["consent_ledger"][0]
    assert (first["subject"], first["new"], first["ip"]) == ("category:offers × channel:email", "no", "192.0.2.1")


def test_what_is_a_key_to_something_stays_here(ada: User) -> None:
    hook, _ = contact_points.add(ada, channel="webhook", address="https://hooks.example.com/ada")
    contact_points.add(ada, channel="web_push", address=json.dumps(SUBSCRIPTION))
    contact_points.add(ada, channel="chat", address="slack://token-a/token-b/token-c")
    ada.set_password("a long enough password")
    ada.save()

    text = b"".join(export.document(ada.pk)).decode()

    assert hook.secret
    for secret in (hook.secret, "B" * 87, "A" * 22, "token-a", ada.password):
        assert secret not in text
    assert {each["address"] for each in json.loads(text)["contact_points"]} == {
        "https://hooks.example.com/ada",
        "https://push.example.net/s/1",
        "slack://•••",
    }


def test_they_read_what_staff_did_and_not_who_it_was(ada: User) -> None:
    consent.set_preference(ada, channel="sms", enabled=False, source="admin", actor="staff:grace")
    audit.record("staff:grace", "user.viewed", f"user:{ada.pk}", ip="203.0.113.9")

    text = b"".join(export.document(ada.pk)).decode()

    assert json.loads(text)["consent_ledger"][0]["actor"] == "staff"
    assert json.loads(text)["acts_of_staff_and_services"][0]["action"] == "user.viewed"
    assert "grace" not in text
    assert "203.0.113.9" not in text


def test_staff_read_when_they_worked_and_not_on_whom(ada: User, bob: User) -> None:
    people = ContentType.objects.get_for_model(User).pk
    for user, whom in ((ada, bob), (bob, ada)):
        LogEntry.objects.create(
            user=user, content_type_id=people, object_id=str(whom.pk), object_repr=whom.user_id, action_flag=2,
            change_message="Name",
        )  # fmt: skip

    by_ada, about_ada = told(ada)["admin_log"]

    assert (by_ada["by_them"], by_ada["about_them"], "changed" in by_ada) == (True, False, False)
    assert (about_ada["by_them"], about_ada["about_them"], about_ada["changed"]) == (False, True, "Name")
    assert "bob" not in json.dumps([by_ada, about_ada])


def test_somebody_whose_id_is_anothers_key_reads_nothing_of_them(ada: User) -> None:
    audit.record("staff:grace", "user.viewed", f"user:{ada.pk}")

    assert told(User.objects.create_user(str(ada.pk)))["acts_of_staff_and_services"] == []


def test_nothing_of_others_is_in_it(ada: User, bob: User) -> None:
    contact_points.add(bob, channel="email", address="bob@example.com")
    consent.set_preference(bob, channel="sms", enabled=False, source="api", actor="key:shop")
    audit.record("staff:grace", "user.viewed", f"user:{bob.pk}")

    document = told(ada)

    assert [name for name, value in document.items() if isinstance(value, list) and value] == ["profile"]


def test_no_table_that_mentions_people_is_forgotten() -> None:
    known = {label for section in export.sections() for label in section.tables}
    mentioning = {model._meta.label for model in apps.get_models(include_auto_created=True) if _mentions_people(model)}

    assert mentioning - known - UNTOLD.keys() == set()
    assert UNTOLD.keys() - mentioning == set()


def test_what_is_left_out_exists_and_has_a_reason() -> None:
    for section in export.sections():
        for label, silent in section.tables.items():
            columns = {each.name for each in apps.get_model(label)._meta.concrete_fields}
            assert silent.keys() <= columns, label
            assert all(silent.values())


@pytest.mark.django_db(transaction=True)
def test_it_is_of_one_moment(ada: User) -> None:
    lines = export.document(ada.pk)
    head = next(lines)

    elsewhere(lambda: consent.set_preference(ada, channel="sms", enabled=False, source="api", actor="key:shop"))

    document = json.loads(head + b"".join(lines))
    assert document["preferences"] == document["consent_ledger"] == []
    assert told(ada)["consent_ledger"] != []


def _mentions_people(model: type[models.Model]) -> bool:
    columns = model._meta.concrete_fields
    return not model._meta.proxy and any(each.related_model is User or each.name in LEADS for each in columns)
