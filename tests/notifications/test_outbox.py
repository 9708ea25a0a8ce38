from datetime import timedelta

import pytest

from notifications import outbox
from notifications.models import OutboxMessage
from notifications.providers.base import Message
from project.foundation.ids import new_id


@pytest.fixture
def keep(ada, caller):
    def keep(channel="email", *, mode="live", caller_id=caller.pk, **message):
        parts = {"subject": "Hello", "text": "It works."} if channel == "email" else {"text": "It works."}
        message = {"delivery_id": new_id(), "channel": channel, "to": "ada@example.com", "parts": parts} | message
        kept = outbox.Kept(Message(**message), new_id(), ada.pk, caller_id, mode)
        outbox.keep([kept])
        return OutboxMessage.objects.get(delivery_id=message["delivery_id"])

    return keep


def test_a_message_is_kept_as_it_would_have_been_sent(keep, ada):
    row = keep(headers={"List-Unsubscribe": "<https://example.com/u/x/>"})

    assert (row.user, row.channel, row.to) == (ada, "email", "ada@example.com")
    assert row.parts == {"subject": "Hello", "text": "It works."}
    assert row.headers["Subject"] == "Hello"
    assert row.headers["List-Unsubscribe"] == "<https://example.com/u/x/>"
    assert str(row.delivery_id) in row.headers["Message-ID"]


def test_only_mail_has_headers(keep):
    assert keep("sms").headers == {}


def test_a_delivery_stands_in_the_outbox_once(keep):
    first = keep()
    again = keep(delivery_id=first.delivery_id, parts={"subject": "Other"})

    assert again.pk == first.pk
    assert again.parts["subject"] == "Hello"


def test_a_batch_is_kept_in_one_statement(ada, django_assert_num_queries):
    batch = [
        outbox.Kept(Message(new_id(), "sms", "+4930123", {"text": str(number)}), new_id(), ada.pk, None, "live")
        for number in range(50)
    ]

    with django_assert_num_queries(1):
        outbox.keep(batch)

    assert OutboxMessage.objects.count() == 50


def test_what_is_kept_is_sealed_in_the_database(keep):
    row = keep()

    with_sql = OutboxMessage.objects.raw("SELECT id, parts, parts AS sealed FROM notifications_outboxmessage")[0]
    assert b"It works" not in bytes(with_sql.sealed)
    assert with_sql.pk == row.pk


def test_everybody_sees_their_own_messages_of_one_mode(keep, caller):
    live, test, system = keep(), keep(mode="test"), keep(caller_id=None)

    assert list(outbox.visible(mode="live", caller_id=caller.pk)) == [live]
    assert list(outbox.visible(mode="test", caller_id=caller.pk)) == [test]
    assert list(outbox.visible(mode="live", caller_id=caller.pk, system=True)) == [system, live]
    assert list(outbox.visible(mode="live", caller_id=caller.pk + 1)) == []


def test_since_is_a_moment_or_the_message_before(keep, caller):
    first, second = keep(), keep()
    rows = outbox.visible(mode="live", caller_id=caller.pk)

    assert list(outbox.since(rows, first.pk)) == [second]
    assert list(outbox.since(rows, first.created_at)) == [second, first]
    assert list(outbox.since(rows, second.created_at + timedelta(seconds=1))) == []
