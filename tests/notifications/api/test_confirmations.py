"""Services ask people's addresses to be confirmed; only the owners' answers count."""

import re

import pytest
from django.conf import settings
from django.test import Client

from notifications.models import Notification, OutboxMessage
from preferences import confirmations, contact_points
from preferences.models import ContactPoint, User
from tests.flow import run_until_idle
from tests.preferences.conftest import api_with

pytestmark = pytest.mark.usefixtures("outbox_accounts")


@pytest.fixture
def api(db):
    return api_with({"users"})


def path(point: ContactPoint) -> str:
    return f"/users/{point.user.user_id}/contact_points/{point.pk}/confirmation"


def mail_of(user: User) -> ContactPoint:
    return user.contact_points.get(channel="email")


def test_a_service_asks_and_the_owner_confirms(api, ada):
    status, answer = api("POST", path(mail_of(ada)))
    assert (status, answer["confirmed_at"]) == (202, None)

    run_until_idle()
    [mail] = OutboxMessage.objects.all()
    found = re.search(re.escape(settings.PUBLIC_URL) + r"(/confirm/\S+)", mail.parts["text"])
    Client().post(found[1])

    assert mail.to == "ada@example.com"
    assert api.get(f"/users/ada/contact_points/{mail_of(ada).pk}")["confirmed_at"] is not None
    assert api("POST", path(mail_of(ada)))[0] == 409


def test_services_do_not_read_what_was_asked(api, ada):
    api("POST", path(mail_of(ada)))

    assert Notification.objects.get().caller_id is None


def test_an_address_is_not_asked_without_end(api, ada):
    assert [api("POST", path(mail_of(ada)))[0] for _ in range(3)] == [202] * 3

    status, answer = api("POST", path(mail_of(ada)))

    assert (status, answer["code"]) == (429, "asked_too_often")
    assert Notification.objects.count() == 3


def test_what_cannot_be_asked_says_why(api, ada):
    device, _ = contact_points.add(ada, channel="push", address="a-token-of-some-length")
    dead = mail_of(ada)
    contact_points.disable(dead, reason="bounce")

    assert api("POST", path(device))[1]["detail"] == "Only e-mail addresses and phone numbers are confirmed."
    assert api("POST", path(dead))[1]["detail"] == "This address is out of use."
    assert api("POST", path(dead).replace("ada", "bob"))[0] == 404


def test_a_typed_address_can_be_asked_again_by_a_service(api, ada):
    typed = contact_points.propose(ada, channel="sms", address="+493012345678")

    assert api("POST", path(typed))[0] == 202
    assert confirmations.waiting(ada) == {typed.pk: "code"}
