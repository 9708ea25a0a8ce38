"""What services report, and what comes of it."""

from datetime import UTC, datetime, timedelta
from itertools import permutations

import pytest

from notifications import housekeeping
from notifications.models import Attempt, Delivery, Notification, ProviderAccount, ReceiptCall, ReceiptRecord
from notifications.receipts import catching_up
from preferences.models import Suppression
from project.foundation.ids import new_id
from project.foundation.models import AuditEvent
from tests.notifications.gazette import NOW, report

pytestmark = pytest.mark.django_db


def event(kind, number=1, **fields):
    return {"event_id": f"e-{kind}-{number}", "kind": kind, "provider_message_id": "m-1"} | fields


def at(seconds):
    return NOW + timedelta(seconds=seconds)


def trail():
    return list(AuditEvent.objects.values_list("action", "target", "detail__why"))


def test_a_receipt_moves_its_delivery_at_the_providers_time(text_message):
    text_message()

    assert report(event("delivered", at=at(5))).status_code == 204

    delivery = Delivery.objects.get()
    assert (delivery.status, delivery.delivered_at) == ("delivered", at(5))
    assert [(each.kind, each.at) for each in delivery.events.all()] == [("delivered", at(5))]
    assert ReceiptRecord.objects.get().result == "moved"
    assert Notification.objects.get().status == "completed"


def test_the_request_is_kept_sealed_beside_what_was_read_from_it(text_message):
    text_message()

    report(event("delivered"), authorization="Basic c2VjcmV0")

    call = ReceiptCall.objects.get()
    assert '"e-delivered-1"' in call.body
    assert call.headers == {"x-signature": "genuine", "content-type": "application/json"}
    assert ReceiptRecord.objects.get().call_id == call.id


def test_what_is_reported_again_changes_nothing(text_message):
    text_message()
    report(event("delivered", at=at(5)))
    before = Delivery.objects.values().get()

    for _ in range(3):
        assert report(event("delivered", at=at(9))).status_code == 204

    assert Delivery.objects.values().get() == before
    assert ReceiptRecord.objects.count() == ReceiptCall.objects.count() == 1
    assert Delivery.objects.get().events.count() == 1


@pytest.mark.parametrize("order", list(permutations(["sent", "delivered", "opened", "clicked"])))
@pytest.mark.parametrize("status", ["sending", "sent"])
def test_in_whatever_order_receipts_come_the_end_is_the_same(text_message, status, order):
    text_message(status, provider_message_id="m-1" if status == "sent" else "")
    moments = {"sent": at(1), "delivered": at(2), "opened": at(3), "clicked": at(4)}

    for kind in order:
        delivery_id = Delivery.objects.get().id
        assert report(event(kind, at=moments[kind], delivery_id=delivery_id)).status_code == 204

    delivery = Delivery.objects.get()
    assert (delivery.status, delivery.provider_message_id) == ("clicked", "m-1")
    assert (delivery.delivered_at, delivery.opened_at, delivery.clicked_at) == (at(2), at(3), at(4))
    assert delivery.sent_at is not None and delivery.due_at is None


def test_several_receipts_of_one_request_count_in_the_order_in_which_they_happened(text_message):
    text_message()

    report(event("clicked", at=at(9)), event("delivered", at=at(2)), event("opened", at=at(9)))

    delivery = Delivery.objects.get()
    assert delivery.status == "clicked"
    assert [each.kind for each in delivery.events.order_by("at", "id")] == ["delivered", "opened", "clicked"]


def test_a_receipt_that_comes_before_we_know_its_id_is_kept_and_found_again(text_message):
    delivery = text_message("sending", provider_message_id="")
    report(event("clicked", at=at(3)), event("delivered", at=at(2)))
    assert set(ReceiptRecord.objects.values_list("result", flat=True)) == {"parked"}
    assert Delivery.objects.get().status == "sending"

    Delivery.objects.filter(id=delivery.id).update(status="sent", provider_message_id="m-1", due_at=None)
    ReceiptRecord.objects.update(due_at=datetime.now(tz=UTC))
    catching_up.catch_up()

    assert Delivery.objects.get().status == "clicked"
    assert set(ReceiptRecord.objects.values_list("result", "due_at")) == {("moved", None)}


