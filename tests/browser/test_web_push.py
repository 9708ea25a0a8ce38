"""Web push in a real browser: the button subscribes it, the service worker shows what arrives.

The push service lies outside this machine: its answer to `subscribe` is played here, everything else is real.
"""

import json
from collections.abc import Iterator

import httpx
import pytest
from playwright.sync_api import BrowserContext, Page, expect

from tests.server import Server

ENDPOINT = "https://push.example.net/abc"
SUBSCRIBE = f"""
  const keys = {{
    p256dh: "BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4",
    auth: "BTBZMqHH6r4Tts7J_aSIgg",
  }};
  const made = {{
    endpoint: "{ENDPOINT}",
    toJSON: () => ({{ endpoint: "{ENDPOINT}", expirationTime: null, keys }}),
    unsubscribe: async () => {{ window.pushed = null; return true; }},
  }};
  PushManager.prototype.getSubscription = async () => window.pushed ?? null;
  PushManager.prototype.subscribe = async (options) => {{
    window.asked = options;
    return (window.pushed = made);
  }};
"""


@pytest.fixture
def api(carillon_server: Server) -> Iterator[httpx.Client]:
    key = carillon_server.demo["live_key"]
    with httpx.Client(base_url=f"{carillon_server.url}/api/v1", headers={"Authorization": f"Bearer {key}"}) as client:
        options = {
            "vapid_private_key": "yfWPiYE-n46HLnH0KqZOF1fJJU3MYrct3AELtAQ-oRw",
            "subject": "mailto:push@example.com",
        }
        account = {"provider": "web_push", "channel": "web_push", "options": options, "enabled": True}
        client.put("/provider_accounts/browser-push", json=account).raise_for_status()
        yield client
        client.delete("/provider_accounts/browser-push").raise_for_status()


def test_one_button_turns_this_browsers_notifications_on_and_off(
    api: httpx.Client, context: BrowserContext, page: Page, carillon_server: Server
) -> None:
    context.grant_permissions(["notifications"], origin=carillon_server.url)
    page.evaluate(SUBSCRIBE)
    page.evaluate(
        "import('/static/carillon/push.js').then(() => document.body.prepend(document.createElement('carillon-push')))"
    )

    page.get_by_role("button", name="Turn on notifications in this browser").click()
    expect(page.locator("carillon-push[state=on]")).to_be_visible()

    (point,) = _browsers(api)
    assert point["address"] == "https://push.example.net/•••"
    assert point["disabled_at"] is None
    assert page.evaluate("asked.userVisibleOnly && asked.applicationServerKey.length") == 65
    page.get_by_role("button", name="Turn off notifications in this browser").click()
    expect(page.locator("carillon-push[state=off]")).to_be_visible()
    assert _browsers(api)[0]["disabled_reason"] == "by_person"
    api.delete(f"/users/ada/contact_points/{point['id']}").raise_for_status()


def test_the_service_worker_shows_what_arrives(context: BrowserContext, page: Page, carillon_server: Server) -> None:
    context.grant_permissions(["notifications"], origin=carillon_server.url)
    debugger = context.new_cdp_session(page)
    registrations: list[str] = []
    debugger.on(
        "ServiceWorker.workerRegistrationUpdated",
        lambda event: registrations.extend(each["registrationId"] for each in event["registrations"]),
    )
    debugger.send("ServiceWorker.enable")
    page.evaluate(
        """async () => {
          const found = await navigator.serviceWorker.register("/static/carillon/service-worker.js");
          while (found.active?.state !== "activated") await new Promise((resolve) => setTimeout(resolve, 50));
          window.registration = found;
        }"""
    )

    said = {"id": "d-17", "title": "Your order is on its way", "body": "Grüße, 你好", "link": "https://example.com/17"}
    for data in (json.dumps(said), json.dumps(said)):
        message = {"origin": carillon_server.url, "registrationId": registrations[-1], "data": data}
        debugger.send("ServiceWorker.deliverPushMessage", message)

    page.wait_for_function("async () => (await registration.getNotifications()).length > 0")
    shown = page.evaluate(
        "async () => (await registration.getNotifications()).map((n) => [n.title, n.body, n.tag, n.data.link])"
    )
    assert shown == [["Your order is on its way", "Grüße, 你好", "d-17", "https://example.com/17"]]


def _browsers(api: httpx.Client) -> list[dict[str, str]]:
    points = api.get("/users/ada/contact_points").raise_for_status().json()["results"]
    return [point for point in points if point["channel"] == "web_push"]
