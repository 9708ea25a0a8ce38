"""Attachments on the way in."""

import base64
from datetime import timedelta
from ipaddress import ip_network
from uuid import uuid4

import pytest
from django.db import connection

from notifications import housekeeping
from notifications.attachments import keeping
from notifications.models import AttachmentContent, Notification, OutboxMessage
from preferences.models import Topic
from project.foundation import clock
from tests.flow import run_until_idle
from tests.notifications.api.conftest import pointers, service

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("outbox_accounts")]

PDF = b"%PDF-1.7 an invoice"


def base64_of(content: bytes) -> str:
    return base64.b64encode(content).decode()


@pytest.fixture
def shop(caller):
    return service(caller)


@pytest.fixture
def body(ada, order_confirmation):
    return {
        "user_id": "ada",
        "type": "ORDER_CONFIRMATION",
        "payload": {"title": "Hello"},
        "channels_preferred": ["email"],
    }


def test_a_content_is_kept_sealed_and_goes_with_the_mail(shop, body):
    body["attachments"] = [{"content": base64_of(PDF), "filename": "../invoice.pdf"}]

    assert shop.send(body).status_code == 202

    notification, kept = Notification.objects.get(), AttachmentContent.objects.get()
    assert notification.payload["attachments"] == [
        {"filename": "invoice.pdf", "content_type": "application/pdf", "size": len(PDF), "content": str(kept.id)}
    ]
    assert (kept.notification_id, kept.content) == (notification.id, base64_of(PDF))
    with connection.cursor() as cursor:
        cursor.execute("SELECT content FROM notifications_attachmentcontent")
        assert base64_of(PDF).encode() not in bytes(cursor.fetchone()[0])
    run_until_idle()
    listed = [{"filename": "invoice.pdf", "content_type": "application/pdf", "size": len(PDF)}]
    assert OutboxMessage.objects.get().attachments == listed
    assert shop.get("/api/v1/outbox").json()["results"][0]["attachments"] == listed


def test_other_channels_go_without(shop, body):
    body["attachments"] = [{"content": base64_of(PDF), "filename": "invoice.pdf"}]
    body["channels_preferred"] = ["sms"]

    assert shop.send(body).status_code == 202

    run_until_idle()
    assert OutboxMessage.objects.get().attachments is None
    assert shop.get("/api/v1/outbox").json()["results"][0]["attachments"] == []


def test_no_attachments_are_none(shop, body):
    assert shop.send(body | {"attachments": []}).status_code == 202
    assert shop.send(body | {"attachments": None}).status_code == 202

    assert all("attachments" not in row.payload for row in Notification.objects.all())


@pytest.mark.parametrize(
    ("attachment", "fault"),
    [
        ({}, {"/attachments/0/url": "required"}),
        ({"content": "aGk="}, {"/attachments/0/filename": "required"}),
        ({"content": "aGk=", "url": "https://example.com/a.pdf"}, {"/attachments/0/content": "invalid_value"}),
        ({"content": "a", "filename": "a.pdf"}, {"/attachments/0/content": "invalid_value"}),
        ({"content": "aGk", "filename": "a.pdf"}, {"/attachments/0/content": "invalid_value"}),
        ({"content": "aG k=", "filename": "a.pdf"}, {"/attachments/0/content": "invalid_value"}),
        ({"content": "é", "filename": "a.pdf"}, {"/attachments/0/content": "invalid_value"}),
        ({"content": "", "filename": "a.pdf"}, {"/attachments/0/content": "invalid_value"}),
        ({"content": base64_of(b"MZ" + b"\0" * 62), "filename": "a.pdf"}, {"/attachments/0/content": "invalid_value"}),
        ({"content": "aGk=", "filename": "a.exe"}, {"/attachments/0/filename": "invalid_value"}),
        ({"content": "aGk=", "filename": "a\r\nBcc: e@x.y"}, {"/attachments/0/filename": "invalid_value"}),
        ({"content": "aGk=", "filename": "x" * 151}, {"/attachments/0/filename": "invalid_value"}),
        (
            {"content": "aGk=", "filename": "a.pdf", "content_type": "text/html"},
            {"/attachments/0/content_type": "invalid_value"},
        ),
        ({"url": "http://example.com/a.pdf"}, {"/attachments/0/url": "invalid_value"}),
        ({"url": "https://127.0.0.1/a.pdf"}, {"/attachments/0/url": "invalid_value"}),
        ({"url": "https://[::ffff:169.254.169.254]/a.pdf"}, {"/attachments/0/url": "invalid_value"}),
        ({"url": "file:///etc/passwd"}, {"/attachments/0/url": "invalid_value"}),
        ({"url": "https://ada:secret@example.com/a.pdf"}, {"/attachments/0/url": "invalid_value"}),
        ({"url": "https://example.com/setup.exe"}, {"/attachments/0/url": "invalid_value"}),
        ({"url": "https://example.com/a.pdf", "x": 1}, {"/attachments/0/x": "unknown_field"}),
        ({"url": 7}, {"/attachments/0/url": "wrong_type"}),
    ],
)
def test_each_fault_is_named_at_its_place_and_nothing_is_stored(shop, body, attachment, fault):
    assert pointers(shop.send(body | {"attachments": [attachment]})) == fault
    assert not Notification.objects.exists() and not AttachmentContent.objects.exists()


