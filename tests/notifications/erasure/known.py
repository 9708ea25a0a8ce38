"""A person of whom every table holds something: by the API, by pages, by the admin, by providers and by mishap."""

import base64
from typing import Any

from django.test import Client

from notifications.models import AudienceMember, Broadcast, Delivery, Event
from notifications.pages import sign_in
from preferences.models import Category, Topic, User
from tests.flow import run_until_idle
from tests.notifications.api.conftest import Service
from tests.notifications.gazette import report
from tests.notifications.given import given_delivery

USER_ID, NAME, EMAIL, PHONE = "ada-of-ockham", "Ada Lovelace", "ada.lovelace@example.org", "+4915155512345"
TOKEN, HOOK, CHAT = "fcm-token-of-the-telephone", "https://example.com/hooks/5f1d", "slack://T0AAAAAAA/B0BBBBBBB/c3c3c3"
SECRET, IP, AGENT = "a-thing-nobody-else-knows", "203.0.113.77", "Analytical Engine/1.0"
# In any case and any part of a text: what leads to her, and what was told to her alone.
NEEDLES = [USER_ID, "lovelace", PHONE.lstrip("+"), TOKEN, "hooks/5f1d", "c3c3c3", SECRET, IP, AGENT, "Europe/Malta"]


def everywhere(shop: Service, type_: Any, digested: Any) -> User:
    """Make her known, and everything happen to her; return her."""
    _told_of(shop)
    ada = User.objects.get(user_id=USER_ID)
    _chooses(shop, ada)
    _is_sent_to(shop, type_, digested)
    run_until_idle()
    _mishaps(ada, type_)
    _is_edited(ada)
    return ada


def _told_of(shop: Service) -> None:
    body = {"name": NAME, "email": EMAIL, "phone": PHONE, "timezone": "Europe/Malta", "attributes": {"plan": SECRET}}
    path = f"/api/v1/users/{USER_ID}"
    assert shop.client.put(path, body, format="json", headers=shop._headers({})).status_code == 201
    item = {"user_id": USER_ID, "name": NAME}
    assert shop.post("/api/v1/users/bulk", {"items": [item]}, idempotency_key="people-1").status_code == 207
    points = [("push", TOKEN), ("webhook", HOOK), ("chat", CHAT)]
    for number, (channel, address) in enumerate(points):
        answer = shop.post(
            f"{path}/contact_points", {"channel": channel, "address": address}, idempotency_key=f"point-{number}"
        )
        assert answer.status_code == 201, answer.content
    for what in ("tokens", "preference_links"):
        assert shop.post(f"{path}/{what}", {}, idempotency_key=f"{what}-1").status_code == 201
    Topic.objects.create(key="engines", name="Engines")
    answer = shop.post("/api/v1/topics/engines/subscribers", {"user_ids": [USER_ID]}, idempotency_key="topic-1")
    assert answer.status_code < 300, answer.content


def _chooses(shop: Service, ada: User) -> None:
    Category.objects.create(key="social", name="Social")
    wishes = {
        "categories": {"offers": {"digest": "daily"}},
        "frequency_caps": [{"max": 50, "per": "day"}],
        "channels": {"sms": True, "voice": True},
    }
    path = f"/api/v1/users/{USER_ID}/preferences"
    answer = shop.client.patch(path, wishes, format="json", headers=shop._headers({}))
    assert answer.status_code == 200, answer.content
    browser = Client(REMOTE_ADDR=IP, headers={"user-agent": AGENT})
    browser.force_login(ada)
    assert browser.get("/preferences/").status_code == 200
    shown = {"shown": ["offers.email:on", "offers.in_app:on"], "on": ["offers.in_app"]}
    assert browser.post("/preferences/", shown).status_code == 302
    assert browser.post("/preferences/pause/", {"what": "category:social", "for": "forever"}).status_code == 302
    assert browser.post("/preferences/addresses/add/", {"address": f"more-{EMAIL}"}).status_code == 302
    assert browser.post("/preferences/export/").status_code == 200
    assert shop.get(f"/api/v1/users/{USER_ID}/export").status_code == 200
    sign_in.request_link(EMAIL, ip=IP)


def _is_sent_to(shop: Service, type_: Any, digested: Any) -> None:
    file = {"content": base64.b64encode(SECRET.encode()).decode(), "filename": f"{NAME}.txt"}
    body = {
        "user_id": USER_ID,
        "type": type_.key,
        "channels_preferred": ["email", "sms", "push", "webhook", "chat", "voice", "in_app"],
        "payload": {"title": SECRET, "body": f"Dear {NAME}", "link": f"https://example.com/{SECRET}"},
        "metadata": {"customer": EMAIL},
    }
    inline = body | {"user": {"email": EMAIL, "name": NAME}, "attachments": [file]}
    assert shop.send(inline, idempotency_key="send-1").status_code == 202
    assert shop.send(body, idempotency_key=f"welcome-{USER_ID}").status_code == 202
    assert shop.post("/api/v1/notifications/bulk", {"items": [body]}, idempotency_key="bulk-1").status_code == 207
    assert shop.send(body | {"send_at": "2026-12-24T18:00:00Z"}).status_code == 202
    broadcast = {
        "type": digested.key,
        "payload": {"title": "Hello"},
        "audience": {"user_ids": [USER_ID, "somebody-else"]},
    }
    assert shop.post("/api/v1/broadcasts", broadcast, idempotency_key="broadcast-1").status_code == 202
    assert Broadcast.objects.exists() and AudienceMember.objects.exists()


def _mishaps(ada: User, type_: Any) -> None:
    """A dead letter and a timeline in which a provider was indiscreet, and what it reports, matched and not."""
    said = f"550 5.1.1 <{EMAIL}> is not known here"
    dead = given_delivery(ada, type_, status="failed", dead=True, error=said)
    Event.objects.create(notification=dead.notification, delivery=dead, kind="failed", at=ada.created_at, detail=said)
    sent = Delivery.objects.filter(channel="sms", status="sent").first()
    assert sent is not None
    detail = f"Delivered to {PHONE}"
    of_message = {"event_id": "1", "kind": "delivered", "delivery_id": sent.id, "detail": detail, "address": PHONE}
    strange = {"event_id": "2", "kind": "delivered", "provider_message_id": "nowhere", "address": PHONE}
    for event in (of_message, strange, {"event_id": "3", "kind": "help", "address": PHONE}):
        assert report(event).status_code < 300


def _is_edited(ada: User) -> None:
    desk = Client(REMOTE_ADDR="198.51.100.1")
    desk.force_login(User.objects.create_superuser("grace", "a long enough password"))
    page = f"/admin/preferences/user/{ada.pk}/change/"
    form = {"name": f"{NAME} (née Byron)", "locale": "", "timezone": "Europe/Malta", "is_active": "on"}
    assert desk.post(page, form).status_code == 302, "the admin's form is another one now"
