from datetime import timedelta

import pytest

from notifications import outbox
from notifications.models import OutboxMessage
from notifications.providers.base import Message
from project.foundation.ids import new_id
from tests.notifications.api.conftest import pointers, service

PATH = "/api/v1/outbox"


@pytest.fixture
def keep(ada, caller):
    def keep(text="Hello", *, user=ada, channel="email", mode="live", caller_id=caller.pk):
        message = Message(new_id(), channel, f"{user.user_id}@example.com", {"subject": text, "text": text})
        outbox.keep([outbox.Kept(message, new_id(), user.pk, caller_id, mode)])
        return OutboxMessage.objects.get(delivery_id=message.delivery_id)

    return keep


def texts(response):
    assert response.status_code == 200, response.content
    return [message["parts"]["text"] for message in response.json()["results"]]


def test_a_message_is_shown_as_it_would_have_been_sent(shop, keep):
    row = keep()

    (shown,) = shop.get(PATH).json()["results"]

    assert shown["headers"].pop("Message-ID")
    assert shown.pop("created_at").endswith("Z")
    assert shown == {
        "id": str(row.id),
        "notification_id": str(row.notification_id),
        "user_id": "ada",
        "channel": "email",
        "to": "ada@example.com",
        "headers": {"To": "ada@example.com", "Subject": "Hello"},
        "parts": {"subject": "Hello", "text": "Hello"},
        "attachments": [],
    }


def test_the_newest_comes_first_page_by_page(shop, keep):
    for number in range(3):
        keep(str(number))

    first = shop.get(PATH, limit=2)
    second = shop.get(PATH, limit=2, cursor=first.json()["next"])

    assert (texts(first), texts(second)) == (["2", "1"], ["0"])
    assert second.json()["next"] is None


def test_it_is_narrowed_by_user_and_channel(shop, keep, bob):
    keep("mail")
    keep("sms", channel="sms")
    keep("bob", user=bob)

    assert texts(shop.get(PATH, user_id="ada")) == ["sms", "mail"]
    assert texts(shop.get(PATH, user_id="ada", channel="email")) == ["mail"]
    assert texts(shop.get(PATH, user_id="nobody")) == []


def test_since_takes_a_time_or_an_id(shop, keep):
    first, second = keep("first"), keep("second")

    assert texts(shop.get(PATH, since=str(first.id))) == ["second"]
    assert texts(shop.get(PATH, since=first.created_at.isoformat())) == ["second", "first"]
    later = (second.created_at + timedelta(seconds=1)).isoformat().replace("+00:00", "Z")
    assert texts(shop.get(PATH, since=later)) == []


@pytest.mark.parametrize(
    ("params", "pointer"),
    [
        ({"since": "yesterday"}, "/since"),
        ({"since": "2026-11-21T18:05:00"}, "/since"),
        ({"since": "2026-13-41T18:05:00Z"}, "/since"),
        ({"since": "0001-01-01T00:00:00Z"}, "/since"),
        ({"channel": "pigeon"}, "/channel"),
        ({"user_id": "a\0da"}, "/user_id"),
        ({"limit": "0"}, "/limit"),
        ({"cursor": "x"}, "/cursor"),
    ],
)
def test_a_bad_question_is_refused(shop, keep, params, pointer):
    refused = shop.get(PATH, **params)

    assert refused.status_code == 422
    assert list(pointers(refused)) == [pointer]


def test_nobody_sees_another_callers_or_another_modes_messages(shop, shop_testing, stranger, keep):
    keep("live")
    keep("test", mode="test")

    assert texts(shop.get(PATH)) == ["live"]
    assert texts(shop_testing.get(PATH)) == ["test"]
    assert texts(stranger.get(PATH)) == []


def test_sign_in_links_are_for_keys_that_may_do_everything(shop, caller, keep):
    keep("sign-in link", caller_id=None)

    assert texts(shop.get(PATH)) == ["sign-in link"]
    assert texts(service(caller, scopes=["read"]).get(PATH)) == []


def test_reading_needs_the_scope_read(caller):
    assert service(caller, scopes=["send"]).get(PATH).status_code == 403