def test_faults_of_all_attachments_come_together_with_those_of_the_body(shop, body):
    body |= {"user_id": "nobody", "attachments": [{"filename": "a.exe", "content": "?"}, {"url": "ftp://x.y/z"}]}

    assert pointers(shop.send(body)) == {
        "/user_id": "unknown_user",
        "/attachments/0/filename": "invalid_value",
        "/attachments/0/content": "invalid_value",
        "/attachments/1/url": "invalid_value",
    }


def test_ten_files_are_taken_and_eleven_are_not(shop, body):
    files = [{"url": f"https://example.com/{n}.pdf"} for n in range(11)]

    assert shop.send(body | {"attachments": files[:10]}).status_code == 202
    assert pointers(shop.send(body | {"attachments": files})) == {"/attachments": "too_long"}


def test_in_bulk_ten_mebibytes_together_are_the_most(shop, body, monkeypatch):
    monkeypatch.setattr("notifications.attachments.body.MAX_BYTES", 1000)
    files = [{"content": base64_of(b"a" * 500), "filename": f"{n}.txt"} for n in range(3)]
    items = [body | {"attachments": files[:2]}, body | {"attachments": files}, body]

    results = shop.send({"items": items}, path="/api/v1/notifications/bulk").json()["results"]

    assert [result["status"] for result in results] == [202, 422, 202]
    assert [(error["pointer"], error["code"]) for error in results[1]["errors"]] == [("/attachments", "too_large")]
    assert set(AttachmentContent.objects.values_list("notification_id", flat=True)) == {
        row.id for row in Notification.objects.all() if "attachments" in row.payload
    }
    run_until_idle()
    assert sorted(len(message.attachments or []) for message in OutboxMessage.objects.all()) == [0, 2]


def test_a_body_over_a_mebibyte_is_refused_whatever_fills_it(shop, body):
    body["attachments"] = [{"content": base64_of(b"a" * (1 << 20)), "filename": "a.txt"}]

    assert shop.send(body).status_code == 413


@pytest.mark.parametrize("path", ["send", "bulk"])
def test_a_repeat_keeps_nothing_twice(shop, body, path):
    body |= {"notification_id": str(uuid4()), "attachments": [{"content": base64_of(PDF), "filename": "a.pdf"}]}

    for _ in range(2):
        said = {"items": [body, body]} if path == "bulk" else body
        assert shop.send(said, path=f"/api/v1/notifications/{path}").status_code in (202, 207)

    assert AttachmentContent.objects.count() == Notification.objects.count() == 1
    other = body | {"attachments": [{"content": base64_of(b"%PDF other"), "filename": "a.pdf"}]}
    assert shop.send(other).status_code == 422


def test_a_url_names_the_file_where_nothing_else_does(shop, body, settings):
    settings.EGRESS_ALLOW = [ip_network("127.0.0.0/8")]
    urls = [
        "https://example.com/a/Rechnung%20M%C3%A4rz.pdf?sig=x%2Fy",
        "https://example.com",
        "http://127.0.0.1:8080/a",
    ]

    assert shop.send(body | {"attachments": [{"url": url} for url in urls]}).status_code == 202

    listed = Notification.objects.get().payload["attachments"]
    assert [(each["filename"], each["content_type"], each["url"]) for each in listed] == [
        ("Rechnung März.pdf", "application/pdf", urls[0]),
        ("attachment", "", urls[1]),
        ("a", "", urls[2]),
    ]


def test_a_broadcast_says_that_it_takes_none(shop, weekly_offers):
    Topic.objects.create(key="news", name="News")
    body = {"type": "WEEKLY_OFFERS", "payload": {"title": "Hi"}, "audience": {"topic": "news"}}
    body["attachments"] = [{"url": "https://example.com/a.pdf"}]

    assert pointers(shop.send(body, path="/api/v1/broadcasts")) == {"/attachments": "not_available"}


def test_contents_are_deleted_once_their_notification_is_over_and_their_time_is_up(shop, body, settings):
    settings.ATTACHMENT_DAYS = 3
    body["attachments"] = [{"content": base64_of(PDF), "filename": "a.pdf"}]
    later = (clock.now() + timedelta(days=10)).isoformat()
    for more in ({}, {"send_at": later}, {}):
        assert shop.send(body | more).status_code == 202
    over, scheduled, waiting = Notification.objects.order_by("id")
    Notification.objects.filter(id=over.id).update(status="completed", due_at=None)

    def kept_after(days: int) -> set:
        keeping.old(clock.now() + timedelta(days=days)).delete()
        return set(AttachmentContent.objects.values_list("notification_id", flat=True))

    assert kept_after(2) == {over.id, scheduled.id, waiting.id}
    assert kept_after(4) == {scheduled.id, waiting.id}
    Notification.objects.update(status="completed", due_at=None)
    assert kept_after(12) == {scheduled.id}
    assert kept_after(14) == set()
    housekeeping.tidy()
