"""Erasing people: what a service asks for, and what it finds afterwards."""

import pytest
from django.test import Client

from notifications.models import Delivery, Event, IdempotencyRecord, InboxItem, Notification, OutboxMessage
from preferences import contact_points, erasure, links, suppressions
from preferences.models import ContactPoint, PreferenceLink, Suppression, User
from project.foundation import clock
from project.foundation.models import AuditEvent
from tests.flow import run_until_idle
from tests.notifications.conftest import person
from tests.notifications.given import accepted, given_delivery

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("outbox_accounts")]


def statuses():
    return sorted((delivery.channel, delivery.status, delivery.reason) for delivery in Delivery.objects.all())


def erased(shop, user_id="ada"):
    answer = shop.delete(f"/api/v1/users/{user_id}")
    assert answer.status_code == 202, answer.content
    return answer.json()


def test_an_erased_person_is_unknown_from_then_on(shop, ada):
    answer = erased(shop)

    assert answer["user_id"] == "ada" and answer["erased_at"].endswith("Z")
    assert shop.get("/api/v1/users/ada").status_code == 404
    assert shop.get("/api/v1/users").json()["results"] == []
    refused = shop.send({"user_id": "ada", "type": "ORDER_CONFIRMATION", "payload": {"title": "Hello"}})
    assert refused.status_code == 422
    ada.refresh_from_db()
    assert ada.erased_at is not None and ada.user_id.startswith("erased/") and ada.name == ""
    assert not ada.is_active and ada.attributes == {} and ada.locale == ada.timezone == ""


def test_a_repeat_is_answered_as_the_first_time_and_changes_nothing(shop, ada):
    first = erased(shop)

    assert erased(shop) == first
    assert AuditEvent.objects.filter(action="user.erased").count() == 1


def test_nobody_is_erased_who_never_was_there(shop, ada):
    assert shop.delete("/api/v1/users/adam").status_code == 404
    assert User.objects.get().erased_at is None


def test_staff_are_erased_by_no_key(shop, db):
    User.objects.create_user("grace", is_staff=True)
    User.objects.create_user("root", is_superuser=True)

    for user_id in ("grace", "root"):
        answer = shop.delete(f"/api/v1/users/{user_id}")
        assert (answer.status_code, answer.json()["code"]) == (403, "staff_user")
    assert not User.objects.exclude(erased_at=None).exists()


def test_the_trail_says_that_somebody_was_erased_and_by_whom_but_not_who(shop, ada):
    erased(shop)

    line = AuditEvent.objects.get(action="user.erased")
    assert (line.actor, line.target) == ("key:shop", f"user:{ada.pk}")


def test_what_waits_is_cancelled_in_the_same_moment_and_never_sent(shop, ada, order_confirmation):
    unplanned = accepted(ada, order_confirmation, send_at=None)
    for status in ("queued", "scheduled"):
        given_delivery(ada, order_confirmation, status=status, channel="email")
    given_delivery(ada, order_confirmation, status="held", channel="sms", reason="account")

    erased(shop)

    unplanned.refresh_from_db()
    assert (unplanned.status, unplanned.due_at) == ("cancelled", None)
    assert Event.objects.filter(notification=unplanned, kind="cancelled", detail="erased").exists()
    assert {(status, reason) for _, status, reason in statuses()} == {("cancelled", "erased")}
    assert set(Notification.objects.values_list("status", flat=True)) == {"cancelled"}
    run_until_idle()
    assert not OutboxMessage.objects.exists()


def test_what_may_have_left_is_not_called_cancelled(shop, ada, order_confirmation):
    given_delivery(ada, order_confirmation, status="unknown", channel="email")
    given_delivery(ada, order_confirmation, status="queued", channel="sms", reason="unknown_outcome")

    erased(shop)

    assert [(status, reason) for _, status, reason in statuses()] == [("failed", "erased")] * 2


def test_statistics_survive_and_what_was_said_does_not(shop, caller, ada, order_confirmation):
    given = {"channels_preferred": ["email", "in_app"], "metadata": {"trace": "x"}, "caller_id": caller.pk}
    notification = accepted(ada, order_confirmation, **given)
    run_until_idle()
    assert OutboxMessage.objects.exists() and InboxItem.objects.exists()

    erased(shop)

    assert statuses() == [("email", "sent", ""), ("in_app", "delivered", "")]
    notification.refresh_from_db()
    assert (notification.payload, notification.metadata, notification.status) == (None, None, "completed")
    assert not OutboxMessage.objects.exists() and not InboxItem.objects.exists()
    told = shop.get(f"/api/v1/notifications/{notification.id}")
    assert told.status_code == 200 and told.json()["user_id"].startswith("erased/")


def test_a_dead_letter_of_an_erased_person_is_none_any_more(shop, ada, order_confirmation):
    given_delivery(ada, order_confirmation, status="failed", dead=True, error="550 5.1.1 <ada@example.com> unknown")

    erased(shop)

    assert shop.get("/api/v1/dead_letters").json()["results"] == []
    assert Delivery.objects.get().error == ""


def test_links_and_sessions_end(shop, ada):
    browser = Client()
    browser.force_login(ada)
    in_mail = links.settings_url(ada.pk, ada.link_generation)
    minted = links.minted_url(PreferenceLink.objects.create(user=ada, expires_at=clock.now() + erasure.LOOKS[-1]))
    for link in (in_mail, minted):
        assert Client().get(link).status_code == 200

    erased(shop)

    for link in (in_mail, minted):
        assert Client().get(link).status_code == 410
    assert browser.get("/preferences/").status_code == 302


