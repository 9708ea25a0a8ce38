"""What was sent to a person, in the document of everything about them."""

import gc
import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from notifications import credentials
from notifications.models import (
    AnsweredText,
    AttachmentContent,
    AudienceMember,
    Broadcast,
    Caller,
    Delivery,
    Digest,
    DigestItem,
    Event,
    Notification,
    OutboxMessage,
    ProviderAccount,
    ReceiptRecord,
    TroubledAddress,
)
from preferences import export
from preferences.models import User
from project.foundation import ids
from templates_app.models import Type
from tests import flow
from tests.notifications.given import accepted, given_delivery

pytestmark = pytest.mark.django_db


def told(user: User) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(b"".join(export.document(user.pk)))
    return found


def test_each_message_is_told_with_its_text_and_what_became_of_it(
    ada: User, weekly_offers: Type, outbox_accounts: None
) -> None:
    accepted(ada, weekly_offers, payload={"title": "Half price"}, metadata={"order": 7})
    flow.run_until_idle()
    Event.objects.create(notification=Notification.objects.get(), kind="opened", at=datetime.now(tz=UTC))

    document = told(ada)

    message = document["notifications"][0]
    assert message["type"] == "WEEKLY_OFFERS"
    assert message["payload"]["title"] == "Half price"
    assert message["metadata"] == {"order": 7}
    assert {each["channel"] for each in message["decisions"]} >= {"email", "sms", "in_app"}
    sent = next(each for each in message["deliveries"] if each["channel"] == "email")
    assert (sent["status"], sent["provider_account"]) == ("sent", "outbox-email")
    assert sent["attempts"][0]["outcome"] == "accepted"
    assert sent["attempts"][0]["snapshot"]["name"] == "Ada"
    assert message["events"][-1]["kind"] == "opened"
    assert document["inbox"][0]["content"]["title"] == "Half price"
    assert document["inbox_counter"][0]["total"] == 1
    assert document["outbox"][0]["to"] == "ada@example.com"
    assert "Half price" in document["outbox"][0]["parts"]["subject"]


def test_a_message_of_a_broadcast_says_what_the_broadcast_says(ada: User, weekly_offers: Type) -> None:
    broadcast = given_broadcast(weekly_offers, payload={"title": "To all"})
    given_delivery(ada, weekly_offers, status="sent")
    Notification.objects.update(broadcast=broadcast, payload=None)
    AudienceMember.objects.create(broadcast_id=broadcast.id, user_id=ada.pk)

    document = told(ada)

    assert document["notifications"][0]["payload"] == {"title": "To all"}
    assert document["broadcast_audiences"] == [{"broadcast_id": str(broadcast.id), "tell_at": None}]


def test_digests_files_receipts_and_troubles_are_told(ada: User, weekly_offers: Type) -> None:
    delivery = given_delivery(ada, weekly_offers, status="bounced")
    digest = Digest.objects.create(id=ids.new_id(), user=ada, mode="live", day="2026-07-01")
    DigestItem.objects.create(id=delivery.id, digest=digest, notification_id=delivery.notification_id, channel="email")
    AttachmentContent.objects.create(
        notification_id=delivery.notification_id, content="Zm9v", keep_until=datetime.now(tz=UTC)
    )
    account = ProviderAccount.objects.create(name="main", provider="outbox", channel="email")
    given_receipt(account, "1", delivery_id=delivery.id, kind="bounced", result="moved")
    given_receipt(account, "2", address="ada@example.com", due_at=datetime.now(tz=UTC))
    given_receipt(account, "3", address="bob@example.com", due_at=datetime.now(tz=UTC))
    sms = ada.contact_points.get(channel="sms")
    AnsweredText.objects.create(channel="sms", address_index=sms.address_index, kind="stop", at=datetime.now(tz=UTC))
    TroubledAddress.objects.create(contact_point=ada.contact_points.first(), failing_since=datetime.now(tz=UTC))

    document = told(ada)

    assert document["digests"][0]["items"][0]["channel"] == "email"
    assert "keep_until" in document["notifications"][0]["files_kept"][0]
    assert "Zm9v" not in json.dumps(document)
    assert [each["event_id"] for each in document["receipts"]] == ["1", "2"]
    assert document["receipts"][0]["account"] == "main"
    assert document["answered_texts"][0]["contact_point"] == str(sms.pk)
    assert len(document["troubled_addresses"]) == 1


def test_no_message_of_others_is_in_it(ada: User, bob: User, weekly_offers: Type, outbox_accounts: None) -> None:
    accepted(bob, weekly_offers)
    flow.run_until_idle()

    document = told(ada)

    for name in ("notifications", "inbox", "outbox", "digests", "receipts", "broadcast_audiences"):
        assert document[name] == [], name


def test_a_link_to_sign_in_is_in_nobodys_file(ada: User, outbox_accounts: None) -> None:
    accepted(ada, Type.objects.get(key="ACCOUNT_SIGN_IN"), payload={"link": "https://c.example/login/tok3n/"})
    flow.run_until_idle()

    text = b"".join(export.document(ada.pk)).decode()

    assert OutboxMessage.objects.get(channel="email").parts["html"].count("tok3n")
    assert "tok3n" not in text
    assert json.loads(text)["notifications"][0]["payload"]["link"] == credentials.LEFT_OUT


def test_few_rows_are_held_at_once_however_many_there_are(ada: User, weekly_offers: Type) -> None:
    given_history(ada, weekly_offers, 5 * export.BATCH)
    gc.collect()
    held, told_of = [], 0

    for line in export.document(ada.pk):
        told_of += line.count(b'"type":"WEEKLY_OFFERS"')
        if told_of % 50 == 0:
            held.append(sum(type(each) in (Notification, Delivery) for each in gc.get_objects()))

    assert told_of == 5 * export.BATCH
    # Two batches of notifications, that being read and that being told, with a delivery each.
    assert max(held) <= 4 * export.BATCH + 10


def test_the_file_is_begun_before_history_is_read(
    ada: User, weekly_offers: Type, django_assert_max_num_queries: Callable[..., Any]
) -> None:
    given_history(ada, weekly_offers, 3 * export.BATCH)
    lines = export.document(ada.pk)

    with django_assert_max_num_queries(45):
        while b'"type":"WEEKLY_OFFERS"' not in next(lines):
            continue
    with django_assert_max_num_queries(0):
        for _ in range(export.BATCH - 1):
            next(lines)
    lines.close()


def given_history(user: User, type_: Type, count: int) -> None:
    rows = [
        Notification(
            user=user, type=type_, mode="live", priority="LOW", lane=2, payload={"title": "x"}, status="completed"
        )
        for _ in range(count)
    ]
    Notification.objects.bulk_create(rows)
    Delivery.objects.bulk_create(
        Delivery(
            id=ids.derived_id(row.id, 0, "email"), notification=row, user=user, type=type_, mode="live", lane=2,
            channel="email", status="sent",
        )
        for row in rows
    )  # fmt: skip


def given_broadcast(type_: Type, **fields: Any) -> Broadcast:
    caller = Caller.objects.create(key="shop", name="Shop")
    return Broadcast.objects.create(
        caller=caller,
        mode="live",
        type=type_,
        priority="LOW",
        audience={"all": True},
        status="completed",
        total=1,
        **fields,
    )


def given_receipt(account: ProviderAccount, event_id: str, **fields: Any) -> ReceiptRecord:
    return ReceiptRecord.objects.create(
        account=account, event_id=event_id, at=datetime.now(tz=UTC) - timedelta(minutes=1), **{"kind": "stop"} | fields
    )
