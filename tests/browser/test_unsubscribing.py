"""The link in a mail, opened by a browser that does all that a page asks for: only the press of its button acts."""

from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from playwright.sync_api import BrowserContext, expect

from tests.browser.mails import path_in_mail
from tests.server import Server


@pytest.fixture
def api(carillon_server: Server) -> Iterator[httpx.Client]:
    """The API as the demo's caller; Chen has made no choices, before and after."""
    headers = {"Authorization": f"Bearer {carillon_server.demo['live_key']}"}
    with httpx.Client(base_url=f"{carillon_server.url}/api/v1", headers=headers, timeout=10) as client:
        client.put("/users/chen/preferences", json={}).raise_for_status()
        yield client
        client.put("/users/chen/preferences", json={}).raise_for_status()


def choices(api: httpx.Client) -> Any:
    return api.get("/users/chen/preferences").json()


def test_a_visit_changes_nothing_and_the_button_does_and_undo_does(context: BrowserContext, api: httpx.Client) -> None:
    variables = api.get("/types/WEEKLY_OFFERS").json()["schema"]["examples"][0]
    body = {"user_id": "chen", "type": "WEEKLY_OFFERS", "payload": {"template_variables": variables}}
    api.post("/notifications/send", json=body | {"channels_preferred": ["email"]}).raise_for_status()
    link = path_in_mail(api, "chen", r"http://[^/]+/u/[^>\s]+")
    before = choices(api)
    page = context.new_page()
    sent = []
    page.on("request", lambda request: sent.append(request.method))

    page.goto(link, wait_until="networkidle")
    page.mouse.wheel(0, 2000)
    page.keyboard.press("Tab")
    page.reload(wait_until="networkidle")
    page.goto("about:blank")
    assert set(sent) == {"GET"}
    assert choices(api) == before

    page.goto(link)
    page.locator("main form button").click()
    expect(page.locator("[role=status]")).to_be_visible()
    assert choices(api)["categories"]["offers"]["channels"]["email"] is False

    page.locator("main form button").click()
    expect(page.locator("[role=status]")).to_be_visible()
    assert choices(api) == before