def test_tokens_to_their_inbox_end(shop, ada):
    token = shop.post("/api/v1/users/ada/tokens", {}).json()["token"]
    inbox = Client(headers={"Authorization": f"Bearer {token}"})
    assert inbox.get("/api/v1/inbox").status_code == 200

    erased(shop)

    assert inbox.get("/api/v1/inbox").status_code == 401


def test_a_repeat_of_a_send_sends_nothing_and_brings_nobody_back(shop, ada, order_confirmation):
    body = {"user_id": "ada", "type": "ORDER_CONFIRMATION", "payload": {"title": "Hello"}}
    body["user"] = {"email": "ada@example.com"}
    first = shop.send(body, idempotency_key="order-1").json()
    erased(shop)

    again = shop.send(body, idempotency_key="order-1")

    assert again.status_code == 202 and again["Idempotent-Replayed"] == "true"
    assert again.json() == first | {"user_id": User.objects.get().user_id}
    assert Notification.objects.count() == 1 and not User.objects.filter(erased_at=None).exists()


def test_an_answer_that_came_too_late_to_be_found_is_found_afterwards(shop, ada, order_confirmation):
    body = {"user_id": "ada", "type": "ORDER_CONFIRMATION", "payload": {"title": "Hello"}}
    shop.send(body, idempotency_key="order-1")
    kept = IdempotencyRecord.objects.values("body").get()
    erased(shop)
    IdempotencyRecord.objects.update(body=kept["body"])  # as if its transaction had ended after the erasure's

    erasure.look_again(clock.now() + erasure.LOOKS[0])

    assert IdempotencyRecord.objects.get().body["user_id"].startswith("erased/")


def test_a_later_put_makes_a_fresh_person_whose_erased_address_stays_suppressed(shop, ada, order_confirmation):
    erased(shop)

    put = shop.client.put("/api/v1/users/ada", {"email": "ADA@example.com"}, format="json", headers=shop._headers({}))

    assert put.status_code == 201 and put.json()["name"] is None
    accepted(User.objects.get(user_id="ada"), order_confirmation, channels_preferred=["email"])
    run_until_idle()
    assert statuses() == [("email", "skipped", "suppressed")]
    assert sorted(Suppression.objects.values_list("channel", "reason")) == [("email", "erased"), ("sms", "erased")]


def test_who_came_back_is_sent_to_once_they_opt_in_themselves(shop, ada, order_confirmation):
    erased(shop)
    shop.client.put("/api/v1/users/ada", {"email": "ada@example.com"}, format="json", headers=shop._headers({}))
    fresh = User.objects.get(user_id="ada")
    page = shop.post("/api/v1/users/ada/preference_links", {}).json()["url"]

    Client().post(f"{page}addresses/", {"resume": str(fresh.contact_points.get().pk)})

    accepted(fresh, order_confirmation, channels_preferred=["email"])
    run_until_idle()
    assert statuses() == [("email", "sent", "")]


def test_who_came_back_may_leave_again(shop, ada):
    erased(shop)
    User.objects.create_user("ada", name="Ada")

    erased(shop)

    names = set(User.objects.values_list("user_id", flat=True))
    assert len(names) == 2 and all(name.startswith("erased/") for name in names)


def test_an_address_that_somebody_else_has_goes_on_serving_them(shop, ada, bob, order_confirmation):
    theirs = ada.contact_points.get(channel="email")
    ContactPoint.objects.filter(user=bob, channel="email").update(
        address=theirs.address, address_index=theirs.address_index
    )

    erased(shop)

    accepted(bob, order_confirmation, channels_preferred=["email"])
    run_until_idle()
    assert statuses() == [("email", "sent", "")]


def test_who_only_typed_an_address_neither_keeps_it_from_being_suppressed_nor_has_it_suppressed(shop, ada, bob):
    contact_points.propose(bob, channel="email", address="ada@example.com")
    contact_points.propose(ada, channel="email", address="carol@example.com")

    erased(shop)

    assert suppressions.find("email", "ada@example.com")
    assert not suppressions.find("email", "carol@example.com")


def test_nobody_can_take_a_pseudonym_for_an_id(shop, ada):
    erased(shop)
    ada.refresh_from_db()

    body = {"items": [{"user_id": ada.user_id, "name": "Back again"}]}
    assert shop.post("/api/v1/users/bulk", body).json()["results"][0]["status"] == 422
    ada.refresh_from_db()
    assert ada.name == ""


def test_traces_that_a_worker_leaves_behind_are_found_afterwards(shop, ada, order_confirmation):
    erased(shop)
    late = accepted(User.objects.get(pk=ada.pk), order_confirmation, metadata={"trace": "ada@example.com"})
    ContactPoint.objects.create(user=ada, channel="email", address="ada@example.org", address_index=b"1")
    run_until_idle()
    assert statuses() == []

    assert erasure.look_again(clock.now()) == 0
    for number, look in enumerate(erasure.LOOKS, 1):
        assert erasure.look_again(clock.now() + look) == 1, number
    assert erasure.look_again(clock.now() + erasure.LOOKS[-1]) == 0

    late.refresh_from_db()
    assert (late.status, late.payload, late.metadata) == ("cancelled", None, None)
    assert not ContactPoint.objects.filter(user=ada).exists()


def test_the_rest_of_the_people_keep_all_that_is_theirs(shop, order_confirmation, ada):
    bob = person("bob")
    accepted(bob, order_confirmation)
    run_until_idle()
    before = (statuses(), OutboxMessage.objects.count(), InboxItem.objects.count(), bob.contact_points.count())

    erased(shop)

    assert (statuses(), OutboxMessage.objects.count(), InboxItem.objects.count(), bob.contact_points.count()) == before
    bob.refresh_from_db()
    assert bob.name == "Bob" and Notification.objects.get(user=bob).payload