def test_what_nobody_knows_is_looked_for_for_a_day_and_then_left(text_message):
    text_message()
    report(event("delivered", provider_message_id="m-unknown"))

    for _ in range(10):
        ReceiptRecord.objects.filter(due_at__isnull=False).update(due_at=datetime.now(tz=UTC))
        catching_up.catch_up()

    record = ReceiptRecord.objects.get()
    assert (record.result, record.due_at) == ("unmatched", None)
    assert Delivery.objects.get().status == "sent"


def test_an_id_of_ours_that_leads_nowhere_is_not_looked_for(news):
    report(event("delivered", delivery_id=new_id()))

    assert ReceiptRecord.objects.get().result == "unmatched"


def test_an_account_cannot_report_of_what_went_through_another(text_message):
    other = ProviderAccount.objects.create(name="other", provider="gazette", channel="sms")
    delivery = text_message(provider_account=other)

    report(event("delivered", 1, delivery_id=delivery.id), event("delivered", 2))

    assert Delivery.objects.get().status == "sent"


def test_an_account_may_report_of_an_earlier_try_that_went_through_it(text_message, news):
    other = ProviderAccount.objects.create(name="other", provider="gazette", channel="sms")
    delivery = text_message(provider_account=other, provider_message_id="other-1")
    Attempt.objects.create(
        id=new_id(), delivery=delivery, number=1, provider_account=news, started_at=NOW, outcome="unknown"
    )

    report(event("delivered", delivery_id=delivery.id))

    assert Delivery.objects.get().status == "delivered"


def test_what_waits_to_be_sent_again_is_not_when_the_provider_had_it_after_all(text_message):
    delivery = text_message("queued", reason="unknown_outcome", provider_message_id="")

    report(event("delivered", delivery_id=delivery.id, at=at(2)))

    stored = Delivery.objects.get()
    assert (stored.status, stored.due_at, stored.reason, stored.sent_at) == ("delivered", None, "", at(2))


@pytest.mark.parametrize("status", ["unknown", "failed"])
def test_what_was_in_doubt_or_given_up_on_is_known_when_the_provider_says_so(text_message, status):
    delivery = text_message(status, dead=status == "failed", provider_message_id="")

    report(event("delivered", delivery_id=delivery.id))

    assert (Delivery.objects.get().status, Delivery.objects.get().dead) == ("delivered", False)


def test_nothing_is_delivered_that_was_never_tried_or_was_stopped(text_message):
    for status, fields in {
        "queued": {"attempts": 0},
        "cancelled": {"reason": "by_caller"},
        "expired": {},
        "skipped": {"reason": "muted"},
    }.items():
        Delivery.objects.all().delete()
        delivery = text_message(status, provider_message_id="", **fields)

        report(event("delivered", status, delivery_id=delivery.id))

        assert Delivery.objects.get().status == status


def test_a_worker_that_has_not_heard_yet_finds_its_try_closed(text_message, news):
    delivery = text_message("sending", provider_message_id="")
    Attempt.objects.create(id=new_id(), delivery=delivery, number=1, provider_account=news, started_at=NOW)

    report(event("delivered", delivery_id=delivery.id))

    assert Attempt.objects.get().outcome == "accepted"


def test_a_failure_of_an_earlier_try_does_not_undo_the_later_one(text_message):
    delivery = text_message(provider_message_id="m-2")

    report(event("failed", delivery_id=delivery.id, provider_message_id="m-1", detail="30008"))

    assert Delivery.objects.get().status == "sent"


def test_a_message_that_got_no_further_failed_and_says_why(text_message):
    text_message()

    report(event("deferred", at=at(1)), event("failed", detail="30007: filtered", at=at(2)))

    delivery = Delivery.objects.get()
    assert (delivery.status, delivery.error, delivery.dead) == ("failed", "30007: filtered", False)
    assert [each.kind for each in delivery.events.all()] == ["deferred", "failed"]
    assert not Suppression.objects.exists()


def test_what_a_program_opened_nobody_has_seen(text_message):
    text_message("delivered")

    report(event("opened", machine=True), event("clicked", machine=True))

    delivery = Delivery.objects.get()
    assert (delivery.status, delivery.opened_at, delivery.clicked_at) == ("delivered", None, None)
    assert {each.kind for each in delivery.events.all()} == {"opened_by_machine", "clicked_by_machine"}


def test_a_time_that_has_not_come_yet_is_now(text_message):
    text_message()

    report(event("delivered", at=datetime.now(tz=UTC) + timedelta(days=3)))

    assert Delivery.objects.get().delivered_at < datetime.now(tz=UTC) + timedelta(minutes=1)


@pytest.mark.parametrize("signature,status", [(None, 401), ("forged", 403)])
def test_a_forged_request_changes_nothing_and_leaves_a_line_in_the_trail(text_message, signature, status):
    text_message()

    answer = report(event("delivered"), signature=signature)

    assert answer.status_code == status and answer["Content-Type"] == "application/problem+json"
    assert Delivery.objects.get().status == "sent"
    assert not ReceiptRecord.objects.exists() and not ReceiptCall.objects.exists()
    [line] = trail()
    assert line[:2] == ("receipt.refused", "provider_account:news")


@pytest.mark.parametrize("minutes,status", [(-6, 403), (-4, 204), (4, 204), (6, 403)])
def test_a_recorded_request_is_refused_after_five_minutes(text_message, minutes, status):
    text_message()
    signed_at = datetime.now(tz=UTC) + timedelta(minutes=minutes)

    answer = report(event("delivered"), **{"x-timestamp": signed_at.isoformat()})

    assert answer.status_code == status
    assert (Delivery.objects.get().status == "delivered") is (status == 204)


def test_a_flood_of_forgeries_does_not_flood_the_trail(news):
    for _ in range(40):
        assert report(event("delivered"), signature="forged").status_code == 403

    assert len(trail()) == 30


def test_a_request_of_more_than_a_mebibyte_is_refused(news, client):
    answer = client.post("/receipts/gazette/news/", b"x" * ((1 << 20) + 1), content_type="text/plain")

    assert answer.status_code == 413


def test_a_request_that_makes_no_sense_is_refused_whole(text_message, client):
    text_message()

    headers = {"x-signature": "genuine"}
    answer = client.post("/receipts/gazette/news/", b"[{", content_type="application/json", headers=headers)

    assert answer.status_code == 400
    assert not ReceiptRecord.objects.exists()


@pytest.mark.parametrize("path", ["gazette/unknown", "outbox/news", "nonsense/news", "gazette/out"])
def test_there_is_nothing_for_accounts_that_take_no_receipts(news, client, path):
    ProviderAccount.objects.create(name="out", provider="outbox", channel="sms")

    assert client.post(f"/receipts/{path}/", "{}", content_type="application/json").status_code == 404


def test_receipts_need_no_csrf_token_and_are_posted(text_message, client):
    text_message()

    assert report(event("delivered"), **{"idempotency-key": "x"}).status_code == 204
    assert client.get("/receipts/gazette/news/").status_code == 405


def test_requests_are_forgotten_after_a_month_and_what_they_said_after_three(text_message, settings):
    text_message()
    report(event("delivered"))

    settings.RECEIPT_BODY_DAYS = -1
    housekeeping.tidy()
    assert not ReceiptCall.objects.exists()
    assert ReceiptRecord.objects.exists()

    settings.RECEIPT_DAYS = -1
    housekeeping.tidy()
    assert not ReceiptRecord.objects.exists()
